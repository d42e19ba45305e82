/* Pending commands: those that a worker carries out (motor/move, camera/capture,
 * project/delete), and the dry runs of task types.
 *
 * A pending command holds its devices as a task does; its reply is sent when it is done.
 * One that changes something has a row in the database, so that a command that was
 * interrupted by a crash is answered after the restart. */
#ifndef AGENT_COMMANDS_PENDING_H
#define AGENT_COMMANDS_PENDING_H

#include "agent/commands/response.h"

struct pending {
	uint64_t run;
	int64_t number; /* of its row; 0: not stored */
	const struct verb *verb;
	char id[NAME_MAX_LENGTH + 1];
	char request[NAME_MAX_LENGTH + 1];
	char hash[SHA256_HEX];
	char topic[TOPIC_MAX]; /* of the reply */
	void *correlation;
	size_t correlation_size;
	uint64_t claim;		  /* devices, one bit each */
	char *body;		  /* NULL once a worker has it */
	int packet;		  /* MQTT's id of the message; 0: none */
	char message[SHA256_HEX]; /* hash of the message */
	struct pending *next;
};

/* Leaves the command to a worker, which starts after the commit and holds devices until
 * the end; the end makes the reply.  Refused with device_busy when a device is held (a
 * queueable command waits for others of its kind), and with queue_full when too many
 * commands are pending. */
void pending_start(struct core *core, struct response *response, uint64_t devices);

/* The same for the estimate of a task type (dry_run); args is copied. */
void pending_estimate(struct core *core, struct response *response,
		      const struct registered_type *type, const char *args);

/* If a command of the same request is pending, answers for it and returns true. */
bool pending_answers(struct core *core, struct response *response);

/* EVENT_COMMAND_DONE: sends the reply and starts the commands that waited. */
void pending_done(struct core *core, const struct event *event);

/* An emergency stop refuses the commands that wait for their devices. */
void pending_refuse_queued(struct core *core);

/* At the start: answers the commands that were pending when the agent ended. */
void pending_report_interrupted(struct core *core);

void pending_close(struct core *core);

#endif
