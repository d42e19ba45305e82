/* Loads a shared object and describes its task types. */
#include "tasks/community/host/shared_object.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "tasks/community/host/shared_object_run.h"

#define TYPES_MAX 64

/* Copies of the object's types; members that its version of the header lacks are zero. */
static struct task_type types[TYPES_MAX];
static const struct task_type *list[TYPES_MAX + 1];

static int fail(const char *sentence, const char *what)
{
	fprintf(stderr, "%s%s\n", sentence, what);
	return EXIT_FAILURE;
}

/* The members of the first version must exist. */
#define SIZE_OF_FIRST_VERSION (offsetof(struct task_type, estimate) + sizeof(void *))

static int load(const char *file)
{
	void *object = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	const struct task_types *exported;
	size_t size, n = 0;

	if (!object)
		return fail("", dlerror());
	exported = dlsym(object, "openscan_task_types");
	if (!exported)
		return fail(
			"it shows no task types: TASK_TYPES() of task_api.h is missing",
			"");
	if (exported->version != TASK_API_VERSION ||
	    exported->size < SIZE_OF_FIRST_VERSION)
		return fail("it was built against another version of task_api.h", "");
	size = exported->size < sizeof(types[0]) ? exported->size : sizeof(types[0]);
	for (; n < TYPES_MAX && exported->types[n]; n++) {
		memcpy(&types[n], exported->types[n], size);
		list[n] = &types[n];
	}
	return EXIT_SUCCESS;
}

static cJSON *describe_one(const struct task_type *type)
{
	cJSON *description = cJSON_CreateObject();
	cJSON *uses = cJSON_AddArrayToObject(description, "uses");

	cJSON_AddStringToObject(description, "name", type->name ? type->name : "");
	if (type->title)
		cJSON_AddStringToObject(description, "title", type->title);
	if (type->category)
		cJSON_AddStringToObject(description, "category", type->category);
	cJSON_AddBoolToObject(description, "is_exclusive", type->is_exclusive);
	cJSON_AddBoolToObject(description, "is_blocking", type->is_blocking);
	cJSON_AddBoolToObject(description, "resumable", type->resumable);
	for (const char *const *device = type->uses; device && *device; device++)
		cJSON_AddItemToArray(uses, cJSON_CreateString(*device));
	if (type->args)
		cJSON_AddRawToObject(description, "args", type->args);
	return description;
}

static int describe(void)
{
	cJSON *all = cJSON_CreateArray();
	char *text;

	for (size_t i = 0; list[i]; i++)
		cJSON_AddItemToArray(all, describe_one(list[i]));
	text = cJSON_PrintUnformatted(all);
	cJSON_Delete(all);
	return text && puts(text) >= 0 ? EXIT_SUCCESS : fail("out of memory", "");
}

int shared_object_main(const char *verb, const char *file)
{
	int ret = load(file);

	if (ret != EXIT_SUCCESS)
		return ret;
	return strcmp(verb, "describe") ? shared_object_run(list) : describe();
}
