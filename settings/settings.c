#include "settings/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "settings/device.h"
#include "settings/load.h"
#include "settings/table.h"
#include "settings/value.h"

struct settings {
	cJSON *values;	 /* a member a row of the table, by its dotted key */
	cJSON *problems; /* strings */
	char *system_dir;
};

int settings_load(struct settings **out, const struct settings_source *source,
		  struct err *err)
{
	struct settings *settings = calloc(1, sizeof(*settings));
	int ret;

	if (!settings)
		return err_set(err, -ENOMEM, "out of memory");
	settings->system_dir = strdup(source->system_dir);
	if (!settings->system_dir) {
		ret = err_set(err, -ENOMEM, "out of memory");
		goto fail;
	}
	ret = load_values(&settings->values, &settings->problems, source, err);
	if (ret < 0)
		goto fail;

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

	cJSON_Delete(settings->values);
	cJSON_Delete(settings->problems);
	free(settings->system_dir);
	free(settings);
}

/* A key that is asked for wrongly is found by the first run of the line that asks. */
static const cJSON *value_of(const struct settings *settings, const char *key,
			     enum setting_type type)
{
	const struct setting *setting = table_find(key);

	if (!setting || setting->type != type) {
		log_error("the code asks for the setting %s, which is not in "
			  "settings/table.c "
			  "or of another type",
			  key);
		abort();
	}
	return cJSON_GetObjectItemCaseSensitive(settings->values, key);
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

/* The object that holds key, made when missing; *name becomes the last part of key. */
static cJSON *section_of(cJSON *tree, const char *key, const char **name)
{
	const char *dot = strchr(key, '.');
	char section[TABLE_KEY];
	cJSON *object;

	*name = dot ? dot + 1 : key;
	if (!dot)
		return tree;

	snprintf(section, sizeof(section), "%.*s", (int)(dot - key), key);
	object = cJSON_GetObjectItemCaseSensitive(tree, section);
	return object ? object : cJSON_AddObjectToObject(tree, section);
}

cJSON *settings_values(const struct settings *settings)
{
	cJSON *tree = cJSON_CreateObject();

	for (size_t i = 0; tree && i < table_size(); i++) {
		const struct setting *setting = table_at(i);
		const cJSON *value =
			cJSON_GetObjectItemCaseSensitive(settings->values, setting->key);
		const char *name;
		cJSON *section = section_of(tree, setting->key, &name);
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
	return settings->problems;
}

int settings_device(const struct settings *settings, cJSON **out, struct err *err)
{
	char own[PATH_MAX];
	char system[PATH_MAX];
	const char *const folders[] = {
		own,
		system,
		OPENSCAN_SHARE_DIR "/device",
		OPENSCAN_SOURCE_SETTINGS_DIR "/device",
		NULL,
	};

	snprintf(own, sizeof(own), "%s/device", settings_string(settings, "state_dir"));
	snprintf(system, sizeof(system), "%s/device", settings->system_dir);
	return device_read(out, settings_string(settings, "device_config"), folders, err);
}
