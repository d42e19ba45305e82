/* The settings in force: reads, changes and falls back. */
#include "settings/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/base/suggest.h"
#include "settings/device.h"
#include "settings/json_file.h"
#include "settings/load.h"
#include "settings/table.h"
#include "settings/value.h"

#define SLIPS_MAX 3 /* edits between a mistyped variable and ours */

struct settings {
	struct settings_source source; /* its strings are copies */
	struct loaded loaded;
	cJSON *started; /* the values as they were loaded */
};

static int out_of_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

static int copy_source(struct settings *settings, const struct settings_source *source,
		       struct err *err)
{
	settings->source.env = source->env;
	settings->source.system_dir = strdup(source->system_dir);
	if (source->config_file)
		settings->source.config_file = strdup(source->config_file);
	if (!settings->source.system_dir ||
	    (source->config_file && !settings->source.config_file))
		return out_of_memory(err);
	return 0;
}

int settings_load(struct settings **out, const struct settings_source *source,
		  struct err *err)
{
	struct settings *settings = calloc(1, sizeof(*settings));
	int ret;

	if (!settings)
		return out_of_memory(err);
	ret = copy_source(settings, source, err);
	if (ret < 0)
		goto fail;
	ret = load_values(&settings->loaded, &settings->source, err);
	if (ret < 0)
		goto fail;
	settings->started = cJSON_Duplicate(settings->loaded.values, true);
	if (!settings->started) {
		ret = out_of_memory(err);
		goto fail;
	}

	*out = settings;
	return 0;
fail:
	settings_free(settings);
	return ret;
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;

	load_free(&settings->loaded);
	cJSON_Delete(settings->started);
	free((char *)settings->source.system_dir);
	free((char *)settings->source.config_file);
	free(settings);
}

/* A wrong key in the code is found the first time the line runs. */
static const struct setting *row_of(const char *key)
{
	const struct setting *setting = table_find(key);

	if (!setting) {
		log_error(
			"the code asks for the setting %s, which settings/table.c lacks",
			key);
		abort();
	}
	return setting;
}

static const cJSON *value_of(const struct settings *settings, const char *key,
			     enum setting_type type)
{
	if (row_of(key)->type != type) {
		log_error("the code asks for the setting %s as another type", key);
		abort();
	}
	return cJSON_GetObjectItemCaseSensitive(settings->loaded.values, key);
}

const char *settings_string(const struct settings *settings, const char *key)
{
	return value_of(settings, key, SETTING_STRING)->valuestring;
}

int64_t settings_int(const struct settings *settings, const char *key)
{
	return (int64_t)value_of(settings, key, SETTING_INT)->valuedouble;
}

double settings_number(const struct settings *settings, const char *key)
{
	return value_of(settings, key, SETTING_NUMBER)->valuedouble;
}

bool settings_bool(const struct settings *settings, const char *key)
{
	return cJSON_IsTrue(value_of(settings, key, SETTING_BOOL));
}

const cJSON *settings_list(const struct settings *settings, const char *key)
{
	return value_of(settings, key, SETTING_LIST);
}

cJSON *settings_section(const struct settings *settings, const char *section)
{
	size_t length = strlen(section);
	cJSON *object = cJSON_CreateObject();

	for (size_t i = 0; object && i < table_size(); i++) {
		const char *key = table_at(i)->key;
		const cJSON *value =
			cJSON_GetObjectItemCaseSensitive(settings->loaded.values, key);

		if (!strncmp(key, section, length) && key[length] == '.')
			cJSON_AddItemToObject(object, key + length + 1,
					      cJSON_Duplicate(value, true));
	}
	return object;
}

cJSON *settings_values(const struct settings *settings)
{
	cJSON *tree = cJSON_CreateObject();

	for (size_t i = 0; tree && i < table_size(); i++) {
		const struct setting *setting = table_at(i);
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(
			settings->loaded.values, setting->key);
		const char *name;
		cJSON *section = json_file_section(tree, setting->key, &name);
		cJSON *shown = value_shown(setting, value);

		if (!cJSON_AddItemToObject(section, name, shown)) {
			cJSON_Delete(shown);
			cJSON_Delete(tree);
			return NULL;
		}
	}
	return tree;
}

const cJSON *settings_problems(const struct settings *settings)
{
	return settings->loaded.problems;
}

static int check_change(const cJSON *change, struct err *err)
{
	const struct setting *setting = table_find(change->string);
	char suggest[TABLE_KEY];

	if (!setting && table_suggest(change->string, suggest))
		return err_code(err, -EINVAL, "invalid_args",
				"%s is not a setting (did you mean %s?)", change->string,
				suggest);
	if (!setting)
		return err_code(err, -EINVAL, "invalid_args", "%s is not a setting",
				change->string);
	if (setting->local_only)
		return err_code(err, -EINVAL, "invalid_args",
				"%s can only be set on the machine itself", setting->key);
	if (cJSON_IsNull(change))
		return 0;
	if (setting->secret && cJSON_IsString(change) &&
	    strstr(change->valuestring, VALUE_HIDDEN))
		return err_code(err, -EINVAL, "invalid_args",
				"%s must hold the password itself, not " VALUE_HIDDEN,
				setting->key);
	return value_check(setting, setting->key, change, err);
}

