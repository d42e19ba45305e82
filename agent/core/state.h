/* The state of the core, and the small helpers that every file above it uses.
 *
 * All of it belongs to the loop's thread.  The direct commands under way and the schemas
 * of the verbs are agent/commands/'s; here they are names only. */
#ifndef AGENT_CORE_STATE_H
#define AGENT_CORE_STATE_H

#include "agent/core/options.h"
#include "agent/core/scheduler.h"
#include "agent/model/effect.h"
#include "agent/model/event.h"
#include "agent/model/limits.h"
#include "agent/outbox/outbox.h"
#include "agent/outbox/telemetry.h"
#include "agent/store/store.h"
#include "mqtt/topic.h"
#include "tasks/registry.h"

struct pending;
struct verb_schema;

#define CORE_CLEARED_MAX 16
#define CORE_ALL_DEVICES UINT64_MAX

enum session_phase {
	SESSION_DOWN,
	SESSION_SUBSCRIBING, /* connected; what comes in has waited for us */
	SESSION_BARRIER,     /* the barrier is on its way */
	SESSION_READY,	     /* what comes in is fresh */
};

struct session {
	enum session_phase phase;
	uint32_t epoch;
	unsigned window;
	int version;
	bool session_present;
	uint64_t subscribe_token;
	int64_t barrier_number; /* what the barrier's payload says */
	int64_t barrier_at;	/* monotonic; when it was sent last */
	/* Monotonic; when all retained topics were marked unsent; 0: never. */
	int64_t published_at;
	bool publish_due; /* they are to be marked again when a minute has passed */
	int64_t sweep_at; /* monotonic; -1: no sweep is due */
	bool sweeping;
	int64_t back_off_ms; /* for a rival: as soon as it has been told; 0: no */
	bool info_known;     /* our info was on the broker during this boot */
	int64_t reconnects;
};

struct core {
	struct core_options options;
	struct store *store;
	struct scheduler scheduler;
	struct outbox *outbox;
	struct telemetry *telemetry;
	struct session session;
	struct verb_schema *verb_schemas; /* agent/commands/dispatch.c's */
	/* The core's copy, a bit each in claims. */
	struct core_device devices[RIG_DEVICES_MAX];
	size_t device_count;
	char backend[32];
	struct pending *pending;   /* direct commands under way */
	struct effects *effects;   /* what is done after the commit */
	struct effects after;	   /* holds them until it succeeds */
	struct effects *immediate; /* what needs no commit */
	struct effects acks;	   /* release receiving threads: at the end of the turn */
	bool commit_blocked;   /* the disk is full: nothing is published until a commit
				  succeeds */
	bool disk_low;	       /* published: only what must not be lost is accepted */
	int64_t retry_at;      /* monotonic; when it is tried again */
	bool hardware_stopped; /* by this event, which then waits for no commit */
	struct core_time now;
	char store_name[17];
	int64_t age_before, started; /* age = age_before + now - started */
	int64_t age_saved;
	int64_t next_task, next_arrival, next_pending;
	uint64_t next_run, next_token, next_start;
	bool person_paused, estop, draining, drained, stopping;
	int64_t stop_asked;
	int64_t ended_count;
	uint64_t random;
	bool queue_changed, current_changed;
	int64_t minute_at, prune_at;
	int64_t refused[64]; /* refusals by number of their code, for health */
	/* 3.1.1: clearings of ours that will come back to us. */
	char cleared[CORE_CLEARED_MAX][TOPIC_MAX];
	unsigned cleared_next;
	char *health; /* what the process told of itself last */
	int64_t settings_rev;
	int64_t info_since;
	int64_t birth_at; /* monotonic; when Home Assistant is told again; -1: not */
	cJSON *removed_devices; /* devices that are gone ("light/lamp"), for Home
				   Assistant */
	cJSON *problems;	/* sentences for info, besides those of the start */
	cJSON *type_problems;	/* and those about files of task types */
	unsigned catalog;	/* the number of the newest that is known */
};

/* Seconds that the agent ran in its life, in milliseconds: what ages are measured with.
 */
int64_t core_age(const struct core *core);
uint64_t core_random(struct core *core);

/* Something a person should know: said in the log and in info. */
void core_problem(struct core *core, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* An event on R/<d>/event; data is a new object that is taken over, or NULL. */
void core_emit_event(struct core *core, const char *name, const char *id, cJSON *data);

/* Marks the effect so that it is dropped when the link has changed meanwhile. */
struct effect *core_publish(struct core *core, const char *topic, const char *payload,
			    int qos, bool retain);

/* The live task of that id, or an ended one read from the store: that is put into *ended
 * too, and the caller frees it.  NULL when there is none. */
struct task *core_find_task(struct core *core, const char *id, struct task **ended);

/* The document of contract section 4; whole: with arguments and results of any size. */
cJSON *core_task_document(struct core *core, const struct task *task, bool whole);

/* The devices a uses-list or a kind and name stand for, one bit each. */
uint64_t core_devices(const struct core *core, const char *const *uses);
uint64_t core_device(const struct core *core, enum device_kind kind, const char *name);

/* Is the rig being exchanged? */
bool core_rig_is_away(const struct core *core);

#endif
