/* Where the values of the settings come from, and which source wins. */
#ifndef SETTINGS_LOAD_H
#define SETTINGS_LOAD_H

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "settings/settings.h"

/* The agent's own file in its state directory: what "settings/set" changed. */
#define LOAD_OWN_FILE "settings.json"

/* Makes values, an object with a member for each row of the table, named by its whole
 * dotted key, and problems, an array of sentences; both are the caller's.  A user's file
 * that does not fit is an error.  In the agent's own file a value that does not fit is
 * left out and a file that is no JSON is moved aside, so that nothing set from afar keeps
 * a rig from starting; problems tells of both. */
int load_values(cJSON **values, cJSON **problems, const struct settings_source *source,
		struct err *err);

#endif
