/* The settings of a path, shared by all types that follow one: schema, reading, checking
 * against the rig. */
#ifndef TASKS_CORE_PATH_SETTINGS_H
#define TASKS_CORE_PATH_SETTINGS_H

#include <stddef.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "hal/rig.h"
#include "tasks/capture/path.h"
#include "tasks/capture/visit_order.h"

#define PATH_SETTINGS_THETA                                                              \
	"{\"type\":\"number\",\"minimum\":0,\"maximum\":180,\"description\":"
#define PATH_SETTINGS_PHI                                                                \
	"{\"type\":[\"number\",\"null\"],\"minimum\":0,\"maximum\":360,\"description\":"

/* The properties for a JSON Schema; more may follow after a comma. */
#define PATH_SETTINGS_SCHEMA                                                             \
	"\"path_method\":{\"enum\":[\"fibonacci\",\"grid\",\"spiral\"],"                 \
	"\"default\":\"fibonacci\","                                                     \
	"\"description\":\"Evenly spread, in rings, or along one curve\"},"              \
	"\"points\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":999,"                \
	"\"default\":130,\"description\":\"From how many places\"},"                     \
	"\"min_theta\":" PATH_SETTINGS_THETA                                             \
	"\"Highest view in degrees; left out: 12, or what the rotor reaches\"},"         \
	"\"max_theta\":" PATH_SETTINGS_THETA                                             \
	"\"Lowest view in degrees; left out: 125, or what the rotor reaches\"},"         \
	"\"min_phi\":" PATH_SETTINGS_PHI "\"First azimuth in degrees; left out: 0\"},"   \
	"\"max_phi\":" PATH_SETTINGS_PHI "\"Last azimuth in degrees; left out: 360\"},"  \
	"\"optimize_path\":{\"type\":\"boolean\",\"default\":true},"                     \
	"\"optimization_algorithm\":{\"enum\":[\"best\",\"nearest_neighbor\","           \
	"\"none\"],\"default\":\"best\"}"

struct path_settings {
	enum path_method method;
	int points;
	struct path_range range;
	enum visit_order order;
};

/* Reads settings, which fit the schema and have its defaults.  The default range of theta
 * is 12 to 125, clamped to the rotor's limits; an explicit value must be within them
 * ("invalid_args"). */
int path_settings_read(struct path_settings *out, const cJSON *settings,
		       const struct rig_axis *rotor, struct err *err);

/* Adds the settings to json as they were read. */
void path_settings_put(const struct path_settings *settings, cJSON *json);

/* Computes the points in visiting order from the present position of axes; points has
 * room for PATH_MAX_POINTS.  Returns their number, or the error. */
int path_settings_points(const struct path_settings *settings,
			 const struct visit_order_axes *axes, struct path_point *points,
			 struct err *err);

#endif
