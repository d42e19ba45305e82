/* State shared by all devices of a rig: backend, stop flags, change callback. */
#ifndef HAL_RIG_CONTEXT_H
#define HAL_RIG_CONTEXT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "hal/backend.h"
#include "hal/motion_thread.h"

struct rig_context {
	const struct backend *backend;
	void *hardware; /* what backend->open() returned */
	struct motion_thread *motion_thread;

	atomic_bool estopped;
	atomic_uint stops; /* how many stops there have been: each ends all operations */

	/* Guards what device states show: busy, target, level, settings.  Held for a few
	 * instructions and for setting lines, never while waiting or calling out. */
	pthread_mutex_t lock;
	bool awake; /* lock: motors have current and lights may be on (rig_power.c) */

	void (*changed)(void *context, enum device_kind kind, const char *name);
	void *context;
};

void rig_context_init(struct rig_context *ctx, const struct rig_options *options);
void rig_context_destroy(struct rig_context *ctx);

/* Calls the change callback; not while holding the lock. */
void rig_context_notify(struct rig_context *ctx, enum device_kind kind, const char *name);

/* 0, or -EPERM and "estopped" while the emergency stop is on. */
int rig_context_permit(const struct rig_context *ctx, struct err *err);

#endif
