/* The parts of the running process, for the files that make it.
 *
 *   options.c    reads the command line
 *   process.c    opens, stops and closes everything
 *   loop.c       turns: events into the core, effects out of it
 *   callbacks.c  is what the broker and the rig call on their threads */
#ifndef AGENT_PROCESS_INTERNAL_H
#define AGENT_PROCESS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "agent/metrics.h"
#include "agent/process.h"
#include "agent/store/disk_reserve.h"
#include "agent/turn.h"
#include "agent/workers/rig_slot.h"
#include "agent/workers/workers.h"
#include "mqtt/connection.h"
#include "mqtt/topic.h"
#include "settings/settings.h"
#include "tasks/community/community.h"
#include "tasks/project/project.h"

#define DEVICE_TOPIC_MAX 80 /* "endstop/" and a name */

/* Devices that have changed since the loop read their state.  One event at most is posted
 * for each. */
struct changed_devices {
	pthread_mutex_t lock;
	char topics[RIG_DEVICES_MAX][DEVICE_TOPIC_MAX];
	size_t count;
};

struct process {
	struct settings *settings;
	/* Copies: those of the settings change with them. */
	char root[TOPIC_MAX], device[NAME_MAX_LENGTH + 1], birth_prefix[TOPIC_MAX];
	char state_dir[4096];
	cJSON *groups, *problems, *export_roots, *cloud;
	struct registry *registry;
	struct community *community;
	cJSON *type_problems;		      /* found at the start */
	const struct type_offer *extra_types; /* of a test's agent, or NULL */
	struct rig_slot *rig_slot;
	struct projects *projects;
	struct task_services services;
	struct mailbox *mailbox;
	struct workers *workers;
	struct core *core;
	struct connection *connection;
	struct changed_devices changed;
	char boot[17], store[17];
	struct metrics metrics;
	struct disk_reserve_file reserve;
	int64_t health_at;
	int signals;
	bool stopped;	   /* the core is at rest */
	bool offline_sent; /* the broker has acknowledged it */
	uint64_t offline_token;
	uint32_t epoch;		 /* of the connection, 0 while it is down */
	atomic_int mqtt_version; /* of the newest connection */
};

/* ---- loop.c ---- */

struct core_time loop_now(void);

/* Does what the core wants done, and empties the list. */
void loop_apply_effects(struct process *process, struct effects *effects);

/* Turns until done() returns true or the time (monotonic ms, -1: none) has come. */
void loop_run_until(struct process *process, bool (*done)(const struct process *process),
		    int64_t until);

/* ---- callbacks.c ---- */

/* Both expect the process as their context. */
extern const struct stop_ops callbacks_stop_ops;
extern const struct connection_callbacks callbacks_connection;

/* Called on whatever thread changed the device. */
void callbacks_device_changed(void *context, enum device_kind kind, const char *name);

/* The loop has taken the event of a device ("motor/rotor") and is about to read its
 * state: from now on a change posts a new event. */
void callbacks_device_taken(struct process *process, const char *device);

/* A new event of that kind; ends the process when memory is out. */
struct event *callbacks_event(enum event_kind kind, uint32_t epoch);

#endif
