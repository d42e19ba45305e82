/* What a scan shall be: the settings of scan_task, read and checked against the rig. */
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
	int stacks;	       /* photos at each point, 1 for no focus bracket */
	double focus_range[2]; /* of a bracket, dioptres */
};

/* Reads settings, which fit the schema and have its defaults; the path as
 * path_settings_read() does.  A format that cannot be written is "not_supported". */
int scan_settings_read(struct scan_settings *out, const cJSON *settings,
		       const struct rig_axis *rotor, struct err *err);

/* What scan.json says of how the photos of a scan that goes on are taken; its path is
 * written down elsewhere. */
void scan_settings_recall(struct scan_settings *out, const cJSON *settings);

/* The focus of a bracket's photo in dioptres, evenly spaced over the range. */
double scan_settings_focus(const struct scan_settings *settings, int stack);

/* As scan.json has them; the caller deletes it. */
cJSON *scan_settings_json(const struct scan_settings *settings);

#endif
