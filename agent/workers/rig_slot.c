/* Opens, swaps and closes the rig, with a lock for calls from other threads. */
#include "agent/workers/rig_slot.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/model/limits.h"

struct rig_slot {
	struct rig_options options;
	struct task_services *services;
	cJSON *config;	       /* of the rig; for rig_slot_swap() alone */
	pthread_rwlock_t lock; /* of rig: held for reading while it is used */
	struct rig *rig;       /* NULL during a swap */
	atomic_bool estopped;  /* applies to the next rig as well */
};

/* ---- opening ---- */

/* The core has one bit per device. */
static int open_rig(const struct rig_slot *slot, const cJSON *config, struct rig **rig,
		    struct err *err)
{
	size_t count = 0;
	int ret = rig_open(rig, config, &slot->options, err);

	if (ret < 0)
		return ret;
	for (enum device_kind kind = 0; kind < DEVICE_KINDS; kind++)
		count += rig_count(*rig, kind);
	if (count <= RIG_DEVICES_MAX)
		return 0;
	rig_close(*rig);
	*rig = NULL;
	return err_code(err, -ENOSPC, "invalid_args",
			"the device config has more than %d devices", RIG_DEVICES_MAX);
}

int rig_slot_open(struct rig_slot **out, cJSON *config, const struct rig_options *options,
		  struct task_services *services, struct err *err)
{
	struct rig_slot *slot = calloc(1, sizeof(*slot));
	int ret;

	if (!slot) {
		cJSON_Delete(config);
		return err_set(err, -ENOMEM, "out of memory");
	}
	slot->options = *options;
	slot->services = services;
	slot->config = config;
	pthread_rwlock_init(&slot->lock, NULL);
	ret = open_rig(slot, config, &slot->rig, err);
	if (ret < 0) {
		rig_slot_close(slot);
		return ret;
	}
	services->rig = slot->rig;
	*out = slot;
	return 0;
}

void rig_slot_close(struct rig_slot *slot)
{
	if (!slot)
		return;
	rig_close(slot->rig);
	pthread_rwlock_destroy(&slot->lock);
	cJSON_Delete(slot->config);
	free(slot);
}

/* ---- swapping ---- */

static struct rig *take_out(struct rig_slot *slot)
{
	struct rig *rig;

	pthread_rwlock_wrlock(&slot->lock);
	rig = slot->rig;
	slot->rig = NULL;
	pthread_rwlock_unlock(&slot->lock);
	return rig;
}

/* An emergency stop of the old rig, or during the swap, must stop the new rig as well. */
static void put_in(struct rig_slot *slot, struct rig *rig)
{
	slot->services->rig = rig;
	pthread_rwlock_wrlock(&slot->lock);
	slot->rig = rig;
	pthread_rwlock_unlock(&slot->lock);
	if (atomic_load(&slot->estopped))
		rig_estop(rig);
}

static struct rig *reopen(const struct rig_slot *slot)
{
	struct rig *rig = NULL;
	struct err err;

	if (open_rig(slot, slot->config, &rig, &err) == 0)
		return rig;
	/* Everything is off and there is no rig: the supervisor starts the agent again.
	 */
	log_error("the rig cannot be opened again, the agent ends: %s", err.text);
	_exit(EXIT_FAILURE);
}

/* Opens the config without touching a device; its first problem is the error. */
static int check_config(const struct rig_slot *slot, const cJSON *config, struct err *err)
{
	struct rig_options options = slot->options;
	struct rig *rig;
	const cJSON *problem;
	int ret;

	options.dry = true;
	ret = rig_open(&rig, config, &options, err);
	if (ret < 0)
		return ret;
	problem = cJSON_GetArrayItem(rig_problems(rig), 0);
	if (problem)
		ret = err_code(err, -EINVAL, "invalid_args", "%s", problem->valuestring);
	rig_close(rig);
	return ret;
}

int rig_slot_swap(struct rig_slot *slot, const cJSON *config, struct err *err)
{
	struct rig *rig;
	int ret = check_config(slot, config, err);

	if (ret < 0)
		return ret;
	if (!rig_at_rest(slot->rig))
		return err_code(err, -EBUSY, "device_busy", "the rig is not at rest");
	rig_close(take_out(slot));
	ret = open_rig(slot, config, &rig, err);
	if (ret < 0) {
		rig = reopen(slot);
	} else {
		cJSON_Delete(slot->config);
		slot->config = cJSON_Duplicate(config, true);
	}
	put_in(slot, rig);
	rig_slot_notify_all(slot);
	return ret;
}

/* ---- states ---- */

cJSON *rig_slot_describe(const struct rig_slot *slot)
{
	const struct rig *rig = slot->rig;
	cJSON *text = cJSON_CreateObject();
	cJSON *devices;

	cJSON_AddStringToObject(text, "backend", rig_backend(rig));
	cJSON_AddItemToObject(text, "problems", cJSON_Duplicate(rig_problems(rig), true));
	devices = cJSON_AddArrayToObject(text, "devices");
	for (enum device_kind kind = 0; kind < DEVICE_KINDS; kind++) {
		for (size_t i = 0; i < rig_count(rig, kind); i++) {
			cJSON *device = cJSON_CreateObject();

			cJSON_AddStringToObject(device, "kind", device_kind_name(kind));
			cJSON_AddStringToObject(device, "name", rig_name(rig, kind, i));
			cJSON_AddItemToArray(devices, device);
		}
	}
	return text;
}

void rig_slot_notify_all(const struct rig_slot *slot)
{
	for (enum device_kind kind = 0; kind < DEVICE_KINDS; kind++)
		for (size_t i = 0; i < rig_count(slot->rig, kind); i++)
			slot->options.changed(slot->options.context, kind,
					      rig_name(slot->rig, kind, i));
}

static cJSON *state_of(struct rig *rig, const char *device)
{
	const char *slash = strchr(device, '/');
	size_t length = slash ? (size_t)(slash - device) : 0;

	for (enum device_kind kind = 0; slash && kind < DEVICE_KINDS; kind++) {
		const char *name = device_kind_name(kind);

		if (strlen(name) != length || strncmp(name, device, length) != 0)
			continue;
		for (size_t i = 0; i < rig_count(rig, kind); i++)
			if (!strcmp(rig_name(rig, kind, i), slash + 1))
				return rig_state(rig, kind, i);
	}
	return NULL;
}

cJSON *rig_slot_state(struct rig_slot *slot, const char *device)
{
	cJSON *state;

	pthread_rwlock_rdlock(&slot->lock);
	state = slot->rig ? state_of(slot->rig, device) : NULL;
	pthread_rwlock_unlock(&slot->lock);
	return state;
}

/* ---- stopping ---- */

void rig_slot_stop_motion(struct rig_slot *slot)
{
	pthread_rwlock_rdlock(&slot->lock);
	if (slot->rig)
		rig_stop_motion(slot->rig);
	pthread_rwlock_unlock(&slot->lock);
}

void rig_slot_estop(struct rig_slot *slot)
{
	atomic_store(&slot->estopped, true);
	pthread_rwlock_rdlock(&slot->lock);
	if (slot->rig)
		rig_estop(slot->rig);
	pthread_rwlock_unlock(&slot->lock);
}

void rig_slot_release_estop(struct rig_slot *slot)
{
	atomic_store(&slot->estopped, false);
	pthread_rwlock_rdlock(&slot->lock);
	if (slot->rig)
		rig_release_estop(slot->rig);
	pthread_rwlock_unlock(&slot->lock);
}
