/* What all devices of one rig share: the backend, the stop flags, the ear outside. */
#ifndef HAL_RIG_CONTEXT_H
#define HAL_RIG_CONTEXT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "hal/backend.h"
#include "hal/motion_thread.h"

struct chassis {
	const struct backend *backend;
	void *hardware; /* the backend's own */
	struct engine *engine;

	atomic_bool estopped;
	atomic_uint stops; /* grows with each order to stop */

	/* Guards what states show: busy, target, level, settings.  Held for a few
	 * instructions and levels of lines, never while waiting or calling out. */
	pthread_mutex_t lock;
	bool awake; /* lock: do motors have current, and may lights burn? (rig_power.c) */

	void (*changed)(void *context, enum device_kind kind, const char *name);
	void *context;
};

void chassis_init(struct chassis *chassis, const struct rig_options *options);
void chassis_destroy(struct chassis *chassis);

/* Tells the owner of the rig; not while holding the lock. */
void chassis_changed(struct chassis *chassis, enum device_kind kind, const char *name);

/* 0, or -EPERM and "estopped" while the emergency stop is on. */
int chassis_permit(const struct chassis *chassis, struct err *err);

#endif
