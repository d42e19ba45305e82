/* What all devices of one rig share: the backend, the stop flags, the ear outside. */
#ifndef HAL_CORE_H
#define HAL_CORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "hal/backend.h"
#include "hal/rig.h"

#define CORE_NAME 65 /* a device's name and its NUL */

struct core {
	const struct backend *backend;
	void *hardware; /* the backend's own */

	atomic_bool estopped;
	atomic_uint stops; /* grows with each order to stop */

	/* Guards what states show: busy, target, level, settings.  Held for a few
	 * instructions and level writes, never while waiting or calling out. */
	pthread_mutex_t lock;

	void (*changed)(void *context, enum device_kind kind, const char *name);
	void *context;
};

/* What may end an act before its time: taken when it begins. */
struct core_leash {
	struct interrupt *interrupt;
	unsigned stops;
};

void core_init(struct core *core, const struct rig_options *options);
void core_destroy(struct core *core);

/* Tells the owner of the rig; not while holding the lock. */
void core_changed(struct core *core, enum device_kind kind, const char *name);

/* Begins an act that a stop must end; "estopped" while the emergency stop is on. */
int core_begin(struct core *core, struct interrupt *interrupt, struct core_leash *leash,
	       struct err *err);

/* 0, -EINTR (the interrupt was raised) or -ECANCELED (stop, or emergency stop). */
int core_wanted(const struct core *core, const struct core_leash *leash);

/* Waits until the backend's time is due_ns, or for what core_wanted() says. */
int core_wait(struct core *core, int64_t due_ns, const struct core_leash *leash);

/* The sentence for an act ("the move of rotor") that core_wanted() ended; returns ret. */
int core_explain(const struct core *core, int ret, struct err *err, const char *act,
		 const char *name);

/* Checks one object of the device config, or of a command, against a schema and adds its
 * defaults.  at stands before the sentence ("motors.rotor"); NULL for nothing. */
int core_check(const char *schema_text, cJSON *object, const char *at, struct err *err);

/* May name stand in a topic?  kind and name appear in the sentence. */
int core_check_name(enum device_kind kind, const char *name, struct err *err);

#endif
