/* What the worker does for an act: the verbs that touch the rig or the projects' disk. */
#ifndef AGENT_WORKERS_DEED_H
#define AGENT_WORKERS_DEED_H

#include <stddef.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "tasks/registry.h"
#include "tasks/services.h"

struct catalog;
struct cancel;
struct seat;

struct deed {
	const struct task_services *services;
	struct seat *seat;		    /* of the rig in services */
	struct cancel *cancel;		    /* raised when the agent stops */
	const struct registered_type *type; /* of a dry_run, else NULL */
	/* A newer picture of a camera for its image topic. */
	void (*image)(void *context, const char *camera, const void *jpeg, size_t size);
	/* What the community folder holds now; takes catalog. */
	void (*types)(void *context, struct catalog *catalog);
	void (*offline)(void *context); /* the machine has no network */
	void *context;
};

/* Carries out verb ("motor/move") with body, a JSON object that fits the verb's schema.
 * Takes as long as it takes.  0 with the reply's data in *data, or a negative errno with
 * a code of the contract. */
int deed_do(const struct deed *deed, const char *verb, const char *body, cJSON **data,
	    struct err *err);

#endif
