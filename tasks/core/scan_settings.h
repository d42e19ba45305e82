/* The settings of a scan: the arguments of scan_task, read and checked against the rig.
 */
#ifndef TASKS_CORE_SCAN_SETTINGS_H
#define TASKS_CORE_SCAN_SETTINGS_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "hal/rig.h"
#include "tasks/core/path_settings.h"
#include "tasks/capture/photo_format.h"

/* The arguments of scan_task as JSON Schema. */
extern const char scan_settings_schema[];

struct scan_settings {
	struct path_settings path;
	int64_t pause_ms; /* settling before each photo */
	enum photo_format format;
	int stacks;	       /* photos per point; 1 without focus bracket */
	double focus_range[2]; /* of the bracket, in dioptres */
};

/* Reads settings, which fit the schema and have its defaults; the path as
 * path_settings_read() does.  A format that cannot be written is "not_supported". */
int scan_settings_read(struct scan_settings *out, const cJSON *settings,
		       const struct rig_axis *rotor, struct err *err);

/* Reads from scan.json how the photos of a continued scan are taken; its path is in
 * path.json. */
void scan_settings_recall(struct scan_settings *out, const cJSON *settings);

/* The focus of photo number stack of a bracket in dioptres, evenly spaced over the range.
 */
double scan_settings_focus(const struct scan_settings *settings, int stack);

/* The settings in the form of scan.json; the caller deletes them. */
cJSON *scan_settings_json(const struct scan_settings *settings);

#endif
