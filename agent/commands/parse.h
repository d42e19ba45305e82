/* Turns the message of a command into a struct command. */
#ifndef AGENT_COMMANDS_PARSE_H
#define AGENT_COMMANDS_PARSE_H

#include "agent/base/err.h"
#include "agent/commands/command.h"
#include "agent/model/limits.h"

/* Fills command from a message.  On failure err has a code and a sentence, and every
 * field that could be read (topic, verb, reply_to, correlation, id, request) is filled in
 * nevertheless, so that the refusal reaches its sender.  With the code "reply_to_denied"
 * the reply topic was too long to keep.  A verb with VERB_NEVER_REFUSED does not fail for
 * its form: fields that are wrong count as left out.  Always needs command_clear()
 * afterwards. */
int command_parse(struct command *command, const struct topic *topic, const void *payload,
		  size_t size, const char *response_topic, const void *correlation,
		  size_t correlation_size, struct err *err);
void command_clear(struct command *command);

#endif
