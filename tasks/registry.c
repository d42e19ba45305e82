/* The registry: built-in types, extra types of tests, and guests that come and go. */
#include "tasks/registry.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "tasks/builtin.h"

/* Pointers to registered types stay valid until registry_sweep() finds them unused. */
struct type_list {
	struct registered_type **at;
	size_t count;
};

struct registry {
	struct registry_options options; /* namespaces and ignore_modules are ours */
	struct type_list own;		 /* the types it was opened with; never removed */
	struct type_list types;		 /* the types that can be found; some are own */
	struct type_list retired; /* types that can no longer be found; none is own */
};

/* The agent refuses to start without these. */
static const char *const required[] = {"scan_task", "focus_stacking_task",
				       "cloud_upload_task", "cloud_download_task", NULL};

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

/* A built-in type's namespace is its category; the settings speak of "examples". */
static const char *namespace_of(const struct task_type *type)
{
	return !strcmp(type->category, "example") ? "examples" : type->category;
}

/* A type's name is also that of the module that task_autodiscovery_ignore_modules means.
 */
static bool is_wanted(const struct registry_options *options, const char *namespace,
		      const struct task_type *type)
{
	if (!options->enabled)
		return !strcmp(namespace, "core");
	return contains(options->namespaces, namespace) &&
	       !contains(options->ignore_modules, type->name);
}

/* ---- lists ---- */

static void list_add(struct type_list *list, struct registered_type *type)
{
	struct registered_type **grown =
		realloc(list->at, (list->count + 1) * sizeof(*grown));

	if (!grown)
		abort(); /* as everywhere in the registry when memory is out */
	list->at = grown;
	list->at[list->count++] = type;
}

static bool list_has(const struct type_list *list, const struct registered_type *type)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i] == type)
			return true;
	return false;
}

static struct registered_type **list_named(const struct type_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->at[i]->type->name, name))
			return &list->at[i];
	return NULL;
}

/* The entry made from exactly this type. */
static struct registered_type *list_of(const struct type_list *list,
				       const struct task_type *type)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i]->type == type)
			return list->at[i];
	return NULL;
}

/* ---- one type ---- */

static void registered_free(struct registered_type *type)
{
	schema_free(type->schema);
	free(type->source);
	if (type->owner)
		type->owner->release(type->owner);
	free(type);
}

static int registered_new(struct registered_type **out, const struct task_type *type,
			  const char *source, struct type_owner *owner, struct err *err)
{
	struct registered_type *made;
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
	made = calloc(1, sizeof(*made));
	if (!made || !(made->source = strdup(source)))
		abort();
	made->type = type;
	made->schema = schema;
	made->owner = owner;
	if (owner)
		owner->acquire(owner);
	*out = made;
	return 0;
}

/* ---- what can be found ---- */

/* Puts type into the list.  Of two types with the same name the first stays, or the later
 * with override; then returns false with a sentence, and the one left out in *out. */
static bool add_unique(struct type_list *list, struct registered_type *type,
		       bool override, struct registered_type **out, char sentence[512])
{
	struct registered_type **there = list_named(list, type->type->name);

	*out = NULL;
	if (!there) {
		list_add(list, type);
		return true;
	}
	snprintf(sentence, 512,
		 "there are two task types '%s', one %s and one %s: the %s one is used",
		 type->type->name, (*there)->source, type->source,
		 override ? "later" : "first");
	*out = override ? *there : type;
	if (override)
		*there = type;
	return false;
}

static int add_own(struct registry *registry, const char *namespace,
		   const struct task_type *type, const char *source, struct err *err)
{
	struct registered_type *made, *left_out;
	char sentence[512];
	int ret;

	if (!is_wanted(&registry->options, namespace, type))
		return 0;
	ret = registered_new(&made, type, source, NULL, err);
	if (ret < 0)
		return ret;
	if (!add_unique(&registry->own, made, registry->options.override_on_conflict,
			&left_out, sentence)) {
		log_warn("%s", sentence);
		registered_free(left_out);
	}
	return 0;
}

static int add_all(struct registry *registry, const struct type_offer *extra,
		   struct err *err)
{
	const struct task_type *const *type = builtin_types;
	int ret = 0;

	for (; ret == 0 && *type; type++)
		ret = add_own(registry, namespace_of(*type), *type, "built-in", err);
	for (; ret == 0 && extra && extra->type; extra++)
		ret = add_own(registry, extra->namespace, extra->type, extra->namespace,
			      err);
	return ret;
}

static int check_required(const struct registry *registry, struct err *err)
{
	for (size_t i = 0; required[i]; i++)
		if (!list_named(&registry->own, required[i]))
			return err_code(
				err, -ENOENT, "internal",
				"the task type %s is missing: settings leave it out "
				"(task_autodiscovery_namespaces must have \"core\")",
				required[i]);
	return 0;
}

/* ---- the registry ---- */

