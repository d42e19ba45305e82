/* A command: what one message asks for, parsed and checked as far as its form goes. */
#ifndef AGENT_COMMANDS_COMMAND_H
#define AGENT_COMMANDS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/json.h"
#include "agent/model/verb.h"
#include "mqtt/topic.h"

struct command {
	struct topic topic;
	/* The verb as it was sent, "task/create"; its row, NULL when there is none. */
	char name[VERB_NAME_SIZE];
	const struct verb *verb;
	char id[NAME_MAX_LENGTH + 1];	   /* "" without one */
	char request[NAME_MAX_LENGTH + 1]; /* "" without one */
	char reply_to[TOPIC_MAX];	   /* Response Topic, else reply_to, else "" */
	uint8_t *correlation;		   /* NULL without one; owned */
	size_t correlation_size;
	int64_t if_rev; /* -1 without one */
	bool current;	/* the short form that means the current task */
	bool empty;	/* the payload was empty */
	cJSON *body;	/* an object, the short form expanded; owned */
	/* Of the verb and the body, as section 6 of the contract says. */
	char hash[SHA256_HEX];
};

#endif
