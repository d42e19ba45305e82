/* Every setting there is: one row each. */
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

/* What a string, or each string of a list, has to look like. */
struct setting_rule {
	bool (*fits)(const char *text);
	const char *wants; /* goes behind "must be" */
};

struct setting {
	const char *key; /* dotted: "mqtt.url" */
	enum setting_type type;
	/* As JSON text; NULL: worked out on this machine at start. */
	const char *fallback;
	double min, max;		 /* of a number */
	const struct setting_rule *rule; /* NULL: any text */
	const char *env; /* the environment variable that sets it, or NULL */
	bool secret;	 /* an address that may hold a password, which is never shown */
	bool fixed;	 /* must not be set in the state directory's own file */
	bool at_once;	 /* a change acts without a restart */
};

size_t table_size(void);
const struct setting *table_at(size_t i);

/* NULL when there is no such setting. */
const struct setting *table_find(const char *key);

/* Is key the first part of some setting's key ("mqtt", "scheduler")? */
bool table_section(const char *key);

/* The setting or section whose name name was probably meant to be, written to nearest;
 * NULL when none is near. */
const char *table_nearest(const char *name, char nearest[TABLE_KEY]);

#endif
