#include "hal/rig_context.h"

#include <errno.h>

void chassis_init(struct chassis *chassis, const struct rig_options *options)
{
	atomic_init(&chassis->estopped, false);
	atomic_init(&chassis->stops, 0);
	pthread_mutex_init(&chassis->lock, NULL);
	chassis->changed = options->changed;
	chassis->context = options->context;
}

void chassis_destroy(struct chassis *chassis)
{
	pthread_mutex_destroy(&chassis->lock);
}

void chassis_changed(struct chassis *chassis, enum device_kind kind, const char *name)
{
	if (chassis->changed)
		chassis->changed(chassis->context, kind, name);
}

int chassis_permit(const struct chassis *chassis, struct err *err)
{
	if (!atomic_load(&chassis->estopped))
		return 0;
	return err_code(err, -EPERM, "estopped",
			"the emergency stop is on: send queue/resume to lift it");
}

int chassis_begin(struct chassis *chassis, struct cancel *cancel,
		  struct chassis_leash *leash, struct err *err)
{
	/* First the count, then the latch: a stop in between is seen by chassis_wanted().
	 */
	leash->cancel = cancel;
	leash->stops = atomic_load(&chassis->stops);
	return chassis_permit(chassis, err);
}

int chassis_wanted(const struct chassis *chassis, const struct chassis_leash *leash)
{
	if (atomic_load_explicit(&chassis->stops, memory_order_relaxed) != leash->stops)
		return -ECANCELED;
	return cancel_requested(leash->cancel) ? -EINTR : 0;
}

int chassis_wait(struct chassis *chassis, int64_t due_ns,
		 const struct chassis_leash *leash)
{
	int64_t now;
	int ret;

	do {
		now = chassis->backend->wait_until(chassis->hardware, due_ns,
						   leash->cancel);
		ret = chassis_wanted(chassis, leash);
		if (ret < 0)
			return ret;
	} while (now < due_ns);
	return 0;
}

int chassis_explain(const struct chassis *chassis, int ret, struct err *err,
		    const char *act, const char *name)
{
	if (ret == -EINTR)
		return err_code(err, ret, "interrupted", "%s %s was interrupted", act,
				name);
	if (atomic_load(&chassis->estopped))
		return err_code(err, ret, "estopped",
				"%s %s was ended by the emergency stop", act, name);
	return err_code(err, ret, "cancelled", "%s %s was stopped", act, name);
}
