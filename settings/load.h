/* Where the values of the settings come from, and which source wins. */
#ifndef SETTINGS_LOAD_H
#define SETTINGS_LOAD_H

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "settings/settings.h"
#include "settings/table.h"

/* The agent's own file in its state directory: what "settings/set" changed. */
#define LOAD_OVERRIDES "settings.json"

/* What a start found.  Values are objects with a member for each row of the table, named
 * by its whole dotted key. */
struct loaded {
	cJSON *values;		  /* what holds */
	cJSON *without_overrides; /* what would hold without the agent's own file */
	cJSON *problems;	  /* an array of sentences */
};

/* A user's file that does not fit is an error.  In the agent's own file a value that does
 * not fit is left out and a file that is no JSON is moved aside, so that nothing set from
 * afar keeps a rig from starting; problems tells of both. */
int load_values(struct loaded *loaded, const struct settings_source *source,
		struct err *err);
void load_free(struct loaded *loaded);

/* Is this setting given by the environment, which wins over everything? */
bool load_by_environment(const struct settings_source *source,
			 const struct setting *setting);

/* The sentence about a stored value that the environment hides: there once, or not at
 * all. */
int load_hide(cJSON *problems, const char *file, const struct setting *setting,
	      bool hides);

#endif
