/* The table of all settings: one row each. */
#ifndef SETTINGS_TABLE_H
#define SETTINGS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#define TABLE_KEY 64 /* the longest key, with its NUL */

enum setting_type {
	SETTING_STRING,
	SETTING_INT, /* a number without a fraction */
	SETTING_NUMBER,
	SETTING_BOOL,
	SETTING_LIST, /* of strings */
};

/* The form that a string, or each string of a list, must have. */
struct setting_rule {
	bool (*fits)(const char *text);
	const char *wants; /* the end of the sentence "… must be" */
};

struct setting {
	const char *key; /* dotted: "mqtt.url" */
	enum setting_type type;
	const char *default_json;	 /* NULL: worked out at start, see host.h */
	double min, max;		 /* of a number */
	const struct setting_rule *rule; /* NULL: any text */
	const char *env;		 /* the environment variable for it, or NULL */
	bool secret;	 /* an address that may hold a password, which is never shown */
	bool local_only; /* cannot be changed by a command */
	bool immediate;	 /* a change takes effect without a restart */
};

size_t table_size(void);
const struct setting *table_at(size_t i);

/* NULL if there is no such setting. */
const struct setting *table_find(const char *key);

/* Is key the first part of some setting's key ("mqtt", "scheduler")? */
bool table_section(const char *key);

/* Writes the setting or section that name was probably meant to be to suggestion; NULL if
 * none is similar. */
const char *table_suggest(const char *name, char suggestion[TABLE_KEY]);

#endif
