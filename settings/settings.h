/* The agent's settings: defaults < files < <state_dir>/settings.json < environment.
 *
 * settings/table.c has one row per setting: dotted key, type, default, range, environment
 * variable, and whether it is secret and whether a change takes effect immediately. */
#ifndef SETTINGS_SETTINGS_H
#define SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "settings/source.h"

struct settings;

/* Reads and checks everything.  The error names the most similar key for an unknown one,
 * and file, key and allowed range for a wrong value. */
int settings_load(struct settings **out, const struct settings_source *source,
		  struct err *err);
void settings_free(struct settings *settings);

/* By dotted key ("mqtt.reconnect_max_s").  A key that is not in the table, or has another
 * type, is a programming error and aborts.  An unset string is "". */
const char *settings_string(const struct settings *settings, const char *key);
int64_t settings_int(const struct settings *settings, const char *key);
double settings_number(const struct settings *settings, const char *key);
bool settings_bool(const struct settings *settings, const char *key);
const cJSON *settings_list(const struct settings *settings, const char *key);

/* All settings of a section ("cloud"), named by the rest of their keys, secrets included;
 * the caller deletes it.  NULL only when out of memory. */
cJSON *settings_section(const struct settings *settings, const char *section);

/* The tree of all values, secrets replaced by "***"; the caller deletes it. */
cJSON *settings_values(const struct settings *settings);

/* Sentences for info about things that were odd but not wrong: an array of strings, owned
 * by settings. */
const cJSON *settings_problems(const struct settings *settings);

/* Looks for mistyped names of our variables in an environment ("NAME=value", ended by
 * NULL) and adds a problem for each. */
void settings_check_environment(struct settings *settings, char *const *environment);

/* Changes settings by their dotted keys (null: back to the default) and writes the
 * changes to <state_dir>/settings.json, all or none.  Settings given by the environment
 * keep their value, and settings_problems() says so.  Invalidates pointers returned
 * earlier.  Only on the thread that owns settings; returns when the file is on disk.
 * -EINVAL, "invalid_args" and the sentence of the first invalid value. */
int settings_set(struct settings *settings, const cJSON *changes, struct err *err);

/* For overrides that turn out to be unusable, because of why: the settings whose keys
 * begin with keys get the value they would have without settings.json, until the next
 * start, and settings_problems() says so.  False if settings.json does not change any of
 * them. Invalidates pointers returned earlier. */
bool settings_fall_back(struct settings *settings, const char *keys, const char *why);

/* Does a change of key take effect without a restart?  Aborts as the getters do. */
bool settings_immediate(const char *key);

/* A change of key has been applied after all: it does not wait for a restart any more. */
void settings_applied(struct settings *settings, const char *key);

/* The keys that were changed since the load and wait for a restart; the caller deletes
 * the array. */
cJSON *settings_restart_needed(const struct settings *settings);

/* Loads the device config that the settings name and checks that it is JSON; the caller
 * deletes it.  A plain name ("simulated") is a shipped file, anything with a slash is a
 * path. */
int settings_device(const struct settings *settings, cJSON **out, struct err *err);

#endif
