/* Reads all sources of settings; the later source wins. */
#ifndef SETTINGS_LOAD_H
#define SETTINGS_LOAD_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "settings/source.h"
#include "settings/table.h"

/* The overrides: the agent's own file in its state folder, changed by "settings/set". */
#define LOAD_OVERRIDES "settings.json"

/* Values are objects with one member per row of the table, named by its dotted key. */
struct loaded {
	cJSON *values;		  /* in force */
	cJSON *without_overrides; /* would be in force without the overrides */
	cJSON *problems;	  /* an array of sentences */
};

/* An invalid value in a user's file is an error.  In the overrides an invalid value is
 * left out and a file that is not JSON is moved aside, so that a command can never keep a
 * rig from starting; both are added to the problems. */
int load_values(struct loaded *loaded, const struct settings_source *source,
		struct err *err);
void load_free(struct loaded *loaded);

/* Is this setting given by the environment, which wins over everything? */
bool load_by_environment(const struct settings_source *source,
			 const struct setting *setting);

/* Adds the sentence that the environment hides a value in the overrides, once; or removes
 * it if hides is false. */
int load_hide(cJSON *problems, const char *file, const struct setting *setting,
	      bool hides);

#endif
