/* The agent as a program: everything opened, joined and run until a signal. */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "tasks/registry.h"

/* Exit codes besides 0 and 1. */
#define AGENT_EXIT_USAGE 2
#define AGENT_EXIT_NOT_COMMITTED                                                         \
	75 /* start again: what was not acknowledged comes again */

/* Runs the agent; returns its exit code.  extra: task types besides the built-in ones (a
 * test's), ended by a NULL type, or NULL. */
int agent_main(int argc, char **argv, const struct type_offer *extra);

#endif
