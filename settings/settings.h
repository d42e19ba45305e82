/* The agent's settings: defaults < files < state dir's settings.json < environment.
 *
 * What is known of each stands in settings/table.c: one row a setting with its dotted
 * key, type, default, range, whether it acts at once, whether it is a secret. */
#ifndef SETTINGS_SETTINGS_H
#define SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"

struct settings;

struct settings_source {
	const char *config_file;	      /* --config, or NULL */
	const char *system_dir;		      /* "/etc/openscan-agent" */
	const char *(*env)(const char *name); /* getenv, or a test's */
};

/* Reads and checks everything.  An unknown key names the nearest one; a wrong value names
 * its file, its key and the allowed range. */
int settings_load(struct settings **out, const struct settings_source *source,
		  struct err *err);
void settings_free(struct settings *settings);

/* By dotted key ("mqtt.reconnect_max_s").  Asking for a key that is not in the table, or
 * with the wrong type, is a programming error and aborts.  Strings may be "" for unset.
 */
const char *settings_string(const struct settings *settings, const char *key);
int64_t settings_int(const struct settings *settings, const char *key);
double settings_number(const struct settings *settings, const char *key);
bool settings_bool(const struct settings *settings, const char *key);
const cJSON *settings_list(const struct settings *settings, const char *key);

/* All settings of a section ("cloud") by the rest of their keys, as they are, secrets
 * too; the caller deletes it.  NULL only when memory is out. */
cJSON *settings_section(const struct settings *settings, const char *section);

/* The tree of all values, secrets replaced by "***"; the caller deletes it. */
cJSON *settings_values(const struct settings *settings);

/* What was odd but not wrong while loading, for info: an array of strings, settings' own.
 */
const cJSON *settings_problems(const struct settings *settings);

/* Looks through an environment ("NAME=value", NULL at its end) for mistyped names of
 * ours: a sentence among the problems for each. */
void settings_check_environment(struct settings *settings, char *const *environment);

/* Changes settings by their dotted keys, null for the default, and writes them to
 * <state_dir>/settings.json, all or none; what the environment sets stays as it is, and
 * settings_problems() says so.  Pointers from earlier answers are no longer valid.  On
 * the thread that owns settings only; returns when the file is on disk.  -EINVAL,
 * "invalid_args" and the sentence of the first value that does not fit. */
int settings_set(struct settings *settings, const cJSON *changes, struct err *err);

/* What the agent's own file says of the keys that begin like this cannot be used, and
 * why: what would hold without the file holds until the next start, and
 * settings_problems() says so. False when the file says nothing of them.  Pointers from
 * earlier answers are no longer valid. */
bool settings_fall_back(struct settings *settings, const char *keys, const char *why);

/* Does a change of key act without a restart?  Aborts as the questions above do. */
bool settings_immediate(const char *key);

/* A change of key has been acted upon after all: it waits for a restart no more. */
void settings_applied(struct settings *settings, const char *key);

/* The keys that were changed since the load and wait for a restart; the caller deletes
 * it. */
cJSON *settings_restart_needed(const struct settings *settings);

/* The device config that the settings name, loaded and checked as far as JSON goes; the
 * caller deletes it.  A plain name ("simulated") is a shipped file, anything with a slash
 * is a path. */
int settings_device(const struct settings *settings, cJSON **out, struct err *err);

#endif
