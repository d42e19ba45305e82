/* The agent's settings: defaults < files < state dir's settings.json < environment.
 *
 * settings/schema.json-like knowledge lives in settings/table.c: one row a setting with its
 * dotted key, type, default, range, whether it acts at once, whether it is a secret. */
#ifndef SETTINGS_SETTINGS_H
#define SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"

struct settings;

struct settings_source {
	const char *config_file;      /* --config, or NULL */
	const char *system_dir;       /* "/etc/openscan-agent" */
	const char *(*env)(const char *name); /* getenv, or a test's */
};

/* Reads and checks everything.  An unknown key names the nearest one; a wrong value names its
 * file, its key and the allowed range. */
int settings_load(struct settings **out, const struct settings_source *source, struct err *err);
void settings_free(struct settings *settings);

/* By dotted key ("mqtt.reconnect_max_s").  Asking for a key that is not in the table, or with
 * the wrong type, is a programming error and aborts.  Strings may be "" for unset. */
const char *settings_string(const struct settings *settings, const char *key);
int64_t settings_int(const struct settings *settings, const char *key);
double settings_number(const struct settings *settings, const char *key);
bool settings_bool(const struct settings *settings, const char *key);
const cJSON *settings_list(const struct settings *settings, const char *key);

/* The tree of all values, secrets replaced by "***"; the caller deletes it. */
cJSON *settings_values(const struct settings *settings);

/* What was odd but not wrong while loading, for info: an array of strings, settings' own. */
const cJSON *settings_problems(const struct settings *settings);

/* The device config that the settings name, loaded and checked as far as JSON goes; the
 * caller deletes it.  A plain name ("simulated") is a shipped file, anything with a slash is
 * a path. */
int settings_device(const struct settings *settings, cJSON **out, struct err *err);

#endif