static const char **copy_names(const char *const *names)
{
	const char **copy;
	size_t n = 0;

	while (names && names[n])
		n++;
	copy = calloc(n + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < n; i++)
		copy[i] = strdup(names[i]);
	return copy;
}

static void free_names(const char *const *names)
{
	for (size_t i = 0; names && names[i]; i++)
		free((char *)(uintptr_t)names[i]);
	free((void *)(uintptr_t)names);
}

static void use_own(struct registry *registry)
{
	registry->types.count = 0;
	for (size_t i = 0; i < registry->own.count; i++)
		list_add(&registry->types, registry->own.at[i]);
}

int registry_open(struct registry **out, const struct registry_options *options,
		  const struct type_offer *extra, struct err *err)
{
	struct registry *registry = calloc(1, sizeof(*registry));
	int ret;

	if (!registry)
		return err_set(err, -ENOMEM, "out of memory");
	registry->options = *options;
	registry->options.namespaces = copy_names(options->namespaces);
	registry->options.ignore_modules = copy_names(options->ignore_modules);
	ret = add_all(registry, extra, err);
	if (ret == 0)
		ret = check_required(registry, err);
	if (ret < 0) {
		registry_close(registry);
		return ret;
	}
	use_own(registry);
	*out = registry;
	return 0;
}

static void list_close(struct type_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		registered_free(list->at[i]);
	free(list->at);
}

void registry_close(struct registry *registry)
{
	if (!registry)
		return;
	for (size_t i = 0; i < registry->types.count; i++)
		if (!list_has(&registry->own, registry->types.at[i]))
			registered_free(registry->types.at[i]);
	free(registry->types.at);
	list_close(&registry->own);
	list_close(&registry->retired);
	free_names(registry->options.namespaces);
	free_names(registry->options.ignore_modules);
	free(registry);
}

/* ---- types that come and go ---- */

static void add_problem(cJSON *problems, const char *source, const char *sentence)
{
	char text[1024];

	snprintf(text, sizeof(text), "%.400s: %.600s", source, sentence);
	log_warn("%s", text);
	cJSON_AddItemToArray(problems, cJSON_CreateString(text));
}

/* Returns the entry of this guest, made now or earlier; NULL after adding a problem.  A
 * new one is in retired until it can be found. */
static struct registered_type *entry_of(struct registry *registry,
					const struct type_list *before,
					const struct type_guest *guest, cJSON *problems)
{
	struct registered_type *made = list_of(before, guest->type);
	struct err err;

	if (!made)
		made = list_of(&registry->retired, guest->type);
	if (made)
		return made;
	if (registered_new(&made, guest->type, guest->source, guest->owner, &err) < 0) {
		add_problem(problems, guest->source, err.text);
		return NULL;
	}
	list_add(&registry->retired, made);
	return made;
}

/* Updates retired: every type that is neither own nor can be found. */
static void retire(struct registry *registry, const struct type_list *before)
{
	struct type_list *retired = &registry->retired;
	size_t kept = 0;

	for (size_t i = 0; i < retired->count; i++)
		if (!list_has(&registry->types, retired->at[i]))
			retired->at[kept++] = retired->at[i];
	retired->count = kept;
	for (size_t i = 0; i < before->count; i++)
		if (!list_has(&registry->types, before->at[i]) &&
		    !list_has(&registry->own, before->at[i]))
			list_add(retired, before->at[i]);
}

void registry_renew(struct registry *registry, const struct type_guest *guests,
		    cJSON *problems)
{
	struct type_list before = registry->types;
	char sentence[512];

	registry->types = (struct type_list){.at = NULL};
	use_own(registry);
	for (; guests && guests->type; guests++) {
		struct registered_type *made, *left_out;

		if (!is_wanted(&registry->options, "community", guests->type))
			continue;
		made = entry_of(registry, &before, guests, problems);
		if (!made)
			continue;
		if (!add_unique(&registry->types, made,
				registry->options.override_on_conflict, &left_out,
				sentence))
			add_problem(problems, guests->source, sentence);
	}
	retire(registry, &before);
	free(before.at);
}

void registry_sweep(struct registry *registry,
		    bool (*is_used)(void *context, const struct registered_type *type),
		    void *context)
{
	struct type_list *retired = &registry->retired;
	size_t kept = 0;

	for (size_t i = 0; i < retired->count; i++) {
		if (is_used(context, retired->at[i]))
			retired->at[kept++] = retired->at[i];
		else
			registered_free(retired->at[i]);
	}
	retired->count = kept;
}

const struct registered_type *registry_find(const struct registry *registry,
					    const char *name)
{
	struct registered_type **found = list_named(&registry->types, name);

	return found ? *found : NULL;
}

size_t registry_count(const struct registry *registry)
{
	return registry->types.count;
}

const struct registered_type *registry_at(const struct registry *registry, size_t i)
{
	return registry->types.at[i];
}
