/* What a scan shall be: the settings of scan_task, read and checked against the rig. */
#ifndef TASKS_CORE_SCAN_SETTINGS_H
#define TASKS_CORE_SCAN_SETTINGS_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "hal/rig.h"
#include "tasks/path.h"
#include "tasks/route.h"

/* The arguments of scan_task as JSON Schema. */
extern const char scan_settings_schema[];

struct scan_settings {
	int points;
	struct path_range range;
	enum route_method route;
	int64_t pause_ms; /* settling before each photo */
};

/* Reads settings, which fit the schema and have its defaults.  A theta that is not given
 * is 12 to 125 as far as the rotor goes; one that is given must be within its limits
 * ("invalid_args").  What this version cannot do is "not_supported". */
int scan_settings_read(struct scan_settings *out, const cJSON *settings,
		       const struct rig_axis *rotor, struct err *err);

/* As scan.json has them; the caller deletes it. */
cJSON *scan_settings_json(const struct scan_settings *settings);

#endif
