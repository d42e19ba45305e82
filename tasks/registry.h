/* The task types that this agent knows. */
#ifndef TASKS_REGISTRY_H
#define TASKS_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "agent/base/schema.h"
#include "tasks/task_api.h"

/* A type and what the agent made of it at start. */
struct registered_type {
	const struct task_type *type;
	struct schema *schema;
	char *source; /* "built-in", or the file it came from */
	/* Of type, held; NULL: it stays as long as the program. */
	struct type_owner *owner;
};

/* The original's five keys, contract section 10. */
struct registry_options {
	bool enabled; /* false: only the namespace "core" */
	const char *const
		*namespaces;	  /* "core" "examples" "community"; NULL-terminated */
	bool include_subpackages; /* false: only files directly in a namespace's folder */
	const char *const *ignore_modules; /* names of types' files to leave out */
	bool override_on_conflict; /* a later type replaces an earlier one of its name */
};

/* Whoever types belong to that come and go. */
struct type_owner {
	void (*acquire)(struct type_owner *owner);
	void (*release)(struct type_owner *owner);
};

/* A type that is not built in, and the namespace it counts as: "community", "test". */
struct type_offer {
	const char *namespace;
	const struct task_type *type;
};

/* A type from outside, in the namespace "community": it may go as it came. */
struct type_guest {
	const struct task_type *type;
	const char *source; /* the file it came from */
	struct type_owner *owner;
};

struct registry;

/* Takes the built-in types, then those of extra (ended by a NULL type; may be NULL).  A
 * bad name, a schema with an unknown keyword, and a missing required core type (scan_task
 * and such) are errors with a sentence that names it. */
int registry_open(struct registry **out, const struct registry_options *options,
		  const struct type_offer *extra, struct err *err);
void registry_close(struct registry *registry);

/* Replaces the guests of before, if any, by these (ended by a NULL type).  Of them a bad
 * one is no error: it is left out with a sentence in problems, an array.  What is not
 * among them any more cannot be found any more; who uses it may go on doing so until
 * registry_sweep(). */
void registry_renew(struct registry *registry, const struct type_guest *guests,
		    cJSON *problems);

/* Lets go of types that cannot be found any more and that nobody uses. */
void registry_sweep(struct registry *registry,
		    bool (*is_used)(void *context, const struct registered_type *type),
		    void *context);

/* NULL when there is no such type. */
const struct registered_type *registry_find(const struct registry *registry,
					    const char *name);

size_t registry_count(const struct registry *registry);
const struct registered_type *registry_at(const struct registry *registry, size_t i);

#endif
