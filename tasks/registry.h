/* The task types that this agent knows, by name. */
#ifndef TASKS_REGISTRY_H
#define TASKS_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "agent/base/schema.h"
#include "tasks/task_api.h"

/* A type and what the registry derived from it. */
struct registered_type {
	const struct task_type *type;
	struct schema *schema;
	char *source; /* "built-in", or the file it came from */
	/* Owns type, and is held; NULL for a type that lives as long as the program. */
	struct type_owner *owner;
};

/* OpenScan3's five settings of task autodiscovery, contract section 10. */
struct registry_options {
	/* False: only the namespace "core". */
	bool enabled;
	/* "core" "examples" "community"; NULL-terminated. */
	const char *const *namespaces;
	/* False: only files directly in the namespace's folder. */
	bool include_subpackages;
	/* Files of types to leave out. */
	const char *const *ignore_modules;
	/* True: a later type replaces an earlier one of the same name. */
	bool override_on_conflict;
};

/* The owner of types that may be unloaded: a type is valid while its owner is held. */
struct type_owner {
	void (*acquire)(struct type_owner *owner);
	void (*release)(struct type_owner *owner);
};

/* A type that is not built in, and the namespace it counts as: "community", "test". */
struct type_offer {
	const char *namespace;
	const struct task_type *type;
};

/* A type from outside, in the namespace "community"; it may be removed again. */
struct type_guest {
	const struct task_type *type;
	const char *source; /* the file it came from */
	struct type_owner *owner;
};

struct registry;

/* Takes the built-in types, then those of extra (ended by a NULL type; may be NULL).  A
 * bad name, a schema with an unknown keyword and a missing required core type are errors
 * with a sentence that names the type. */
int registry_open(struct registry **out, const struct registry_options *options,
		  const struct type_offer *extra, struct err *err);
void registry_close(struct registry *registry);

/* Replaces the guests by these (ended by a NULL type).  A bad guest is no error: it is
 * left out with a sentence in problems, an array.  A former guest that is not among them
 * can no longer be found, but its users may go on using it until registry_sweep(). */
void registry_renew(struct registry *registry, const struct type_guest *guests,
		    cJSON *problems);

/* Releases the types that can no longer be found and that is_used() does not claim. */
void registry_sweep(struct registry *registry,
		    bool (*is_used)(void *context, const struct registered_type *type),
		    void *context);

/* NULL when there is none of this name. */
const struct registered_type *registry_find(const struct registry *registry,
					    const char *name);

size_t registry_count(const struct registry *registry);
const struct registered_type *registry_at(const struct registry *registry, size_t i);

#endif
