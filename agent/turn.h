/* The agent's decisions: a function from (state, events, now) to (state, effects).
 *
 * Everything that happens enters as an event, time is passed in, what is to be done
 * leaves as a list after the commit.  Nothing here reads a clock, a socket or a random
 * number; so the same code runs in the agent's loop and under a simulated one.
 *
 * core.c is the turn; devices.c the rig's devices; life.h what happens to tasks; link.c
 * what happens on the connection; discovery.h what Home Assistant is told; answer.h how
 * commands are received and answered; commands/ has one file a noun; notices.h what is
 * told from memory. */
#ifndef AGENT_TURN_H
#define AGENT_TURN_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/commands/pending.h"
#include "agent/outbox/telemetry.h"
#include "agent/model/effect.h"
#include "agent/model/event.h"
#include "agent/outbox/outbox.h"
#include "agent/core/scheduler.h"
#include "agent/store/store.h"
#include "hal/rig.h"
#include "mqtt/topic.h"
#include "tasks/registry.h"

#define CORE_TURN_EVENTS 64
#define CORE_DEVICES_MAX 64
#define CORE_VERBS_MAX 64
#define CORE_CLEARED_MAX 16

struct now {
	int64_t ms;   /* monotonic */
	int64_t wall; /* for people */
};

/* Acts that stop something.  They leave at once, before any commit. */
struct reflexes {
	void *context;
	void (*pause_run)(void *context, uint64_t run);
	void (*stop_run)(void *context, uint64_t run, bool estopped);
	void (*stop_motion)(void *context);
	void (*estop)(void *context);
};

/* Settings that act at once. */
struct tunables {
	int max_concurrent;
	int64_t max_pause_ms, kill_after_ms, reply_spread_ms;
	int64_t keep_tasks, keep_ms;
	bool group_motion;
};

/* The settings, which stand outside the core; on the loop's thread. */
struct settings_access {
	void *context;
	cJSON *(*values)(
		void *context); /* a tree, secrets masked; the caller deletes it */
	cJSON *(*restart_needed)(void *context); /* keys; the caller deletes it */
	cJSON *(*problems)(void *context);	 /* sentences; the caller deletes it */
	/* Changes settings durably, all or none, and tells what acts at once. */
	int (*set)(void *context, const cJSON *changes, struct tunables *tunables,
		   struct err *err);
	/* The device config, read anew; the caller deletes it.  And: the rig has it now.
	 * NULL where the rig cannot be exchanged. */
	int (*read_config)(void *context, cJSON **config, struct err *err);
	void (*use_config)(void *context);
};

struct core_device {
	enum device_kind kind;
	const char *name;
};

struct core_options {
	const char *root, *device, *state_dir;
	struct registry *registry;
	bool looks_for_types;  /* agent/sync asks a worker to look for types of others */
	bool joins_by_code;    /* without a network it looks for a Wi-Fi code by itself */
	const char *isolation; /* of their processes, for info; NULL: there are none */
	/* Of the files that were looked at before, an array. */
	const cJSON *type_problems;
	const struct core_device
		*devices; /* of the rig at the start; at most CORE_DEVICES_MAX */
	size_t device_count;
	const char *backend;   /* of the rig, for info */
	const char *boot;      /* 16 random hex digits of this start */
	const char *new_store; /* the same, used when the database is new */
	uint64_t seed;	       /* of the delays that spread a fleet's replies */
	int blocking_threads;
	struct tunables tunables;
	const cJSON *groups;	  /* array of strings */
	const char *birth_prefix; /* Home Assistant's, "homeassistant" */
	bool discovery;		  /* Home Assistant is told of us */
	struct settings_access settings;
	const cJSON *problems; /* of start-up, an array of strings */
	struct reserve reserve;
	struct reflexes reflexes;
};

enum link_phase {
	LINK_DOWN,
	LINK_SUBSCRIBING, /* connected; what comes in has waited for us */
	LINK_BARRIER,	  /* the barrier is on its way */
	LINK_READY,	  /* what comes in is fresh */
};

struct link {
	enum link_phase phase;
	uint32_t epoch;
	unsigned window;
	int version;
	bool session_present;
	uint64_t subscribe_token;
	int64_t barrier_number; /* what the barrier's payload says */
	int64_t barrier_at;	/* monotonic; when it was sent last */
	int64_t published_at;	/* monotonic; when all retained topics were marked unsent;
				   0: never */
	bool publish_due;	/* they are to be marked again when a minute has passed */
	int64_t sweep_at;	/* monotonic; -1: no sweep is due */
	bool sweeping;
	int64_t back_off_ms; /* for a rival: as soon as it has been told; 0: no */
	bool info_known;     /* our info was on the broker during this boot */
	int64_t reconnects;
};

/* What a verb's arguments are checked with. */
struct verb_schema {
	const struct verb *verb; /* NULL: the end */
	struct schema *schema;
};

