/* The verbs of the noun settings. */
#include "agent/commands/settings.h"
#include "agent/commands/response.h"
#include "agent/commands/tables.h"
#include "agent/core/status.h"

#include <string.h>

/* The member of a tree by its dotted key, NULL when there is none. */
static cJSON *by_key(cJSON *tree, const char *key)
{
	while (tree) {
		size_t length = strcspn(key, ".");
		cJSON *member;

		cJSON_ArrayForEach(member, tree)
			if (strlen(member->string) == length &&
			    !strncmp(member->string, key, length))
				break;
		if (!key[length])
			return member;
		tree = member;
		key += length + 1;
	}
	return NULL;
}

/* Only the keys that were asked for, under their dotted names. */
static bool pick(struct response *response, cJSON *settings, const cJSON *keys)
{
	cJSON *values = cJSON_GetObjectItemCaseSensitive(settings, "values");
	cJSON *picked = cJSON_CreateObject();
	const cJSON *key;

	cJSON_ArrayForEach(key, keys) {
		cJSON *value = by_key(values, key->valuestring);

		if (!value) {
			response_refuse(response, "not_found", "there is no setting '%s'",
					key->valuestring);
			cJSON_Delete(picked);
			return false;
		}
		cJSON_AddItemToObject(picked, key->valuestring,
				      cJSON_Duplicate(value, true));
	}
	cJSON_ReplaceItemInObjectCaseSensitive(settings, "values", picked);
	return true;
}

static void settings_get(struct core *core, struct response *response)
{
	const cJSON *keys =
		cJSON_GetObjectItemCaseSensitive(response->command->body, "keys");
	cJSON *settings = status_settings_document(core);

	if (keys && !pick(response, settings, keys)) {
		cJSON_Delete(settings);
		return;
	}
	response->rev = core->settings_rev;
	response_ok(response, "ok", settings);
}

int settings_apply(struct core *core, const cJSON *values, struct err *err)
{
	const struct settings_access *access = &core->options.settings;
	int ret = access->set(access->context, values, &core->options.tunables, err);

	if (ret < 0)
		return ret;
	core->scheduler.max_concurrent = core->options.tunables.max_concurrent;
	core->settings_rev++;
	store_set_number(core->store, "settings_rev", core->settings_rev);
	status_publish_settings(core);
	core_emit_event(core, "settings.changed", NULL, status_settings_document(core));
	return 0;
}

static void settings_change(struct core *core, struct response *response)
{
	const cJSON *values =
		cJSON_GetObjectItemCaseSensitive(response->command->body, "values");
	struct err err;

	if (response->command->if_rev >= 0 &&
	    response->command->if_rev != core->settings_rev) {
		response_refuse(response, "rev_conflict",
				"the settings are at revision %lld, not %lld",
				(long long)core->settings_rev,
				(long long)response->command->if_rev);
		response->current = status_settings_document(core);
		return;
	}
	if (settings_apply(core, values, &err) < 0) {
		response_refuse(response,
				strcmp(err.code, "internal") ? err.code : "storage_error",
				"%s", err.text);
		return;
	}
	response->rev = core->settings_rev;
	response_ok(response, "ok", status_settings_document(core));
}

const struct verb settings_verbs[] = {
	{
		.name = "settings/get",
		.schema =
			"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
			"\"keys\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}",
		.decide = settings_get,
	},
	{
		.name = "settings/set",
		.flags = VERB_WRITES,
		.short_form = SHORT_NONE,
		.schema =
			"{\"type\":\"object\",\"required\":[\"values\"],\"additionalProperties\":false,"
			"\"properties\":{\"values\":{\"type\":\"object\"}}}",
		.decide = settings_change,
	},
	{.name = NULL},
};
