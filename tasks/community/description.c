/* Checks descriptions and turns them into task types. */
#include "tasks/community/description.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "hal/rig.h"
#include "tasks/community/protocol.h"

#define TYPES_MAX 64
#define USES_MAX 64
#define CATEGORY_MAX 15

static const char *const members[] = {
	"name",	     "title", "category", "is_exclusive", "is_blocking",
	"resumable", "uses",  "args",	  "discover",	  NULL};

/* "motor" or "motor/rotor". */
static bool is_device(const char *text)
{
	size_t length = strcspn(text, "/");

	for (int kind = 0; kind < DEVICE_KINDS; kind++) {
		const char *name = device_kind_name((enum device_kind)kind);

		if (strlen(name) == length && !strncmp(name, text, length))
			return text[length] == '\0' || text[length + 1] != '\0';
	}
	return false;
}

static int check_members(const cJSON *description, struct err *err)
{
	const cJSON *member;

	if (!cJSON_IsObject(description))
		return err_set(err, -EINVAL, "a description is an object");
	cJSON_ArrayForEach(member, description) {
		const char *const *name = members;

		while (*name && strcmp(*name, member->string) != 0)
			name++;
		if (!*name)
			return err_set(err, -EINVAL,
				       "a description has no member '%.64s'",
				       member->string);
	}
	return 0;
}

static int read_text(const cJSON *description, const char *name, const char *otherwise,
		     const char **text, struct err *err)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(description, name);

	*text = member ? cJSON_GetStringValue(member) : otherwise;
	return *text ? 0 : err_set(err, -EINVAL, "%s must be a text", name);
}

static int read_flag(const cJSON *description, const char *name, bool *flag,
		     struct err *err)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(description, name);

	if (member && !cJSON_IsBool(member))
		return err_set(err, -EINVAL, "%s must be true or false", name);
	if (member)
		*flag = cJSON_IsTrue(member);
	return 0;
}

static int read_uses(struct plugin_type *made, struct err *err)
{
	const cJSON *uses = cJSON_GetObjectItemCaseSensitive(made->description, "uses"),
		    *device;
	size_t n = 0;

	if (!uses)
		return 0;
	if (!cJSON_IsArray(uses) || cJSON_GetArraySize(uses) > USES_MAX)
		return err_set(err, -EINVAL,
			       "uses must be an array of at most %d devices", USES_MAX);
	made->uses = calloc((size_t)cJSON_GetArraySize(uses) + 1, sizeof(*made->uses));
	if (!made->uses)
		return err_set(err, -ENOMEM, "out of memory");
	cJSON_ArrayForEach(device, uses) {
		if (!cJSON_IsString(device) || !is_device(device->valuestring))
			return err_set(err, -EINVAL,
				       "uses must name motor, light, camera, endstop or "
				       "trigger, or "
				       "one of them as in motor/turntable");
		made->uses[n++] = device->valuestring;
	}
	made->type.uses = made->uses;
	return 0;
}

static int read_args(struct plugin_type *made, struct err *err)
{
	cJSON *args = cJSON_GetObjectItemCaseSensitive(made->description, "args");

	if (args && !cJSON_IsObject(args))
		return err_set(err, -EINVAL, "args must be a JSON Schema, an object");
	if (args && !cJSON_GetObjectItemCaseSensitive(args, "type"))
		cJSON_AddStringToObject(args, "type", "object");
	made->args = args ? json_text(args) : strdup("{\"type\":\"object\"}");
	made->type.args = made->args;
	return made->args ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static int fill_type(struct plugin_type *made, struct err *err)
{
	const cJSON *d = made->description;
	struct task_type *type = &made->type;
	int ret = check_members(d, err);

	type->run = protocol_run;
	if (ret < 0 || (ret = read_text(d, "name", NULL, &type->name, err)) < 0 ||
	    (ret = read_text(d, "title", type->name, &type->title, err)) < 0 ||
	    (ret = read_text(d, "category", "community", &type->category, err)) < 0 ||
	    (ret = read_flag(d, "is_exclusive", &type->is_exclusive, err)) < 0 ||
	    (ret = read_flag(d, "is_blocking", &type->is_blocking, err)) < 0 ||
	    (ret = read_flag(d, "resumable", &type->resumable, err)) < 0 ||
	    (ret = read_uses(made, err)) < 0 || (ret = read_args(made, err)) < 0)
		return ret;
	if (strlen(type->category) > CATEGORY_MAX)
		return err_set(err, -EINVAL,
			       "category must be a word like community or example");
	return 0;
}

/* Adds one type to the plugin.  Frees description.  It may be a problem that
 * python_host.py has found in a class. */
static int add_type(struct plugin *plugin, cJSON *description, struct err *err)
{
	const char *problem = json_string(description, "problem");
	struct plugin_type *made;
	bool discover = true;
	int ret;

	if (problem) {
		ret = err_set(err, -EINVAL, "%s", problem);
		cJSON_Delete(description);
		return ret;
	}
	made = calloc(1, sizeof(*made));
	if (!made)
		abort(); /* out of memory */
	made->description = description;
	made->plugin = plugin;
	ret = fill_type(made, err);
	if (ret == 0)
		ret = read_flag(description, "discover", &discover, err);
	if (ret < 0 || !discover) {
		plugin_type_free(made);
		return ret;
	}
	plugin->types[plugin->count++] = made;
	return 0;
}

/* A single object becomes an array of one. */
static cJSON *as_array(cJSON *value)
{
	cJSON *array;

	if (cJSON_IsArray(value))
		return value;
	array = cJSON_CreateArray();
	cJSON_AddItemToArray(array, value);
	return array;
}

int description_read(struct plugin *plugin, const char *text, size_t size,
		     struct err *err)
{
	cJSON *all = json_parse(text, size, err), *one;

	if (!all) {
		err_prefix(err, "what it describes is no JSON");
		return -EINVAL;
	}
	all = as_array(all);
	if (cJSON_GetArraySize(all) > TYPES_MAX) {
		cJSON_Delete(all);
		return err_set(err, -EINVAL, "it describes more than %d types",
			       TYPES_MAX);
	}
	plugin->types =
		calloc((size_t)cJSON_GetArraySize(all) + 1, sizeof(struct plugin_type *));
	if (!plugin->types)
		abort();
	while ((one = cJSON_DetachItemFromArray(all, 0)))
		if (add_type(plugin, one, err) < 0)
			cJSON_AddItemToArray(plugin->problems,
					     cJSON_CreateString(err->text));
	cJSON_Delete(all);
	return 0;
}
