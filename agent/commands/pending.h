/* An act: a direct command (motor/move, camera/capture, project/delete) that takes time.
 *
 * It runs on a worker thread and holds its devices as a task does; its reply comes when
 * it is done. */
#ifndef AGENT_COMMANDS_PENDING_H
#define AGENT_COMMANDS_PENDING_H

#include "agent/commands/response.h"

struct act {
	uint64_t run;
	int64_t number; /* its row; 0: not stored */
	const struct verb *verb;
	char id[NAME_MAX_LENGTH + 1];
	char request[NAME_MAX_LENGTH + 1];
	char hash[SHA256_HEX];
	char topic[TOPIC_MAX]; /* where the reply goes */
	void *correlation;
	size_t correlation_size;
	uint64_t claim;	  /* devices, one bit each */
	char *body;	  /* of one that waits for its devices; NULL: it runs */
	bool remember;	  /* its request is remembered when it was ok */
	int64_t delay_ms; /* of its reply, in a fleet */
	int packet;	  /* of the message that asked for it; 0: none */
	char message[SHA256_HEX];
	struct act *next;
};

/* Starts an act with these devices: after the commit it runs on a worker, and its end is
 * the response.  Refused with device_busy when a device is held (a brief one waits for
 * brief ones), and with queue_full when too many are under way. */
void answer_act(struct core *core, struct response *response, uint64_t devices);

/* The same for the estimate of a task type (dry_run); args is copied. */
void answer_estimate(struct core *core, struct response *response,
		     const struct registered_type *type, const char *args);

/* device_busy: there is no rig while it is exchanged, see devices_away(). */
void response_rig_away(struct response *response);

/* Is an act of the same request under way?  Then answers that. */
bool acts_answer_running(struct core *core, struct response *response);

void acts_done(struct core *core, const struct event *event);
void acts_give_up(struct core *core);	  /* those that have not begun */
void acts_interrupted(struct core *core); /* those of a former life are answered */
void acts_close(struct core *core);

#endif
