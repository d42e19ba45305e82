/* A value of a setting: does it fit, how is it read, how is it shown. */
#ifndef SETTINGS_VALUE_H
#define SETTINGS_VALUE_H

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "settings/table.h"

#define VALUE_HIDDEN "***" /* stands where a password was */

/* 0, or -EINVAL, "invalid_args" and the sentence "<name> must be 1 to 64, not 0", where
 * name is what the reader wrote: the setting's key or its variable.  A password is not
 * shown. */
int value_check(const struct setting *setting, const char *name, const cJSON *value,
		struct err *err);

/* Reads the text of the environment variable name.  Only strings and numbers are set
 * that way. */
int value_parse(cJSON **out, const struct setting *setting, const char *name,
		const char *text, struct err *err);

/* A copy of value that may be shown to anybody; the caller deletes it. */
cJSON *value_shown(const struct setting *setting, const cJSON *value);

#endif