struct core {
	struct core_options options;
	struct store *store;
	struct scheduler scheduler;
	struct outbox *outbox;
	struct board *board;
	struct link link;
	struct verb_schema verb_schemas[CORE_VERBS_MAX + 1];
	/* The core's copy, a bit each in claims. */
	struct core_device devices[CORE_DEVICES_MAX];
	size_t device_count;
	char backend[32];
	struct act *acts;	 /* direct commands under way */
	struct effects *effects; /* what is done after the commit */
	struct effects after;	 /* holds them until it succeeds */
	struct effects *at_once; /* what needs no commit */
	struct effects heard;	 /* receiving threads: released at the end of the turn */
	bool held;	  /* the disk is full: nothing is told until a commit succeeds */
	bool low;	  /* told: only what must not be lost is taken */
	int64_t retry_at; /* monotonic; when it is tried again */
	bool stop_acted;  /* this event stopped hardware, which waits for no commit */
	struct now now;
	char store_name[17];
	int64_t age_before, started; /* age = age_before + now - started */
	int64_t age_saved;
	int64_t next_task, next_arrival, next_act;
	uint64_t next_run, next_token, next_start;
	bool person_paused, estop, draining, drained, stopping;
	int64_t stop_asked;
	int64_t ended_count;
	uint64_t random;
	bool queue_changed, current_changed;
	int64_t minute_at, prune_at;
	int64_t refused[64]; /* refusals by number of their code, for health */
	char cleared[CORE_CLEARED_MAX]
		    [TOPIC_MAX]; /* 3.1.1: clearings of ours that will come back to us */
	unsigned cleared_next;
	char *health; /* what the process told of itself last */
	int64_t settings_rev;
	int64_t info_since;
	int64_t birth_at; /* monotonic; when Home Assistant is told again; -1: not */
	cJSON *forgotten; /* devices that are gone ("light/lamp"), for Home Assistant */
	cJSON *problems;  /* sentences for info, besides those of the start */
	cJSON *type_problems; /* and those about files of task types */
	unsigned catalog;     /* the number of the newest that is known */
};

/* Opens the database, restores what it holds and makes the first effects.  effects are
 * the caller's. */
int core_open(struct core **out, const struct core_options *options, struct now now,
	      struct effects *effects, struct err *err);
void core_close(struct core *core); /* NULL is fine */

/* One turn: handles the events (a list; stays the caller's), commits, adds the effects.
 * A full disk is not an error: the turn is held, nothing of it is told, and a later turn
 * commits it.  A negative errno means that the database cannot be trusted any more: the
 * process must end without acknowledging (exit 75). */
int core_turn(struct core *core, struct event *events, struct now now,
	      struct effects *effects, struct err *err);

/* When the core wants a turn without an event: monotonic ms, -1 for never. */
int64_t core_wake(const struct core *core);

/* ---- for the files of the core ---- */

/* Seconds that the agent ran in its life, in milliseconds: what ages are measured with.
 */
int64_t core_age(const struct core *core);
uint64_t core_random(struct core *core);

/* Something a person should know: said in the log and in info. */
void core_problem(struct core *core, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* An event on R/<d>/event; data is a new object that is taken over, or NULL. */
void core_happened(struct core *core, const char *name, const char *id, cJSON *data);

/* ---- devices.c ---- */

/* The devices a uses-list or a kind and name stand for, one bit each. */
uint64_t core_devices(const struct core *core, const char *const *uses);
uint64_t core_device(const struct core *core, enum device_kind kind, const char *name);
#define CORE_ALL_DEVICES UINT64_MAX

/* Copies those of the options, and clears the topics of those that were there at the last
 * start and are no more. */
void devices_open(struct core *core);
void devices_close(struct core *core);

/* The rig was exchanged for one like this: {"backend", "problems": [sentences],
 * "devices": [{"kind","name"}]}. */
void devices_exchanged(struct core *core, const cJSON *rig);

/* Is it being exchanged? */
bool devices_away(const struct core *core);

/* Marks the effect so that it is dropped when the link has changed meanwhile. */
struct effect *core_publish(struct core *core, const char *topic, const char *payload,
			    int qos, bool retain);

/* ---- types.c ---- */

/* EVENT_TYPES: types come and go. */
void types_event(struct core *core, const struct event *event);

/* What the last look at the community folder found, for the reply to who asked for it. */
cJSON *types_found(const struct core *core);

/* Gives a task that waits the type and the devices that its type's name stands for now;
 * true when that is another one.  The type is NULL when there is none any more. */
bool types_bind(struct core *core, struct task *task);

/* Lets go of types that are gone and that no task uses any more. */
void types_sweep(struct core *core);

/* ---- link.c ---- */
void link_event(struct core *core, const struct event *event);
bool link_message(struct core *core, const struct event *event,
		  const struct topic *topic);
void link_tick(struct core *core);
int64_t link_wake(const struct core *core);

/* Leaves the broker to a rival, behind what this turn tells. */
void link_back_off(struct core *core);

/* ---- receive.c, acts.c ---- */
void receive_message(struct core *core, const struct event *event,
		     const struct topic *topic);
void acts_done(struct core *core, const struct event *event);
void acts_give_up(struct core *core);	  /* those that have not begun */
void acts_interrupted(struct core *core); /* those of a former life are answered */

#endif
