/* The agent as a program: everything is opened, connected and run until a signal. */
#ifndef AGENT_PROCESS_H
#define AGENT_PROCESS_H

struct settings;
struct type_offer;

/* Exit codes besides 0 and 1. */
#define PROCESS_EXIT_USAGE 2

/* Start the agent again: the broker will deliver again what was not acknowledged. */
#define PROCESS_EXIT_NOT_COMMITTED 75

/* main() of the agent: reads the command line and the settings, then runs; returns the
 * exit code.  extra: task types besides the built-in ones (a test's), ended as
 * builtin_types is, or NULL. */
int process_main(int argc, char **argv, const struct type_offer *extra);

/* Opens everything, runs until a signal, stops in order; returns the exit code.  Takes
 * settings over. */
int process_run(struct settings *settings, const struct type_offer *extra);

#endif
