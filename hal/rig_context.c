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
