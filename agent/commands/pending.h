/* An act: a direct command (motor/move, camera/capture, project/delete) that takes time.
 *
 * It runs on a worker thread and holds its devices as a task does; its reply comes when
 * it is done.  This header is the core's side of it; agent/workers/deed.h is what the
 * worker executes. */
#ifndef AGENT_COMMANDS_PENDING_H
#define AGENT_COMMANDS_PENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/json.h"
#include "agent/commands/parse.h"
#include "agent/core/state.h"

struct act {
	uint64_t run;
	int64_t number; /* its row; 0: not stored */
	char verb[2 * NAME_MAX_LENGTH + 2];
	char id[NAME_MAX_LENGTH + 1];
	char request[NAME_MAX_LENGTH + 1];
	char hash[SHA256_HEX];
	char topic[TOPIC_MAX]; /* where the reply goes */
	void *correlation;
	size_t correlation_size;
	uint64_t claim;	  /* devices, one bit each */
	bool brief;	  /* done in a moment, so another brief one may wait for it */
	char *body;	  /* of one that waits for its devices; NULL: it runs */
	bool remember;	  /* its request is remembered when it was ok */
	bool writes;	  /* its reply is a promise, not the answer to a read */
	int64_t delay_ms; /* of its reply, in a fleet */
	int packet;	  /* of the message that asked for it; 0: none */
	char message[SHA256_HEX];
	struct act *next;
};

void acts_done(struct core *core, const struct event *event);
void acts_give_up(struct core *core);	  /* those that have not begun */
void acts_interrupted(struct core *core); /* those of a former life are answered */
void acts_close(struct core *core);

#endif
