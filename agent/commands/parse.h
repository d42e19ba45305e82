/* A command: what one message asks for, parsed and checked as far as its form goes. */
#ifndef AGENT_COMMANDS_PARSE_H
#define AGENT_COMMANDS_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "agent/base/json.h"
#include "agent/model/limits.h"
#include "mqtt/topic.h"

struct command {
	struct topic topic;
	char verb[2 * NAME_MAX_LENGTH + 2]; /* "task/create", "estop" */
	char id[NAME_MAX_LENGTH + 1];	    /* "" without one */
	char request[NAME_MAX_LENGTH + 1];  /* "" without one */
	char reply_to[TOPIC_MAX];	    /* Response Topic, else reply_to, else "" */
	uint8_t *correlation;		    /* NULL without one; owned */
	size_t correlation_size;
	int64_t if_rev;	       /* -1 without one */
	bool current;	       /* the short form that means the current task */
	bool empty;	       /* the payload was empty */
	cJSON *body;	       /* an object, the short form expanded; owned */
	char hash[SHA256_HEX]; /* of verb and body, as contract section 6 says */
};

/* Fills command from a message.  On failure err has code and sentence, and whatever is
 * known (topic, verb, reply_to, correlation, id, request) is filled in all the same, so
 * that the refusal reaches its sender.  With the code "reply_to_denied" the reply topic
 * was too long to keep.  An estop never fails for its form: what is wrong counts as left
 * out.  Always needs command_clear() afterwards. */
int command_parse(struct command *command, const struct topic *topic, const void *payload,
		  size_t size, const char *response_topic, const void *correlation,
		  size_t correlation_size, struct err *err);
void command_clear(struct command *command);

#endif