/* Applies a change that has been written to the file. */
static int apply(struct settings *settings, const char *file, const cJSON *change)
{
	const struct setting *setting = table_find(change->string);
	struct loaded *loaded = &settings->loaded;
	const cJSON *without_overrides =
		cJSON_GetObjectItemCaseSensitive(loaded->without_overrides, setting->key);
	cJSON *value;

	if (load_by_environment(&settings->source, setting)) {
		bool hides = !cJSON_IsNull(change);
		int ret = load_hide(loaded->problems, file, setting, hides);

		if (ret < 0 || hides)
			return ret;
	}

	value = cJSON_Duplicate(cJSON_IsNull(change) ? without_overrides : change, true);
	if (!value ||
	    !cJSON_ReplaceItemInObjectCaseSensitive(loaded->values, setting->key, value))
		return -ENOMEM;
	return 0;
}

int settings_set(struct settings *settings, const cJSON *changes, struct err *err)
{
	char path[PATH_MAX];
	const cJSON *change;
	int ret;

	cJSON_ArrayForEach(change, changes) {
		ret = check_change(change, err);
		if (ret < 0)
			return ret;
	}
	snprintf(path, sizeof(path), "%s/" LOAD_OVERRIDES,
		 settings_string(settings, "state_dir"));
	ret = json_file_change(path, changes, err);
	if (ret < 0)
		return ret;

	cJSON_ArrayForEach(change, changes) {
		if (apply(settings, path, change) < 0)
			return out_of_memory(err);
	}
	return 0;
}

/* The variable that name was probably meant to be; NULL if it is one of ours, or unlike
 * all of them. */
static const char *suggest_variable(const char *name)
{
	struct suggest suggest;

	suggest_init(&suggest, name);
	for (size_t i = 0; i < table_size(); i++) {
		if (!table_at(i)->env)
			continue;
		if (!strcmp(table_at(i)->env, name))
			return NULL;
		suggest_offer(&suggest, table_at(i)->env);
	}
	return suggest.distance <= SLIPS_MAX ? suggest.name : NULL;
}

void settings_check_environment(struct settings *settings, char *const *environment)
{
	for (; *environment; environment++) {
		char name[64], text[256];
		const char *suggest;

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(*environment, "="),
			 *environment);
		suggest = strncmp(name, "OPENSCAN_", 9) ? NULL : suggest_variable(name);
		if (!suggest)
			continue;
		snprintf(text, sizeof(text), "%s has no effect (did you mean %s?)", name,
			 suggest);
		cJSON_AddItemToArray(settings->loaded.problems, cJSON_CreateString(text));
	}
}

static bool fall_back(struct settings *settings, const struct setting *setting,
		      const char *why)
{
	const cJSON *value =
		cJSON_GetObjectItemCaseSensitive(settings->loaded.values, setting->key);
	const cJSON *without_overrides = cJSON_GetObjectItemCaseSensitive(
		settings->loaded.without_overrides, setting->key);
	char text[PATH_MAX + 512];
	cJSON *copy;

	if (cJSON_Compare(value, without_overrides, true))
		return false;
	copy = cJSON_Duplicate(without_overrides, true);
	if (!copy || !cJSON_ReplaceItemInObjectCaseSensitive(settings->loaded.values,
							     setting->key, copy))
		return false;
	snprintf(text, sizeof(text), "%s/" LOAD_OVERRIDES ": %s has no effect: %s",
		 settings_string(settings, "state_dir"), setting->key, why);
	cJSON_AddItemToArray(settings->loaded.problems, cJSON_CreateString(text));
	settings_applied(settings, setting->key);
	return true;
}

bool settings_fall_back(struct settings *settings, const char *keys, const char *why)
{
	bool fell = false;

	for (size_t i = 0; i < table_size(); i++)
		if (!strncmp(table_at(i)->key, keys, strlen(keys)))
			fell |= fall_back(settings, table_at(i), why);
	return fell;
}

bool settings_immediate(const char *key)
{
	return row_of(key)->immediate;
}

void settings_applied(struct settings *settings, const char *key)
{
	const cJSON *now = cJSON_GetObjectItemCaseSensitive(settings->loaded.values, key);
	cJSON *copy = cJSON_Duplicate(now, true);

	/* Out of memory: the key still waits for a restart, which does no harm. */
	if (copy && !cJSON_ReplaceItemInObjectCaseSensitive(settings->started, key, copy))
		cJSON_Delete(copy);
}

cJSON *settings_restart_needed(const struct settings *settings)
{
	cJSON *keys = cJSON_CreateArray();

	for (size_t i = 0; keys && i < table_size(); i++) {
		const char *key = table_at(i)->key;
		const cJSON *now =
			cJSON_GetObjectItemCaseSensitive(settings->loaded.values, key);
		const cJSON *then =
			cJSON_GetObjectItemCaseSensitive(settings->started, key);

		if (table_at(i)->immediate || cJSON_Compare(now, then, true))
			continue;
		cJSON_AddItemToArray(keys, cJSON_CreateString(key));
	}
	return keys;
}

int settings_device(const struct settings *settings, cJSON **out, struct err *err)
{
	char state[PATH_MAX];
	char system[PATH_MAX];
	const char *const folders[] = {
		state,
		system,
		OPENSCAN_SHARE_DIR "/device",
		OPENSCAN_SOURCE_SETTINGS_DIR "/device",
		NULL,
	};

	snprintf(state, sizeof(state), "%s/device",
		 settings_string(settings, "state_dir"));
	snprintf(system, sizeof(system), "%s/device", settings->source.system_dir);
	return device_read(out, settings_string(settings, "device_config"), folders, err);
}
