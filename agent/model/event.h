/* An event on its way to the loop: the only way into the core.
 *
 * The mailbox carries it.  An event owns its strings; the loop frees it after the turn.
 */
#ifndef AGENT_MODEL_EVENT_H
#define AGENT_MODEL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_kind {
	/* from the connection */
	EVENT_MESSAGE,	 /* topic, data, response_topic, correlation, number = packet id;
			    completion */
	EVENT_CONNECTED, /* epoch, number = window, flag = session present, version */
	EVENT_DISCONNECTED, /* epoch, text = why */
	EVENT_SENT,	    /* epoch, token, flag = ok */
	EVENT_SUBSCRIBED,   /* epoch, token, flag = ok */
	/* from a run; run names it */
	EVENT_PROGRESS,	  /* current, total, text */
	EVENT_BEGIN,	  /* completion */
	EVENT_CHECKPOINT, /* text = the state; completion */
	EVENT_LOG,	  /* number = level, text */
	EVENT_EMIT,	  /* topic = name of the event, text = its data */
	EVENT_PARKED,	  /* the run waits at its gate */
	EVENT_FINISHED,	  /* outcome, code, text = sentence, data = the result */
	/* from a pending command; run names it */
	EVENT_COMMAND_DONE, /* flag = ok, code, text = sentence, data = the reply's data
			     */
	/* from the rig */
	EVENT_DEVICE, /* topic = "motor/rotor", data = its state document */
	EVENT_IMAGE,  /* topic = "camera/sim/image", data = a JPEG */
	/* from the process */
	EVENT_HEALTH,  /* data = the figures of agent/metrics.h, a JSON object */
	EVENT_STOP,    /* stop in order */
	EVENT_TYPES,   /* catalog = the types found in the community folder */
	EVENT_OFFLINE, /* there was no network at the start */
};

enum outcome {
	OUTCOME_DONE,	 /* run() returned 0 */
	OUTCOME_STOPPED, /* it returned what its gate had returned */
	OUTCOME_FAILED,	 /* it failed, with or without a sentence */
};

struct catalog;	   /* tasks/community/catalog.h */
struct completion; /* of a thread that waits for the commit */

struct event {
	enum event_kind kind;
	uint32_t epoch;
	uint64_t token;
	uint64_t run;
	int64_t number;
	int version;
	bool flag, retained, duplicate;
	enum outcome outcome;
	double current, total;
	char code[32];
	char *topic, *text;
	char *data; /* size bytes, then a NUL */
	size_t size;
	char *response_topic;
	uint8_t *correlation;
	size_t correlation_size;
	struct catalog *catalog;
	struct completion *completion;
	struct event *next;
};

/* Zeroed.  Without memory for an event the process ends, as in effects_add(). */
struct event *event_new(enum event_kind kind);

/* EVENT_IMAGE with a copy of the JPEG. */
struct event *event_image(const char *camera, const void *jpeg, size_t size);

void event_free(struct event *event); /* NULL is fine; leaves the completion */

/* Copies size bytes to data and adds a NUL. */
int event_set_data(struct event *event, const void *data, size_t size);

#endif
