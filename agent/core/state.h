/* The state of the core, and the small helpers that every file above it uses.
 *
 * All of it belongs to the loop's thread.  The direct commands in progress and the
 * schemas of the verbs belong to agent/commands/; here they are opaque. */
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
	SESSION_SUBSCRIBING, /* connected; messages received are the session's backlog */
	SESSION_BARRIER,     /* the barrier has been sent; still backlog */
	SESSION_READY,	     /* the backlog has been received; messages are fresh */
};

struct session {
	enum session_phase phase;
	uint32_t epoch; /* of the connection */
	unsigned window;
	int version; /* of MQTT: 5, else 3.1.1 */
	bool session_present;
	uint64_t subscribe_token;
	int64_t barrier_number; /* the payload of the barrier */
	int64_t barrier_at;	/* monotonic; when it was sent last */
	/* Monotonic; when all retained topics were last marked unsent; 0: never. */
	int64_t published_at;
	bool publish_due; /* mark them again once a minute has passed */
	int64_t sweep_at; /* monotonic; -1: no sweep is due */
	bool sweeping;
	int64_t back_off_ms; /* a rival was found: disconnect for so long; 0: no rival */
	bool info_known;     /* our info has been published during this boot */
	int64_t reconnects;
};

struct core {
	struct core_options options;
	struct store *store;
	struct outbox *outbox;
	struct telemetry *telemetry;
	struct scheduler scheduler;
	struct session session;
	struct verb_schema *verb_schemas; /* agent/commands/dispatch.c's */
	struct pending *pending;	  /* direct commands in progress */
	char store_name[17];
	uint64_t random;

	/* The rig: the core's copy of its devices; their indices are the bits of claims.
	 */
	struct core_device devices[RIG_DEVICES_MAX];
	size_t device_count;
	char backend[32];

	/* The turn. */
	struct core_time now;
	struct effects *effects;     /* performed after a successful commit */
	struct effects after_commit; /* holds them until then */
	struct effects *immediate;   /* performed at the end of this turn in any case */
	struct effects acks;	     /* release receiving threads after the attempt */
	bool hardware_stopped;	     /* by this event: its sender waits for no commit */

	/* A full disk. */
	bool commit_blocked; /* nothing is published until a commit succeeds */
	bool disk_low;	     /* published; commands that write are refused */
	int64_t retry_at;    /* monotonic; when the next attempt is due */

	/* Time and counters; see core_age(). */
	int64_t age_before, started; /* age = age_before + now - started */
	int64_t next_task, next_arrival, next_pending;
	uint64_t next_run, next_token, next_start;
	int64_t ended_count;
	int64_t minute_at, prune_at; /* monotonic */

	/* What people asked for. */
	bool person_paused, estop, draining, drained, stopping;
	int64_t stop_asked; /* monotonic */

	/* Published documents. */
	bool queue_changed, current_changed;
	int64_t settings_rev;
	int64_t info_since;
	int64_t refused[64]; /* refusals by error code, for health */
	char *health;	     /* the last report of the process */
	int64_t birth_at; /* monotonic; when to publish for Home Assistant; -1: never */
	cJSON *removed_devices; /* "light/lamp", to remove from Home Assistant */
	cJSON *problems;	/* sentences for info, besides those of the start */
	cJSON *type_problems;	/* sentences about files of task types */
	unsigned catalog;	/* the number of the newest one received */

	/* MQTT 3.1.1: our clearings of retained commands, which will come back to us. */
	char cleared[CORE_CLEARED_MAX][TOPIC_MAX];
	unsigned cleared_next;
};

/* Milliseconds that this agent has run since its database was created: the clock for
 * whatever outlives a restart. */
int64_t core_age(const struct core *core);

/* For spreading delays; nothing secret. */
uint64_t core_random(struct core *core);

/* Reports a problem to people: in the log and in info. */
void core_problem(struct core *core, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Publishes an event on R/<d>/event.  data is taken over; NULL: none. */
void core_emit_event(struct core *core, const char *name, const char *id, cJSON *data);

/* Publishes without waiting for the commit.  The message is dropped if the connection
 * changes before it is sent.  Returns the effect, for more of its members. */
struct effect *core_publish(struct core *core, const char *topic, const char *payload,
			    int qos, bool retain);

/* The live task of that id, or an ended one read from the store: that is put into *ended
 * too, and the caller frees it.  NULL when there is none. */
struct task *core_find_task(struct core *core, const char *id, struct task **ended);

/* The document of contract section 4; whole: with arguments and results of any size. */
cJSON *core_task_document(struct core *core, const struct task *task, bool whole);

/* The devices that a type's uses list names, or a kind and a name (NULL: all of the
 * kind); one bit each. */
uint64_t core_devices(const struct core *core, const char *const *uses);
uint64_t core_device(const struct core *core, enum device_kind kind, const char *name);

/* Is the rig being reloaded? */
bool core_rig_is_away(const struct core *core);

#endif
