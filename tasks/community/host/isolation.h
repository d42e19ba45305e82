/* How a program can be isolated on this kernel. */
#ifndef TASKS_COMMUNITY_HOST_ISOLATION_H
#define TASKS_COMMUNITY_HOST_ISOLATION_H

enum isolation {
	ISOLATION_NONE,	    /* its descendants are found in /proc and killed one by one */
	ISOLATION_PID,	    /* a PID namespace: ending its first process ends all */
	ISOLATION_USER_PID, /* the same without root privileges, in a user namespace */
	ISOLATION_COUNT,
};

/* From "user-pid", "pid" or "none", as on the command line; -1 for anything else. */
int isolation_parse(const char *name);

/* For people: "in a user and a PID namespace". */
const char *isolation_words(enum isolation isolation);

/* The strongest isolation that this kernel allows, found by trying. */
enum isolation isolation_probe(void);
const char *isolation_name(enum isolation isolation);

/* Creates the namespaces for the next child of the calling process, which must be
 * single-threaded.  0, or a negative errno, after which the process should exit. */
int isolation_enter(enum isolation isolation);

/* Drops all capabilities, and every way to regain them. */
void isolation_drop_capabilities(void);

#endif
