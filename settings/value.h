/* The value of one setting: checks it, parses it and masks it for display. */
#ifndef SETTINGS_VALUE_H
#define SETTINGS_VALUE_H

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "settings/table.h"

#define VALUE_HIDDEN "***" /* shown instead of a password */

/* 0, or -EINVAL, "invalid_args" and the sentence "<name> must be 1 to 64, not 0"; name is
 * the setting's key or its variable, whichever the user wrote.  Never shows a
 * password. */
int value_check(const struct setting *setting, const char *name, const cJSON *value,
		struct err *err);

/* Parses the text of the environment variable name.  Only strings and numbers can be
 * given that way. */
int value_parse(cJSON **out, const struct setting *setting, const char *name,
		const char *text, struct err *err);

/* A copy of value that anybody may see; the caller deletes it. */
cJSON *value_shown(const struct setting *setting, const cJSON *value);

#endif
