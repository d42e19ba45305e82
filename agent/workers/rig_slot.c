#include "agent/workers/rig_slot.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/model/limits.h"

struct seat {
	struct rig_options options;
	struct task_services *services;
	cJSON *config;	       /* of the rig; touched by who exchanges it only */
	pthread_rwlock_t lock; /* of rig: held for reading while it is used */
	struct rig *rig;       /* NULL while it is exchanged */
	atomic_bool estopped;  /* also for the rig that comes next */
};

/* ---- opening ---- */

/* The core has a bit for each device. */
static int open_rig(const struct seat *seat, const cJSON *config, struct rig **rig,
		    struct err *err)
{
	size_t count = 0;
	int ret = rig_open(rig, config, &seat->options, err);

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

int seat_open(struct seat **out, cJSON *config, const struct rig_options *options,
	      struct task_services *services, struct err *err)
{
	struct seat *seat = calloc(1, sizeof(*seat));
	int ret;

	if (!seat) {
		cJSON_Delete(config);
		return err_set(err, -ENOMEM, "out of memory");
	}
	seat->options = *options;
	seat->services = services;
	seat->config = config;
	pthread_rwlock_init(&seat->lock, NULL);
	ret = open_rig(seat, config, &seat->rig, err);
	if (ret < 0) {
		seat_close(seat);
		return ret;
	}
	services->rig = seat->rig;
	*out = seat;
	return 0;
}

void seat_close(struct seat *seat)
{
	if (!seat)
		return;
	rig_close(seat->rig);
	pthread_rwlock_destroy(&seat->lock);
	cJSON_Delete(seat->config);
	free(seat);
}

/* ---- exchanging ---- */

static struct rig *take_out(struct seat *seat)
{
	struct rig *rig;

	pthread_rwlock_wrlock(&seat->lock);
	rig = seat->rig;
	seat->rig = NULL;
	pthread_rwlock_unlock(&seat->lock);
	return rig;
}

/* An emergency stop that came in between found no rig, and that of the old one is not
 * known to the new one. */
static void put_in(struct seat *seat, struct rig *rig)
{
	seat->services->rig = rig;
	pthread_rwlock_wrlock(&seat->lock);
	seat->rig = rig;
	pthread_rwlock_unlock(&seat->lock);
	if (atomic_load(&seat->estopped))
		rig_estop(rig);
}

static struct rig *reopen(const struct seat *seat)
{
	struct rig *rig = NULL;
	struct err err;

	if (open_rig(seat, seat->config, &rig, &err) == 0)
		return rig;
	/* All is off, and nobody can answer for it: the supervisor tries again. */
	log_error("the rig cannot be opened again, the agent ends: %s", err.text);
	_exit(EXIT_FAILURE);
}

/* Is there nothing wrong in config? */
static int judge(const struct seat *seat, const cJSON *config, struct err *err)
{
	struct rig_options options = seat->options;
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

int seat_exchange(struct seat *seat, const cJSON *config, struct err *err)
{
	struct rig *rig;
	int ret = judge(seat, config, err);

	if (ret < 0)
		return ret;
	if (!rig_at_rest(seat->rig))
		return err_code(err, -EBUSY, "device_busy", "the rig is not at rest");
	rig_close(take_out(seat));
	ret = open_rig(seat, config, &rig, err);
	if (ret < 0) {
		rig = reopen(seat);
	} else {
		cJSON_Delete(seat->config);
		seat->config = cJSON_Duplicate(config, true);
	}
	put_in(seat, rig);
	seat_tell_all(seat);
	return ret;
}

/* ---- asking ---- */

cJSON *seat_describe(const struct seat *seat)
{
	const struct rig *rig = seat->rig;
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

void seat_tell_all(const struct seat *seat)
{
	for (enum device_kind kind = 0; kind < DEVICE_KINDS; kind++)
		for (size_t i = 0; i < rig_count(seat->rig, kind); i++)
			seat->options.changed(seat->options.context, kind,
					      rig_name(seat->rig, kind, i));
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

cJSON *seat_state(struct seat *seat, const char *device)
{
	cJSON *state;

	pthread_rwlock_rdlock(&seat->lock);
	state = seat->rig ? state_of(seat->rig, device) : NULL;
	pthread_rwlock_unlock(&seat->lock);
	return state;
}

/* ---- stopping ---- */

void seat_stop_motion(struct seat *seat)
{
	pthread_rwlock_rdlock(&seat->lock);
	if (seat->rig)
		rig_stop_motion(seat->rig);
	pthread_rwlock_unlock(&seat->lock);
}

void seat_estop(struct seat *seat)
{
	atomic_store(&seat->estopped, true);
	pthread_rwlock_rdlock(&seat->lock);
	if (seat->rig)
		rig_estop(seat->rig);
	pthread_rwlock_unlock(&seat->lock);
}

void seat_release_estop(struct seat *seat)
{
	atomic_store(&seat->estopped, false);
	pthread_rwlock_rdlock(&seat->lock);
	if (seat->rig)
		rig_release_estop(seat->rig);
	pthread_rwlock_unlock(&seat->lock);
}
