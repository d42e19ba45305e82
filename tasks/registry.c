#include "tasks/registry.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"

struct registry {
	struct registered_type *types;
	size_t count;
};

/* Without these the agent is no use. */
static const char *const required[] = {"scan_task", NULL};

/* ^[a-z][a-z0-9_]*_task$ */
static bool is_type_name(const char *name)
{
	static const char ending[] = "_task";
	size_t length = name ? strlen(name) : 0, end = sizeof(ending) - 1;

	if (length <= end || strcmp(name + length - end, ending) ||
	    !islower((unsigned char)*name))
		return false;
	for (; *name; name++)
		if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) &&
		    *name != '_')
			return false;
	return true;
}

static bool contains(const char *const *list, const char *text)
{
	for (; list && *list; list++)
		if (!strcmp(*list, text))
			return true;
	return false;
}

/* A built-in type's file is called like the type. */
static bool is_wanted(const struct registry_options *options,
		      const struct type_offer *offer)
{
	if (!options->enabled)
		return !strcmp(offer->namespace, "core");
	return contains(options->namespaces, offer->namespace) &&
	       !contains(options->ignore_modules, offer->type->name);
}

static struct registered_type *lookup(const struct registry *registry, const char *name)
{
	for (size_t i = 0; i < registry->count; i++)
		if (!strcmp(registry->types[i].type->name, name))
			return &registry->types[i];
	return NULL;
}

/* The place for a type: a new one, or that of the one it replaces. */
static int find_place(struct registry *registry, const struct task_type *type,
		      bool override, struct registered_type **place, struct err *err)
{
	struct registered_type *there = lookup(registry, type->name), *grown;

	if (there) {
		log_warn("there are two task types '%s': the %s one is used", type->name,
			 override ? "later" : "first");
		*place = override ? there : NULL;
		return 0;
	}
	grown = realloc(registry->types, (registry->count + 1) * sizeof(*grown));
	if (!grown)
		return err_set(err, -ENOMEM, "out of memory");
	registry->types = grown;
	*place = &grown[registry->count++];
	**place = (struct registered_type){.type = type};
	return 0;
}

static int add(struct registry *registry, const struct registry_options *options,
	       const struct type_offer *offer, const char *source, struct err *err)
{
	const struct task_type *type = offer->type;
	struct registered_type *place;
	struct schema *schema;
	int ret;

	if (!is_type_name(type->name))
		return err_code(
			err, -EINVAL, "internal",
			"'%s' is no name for a task type: it must be lower case letters, "
			"digits and _, begin with a letter and end in _task",
			type->name ? type->name : "");
	ret = schema_compile(&schema, type->args, err);
	if (ret < 0) {
		err_prefix(err, "the arguments of %s", type->name);
		return ret;
	}
	ret = find_place(registry, type, options->override_on_conflict, &place, err);
	if (ret < 0 || !place) {
		schema_free(schema);
		return ret;
	}
	schema_free(place->schema);
	place->type = type;
	place->schema = schema;
	snprintf(place->source, sizeof(place->source), "%s", source);
	return 0;
}

static int add_all(struct registry *registry, const struct registry_options *options,
		   const struct type_offer *offers, const char *source, struct err *err)
{
	for (; offers && offers->type; offers++) {
		int ret = is_wanted(options, offers)
				  ? add(registry, options, offers,
					source ? source : offers->namespace, err)
				  : 0;

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int check_required(const struct registry *registry, struct err *err)
{
	for (size_t i = 0; required[i]; i++)
		if (!lookup(registry, required[i]))
			return err_code(
				err, -ENOENT, "internal",
				"the task type %s is missing: settings leave it out "
				"(task_autodiscovery_namespaces must have \"core\")",
				required[i]);
	return 0;
}

int registry_open(struct registry **out, const struct registry_options *options,
		  const struct type_offer *extra, struct err *err)
{
	struct registry *registry = calloc(1, sizeof(*registry));
	int ret;

	if (!registry)
		return err_set(err, -ENOMEM, "out of memory");
	ret = add_all(registry, options, builtin_types, "built-in", err);
	if (ret == 0)
		ret = add_all(registry, options, extra, NULL, err);
	if (ret == 0)
		ret = check_required(registry, err);
	if (ret < 0) {
		registry_close(registry);
		return ret;
	}
	*out = registry;
	return 0;
}

void registry_close(struct registry *registry)
{
	if (!registry)
		return;
	for (size_t i = 0; i < registry->count; i++)
		schema_free(registry->types[i].schema);
	free(registry->types);
	free(registry);
}

const struct registered_type *registry_find(const struct registry *registry,
					    const char *name)
{
	return lookup(registry, name);
}

size_t registry_count(const struct registry *registry)
{
	return registry->count;
}

const struct registered_type *registry_at(const struct registry *registry, size_t i)
{
	return &registry->types[i];
}
