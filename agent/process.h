/* The parts of the running agent, for the files that make it: agent.c opens, stops and
 * closes; loop.c turns; ears.c takes in what other threads say; options.c is the command
 * line. */
#ifndef AGENT_PROCESS_H
#define AGENT_PROCESS_H

#include <pthread.h>
#include <stdatomic.h>

#include "agent/turn.h"
#include "agent/metrics.h"
#include "agent/store/disk_reserve.h"
#include "agent/workers/rig_slot.h"
#include "agent/workers/workers.h"
#include "mqtt/connection.h"
#include "mqtt/topic.h"
#include "settings/settings.h"
#include "tasks/community/community.h"
#include "tasks/project/project.h"

#define DEVICE_TOPIC_MAX 80 /* "endstop/" and a name */

/* Devices whose change the loop has not taken yet: one event waits for each. */
struct news {
	pthread_mutex_t lock;
	char waiting[RIG_DEVICES_MAX][DEVICE_TOPIC_MAX];
	size_t count;
};

struct agent {
	struct settings *settings;
	/* copies: those of the settings change with them */
	char root[TOPIC_MAX], device[NAME_MAX_LENGTH + 1], birth_prefix[TOPIC_MAX];
	char state_dir[4096];
	cJSON *groups, *problems, *export_roots, *cloud;
	struct registry *registry;
	struct community *community;
	cJSON *type_problems;		      /* of the start */
	const struct type_offer *extra_types; /* of a test's agent, or NULL */
	struct seat *seat;
	struct projects *projects;
	struct task_services services;
	struct mailbox *mailbox;
	struct workers *workers;
	struct core *core;
	struct connection *connection;
	struct news news;
	char boot[17], store[17];
	struct machine machine;
	struct reserve_file reserve;
	int64_t health_at;
	int signals;
	bool stopped;	   /* all is at rest */
	bool offline_sent; /* the broker has it */
	uint64_t offline_token;
	uint32_t epoch;		 /* of the connection, 0 while it is down */
	atomic_int mqtt_version; /* of the newest connection */
};

/* ---- agent.c ---- */

/* Opens everything, runs until a signal, stops in order; returns the exit code. */
int agent_serve(struct agent *agent, const struct type_offer *extra);

/* ---- loop.c ---- */

struct core_time loop_now(void);

/* Does what the core wants done, and empties the list. */
void loop_carry_out(struct agent *agent, struct effects *effects);

/* Turns until done() says so or the time (monotonic ms, -1: none) has come. */
void loop_run_until(struct agent *agent, bool (*done)(const struct agent *agent),
		    int64_t until);

/* ---- ears.c ---- */

extern const struct stop_ops callbacks_stop_ops; /* their context is the agent */
extern const struct connection_callbacks callbacks_callbacks; /* so is theirs */

/* On whatever thread changed the device. */
void callbacks_device_changed(void *context, enum device_kind kind, const char *name);

/* The loop has taken the event of a device ("motor/rotor") and reads its state now. */
void callbacks_device_taken(struct agent *agent, const char *device);

/* A new event of that kind; ends the process when memory is out. */
struct event *callbacks_event(enum event_kind kind, uint32_t epoch);

#endif
