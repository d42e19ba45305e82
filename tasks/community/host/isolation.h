/* How far a program can be shut in on this kernel. */
#ifndef TASKS_COMMUNITY_HOST_ISOLATION_H
#define TASKS_COMMUNITY_HOST_ISOLATION_H

enum isolation {
	ISOLATION_NONE,	    /* its descendants are looked for and ended one by one */
	ISOLATION_PID,	    /* a PID namespace: the end of its first process ends all */
	ISOLATION_USER_PID, /* the same without being root, in a user namespace */
	ISOLATION_COUNT,
};

/* "user-pid" "pid" "none", as on the command line; -1 for anything else. */
int isolation_parse(const char *name);

/* "in a user and a PID namespace" and the like, for people. */
const char *isolation_words(enum isolation isolation);

/* The strongest one that this kernel allows now, found out by trying. */
enum isolation isolation_probe(void);
const char *isolation_name(enum isolation isolation);

/* Puts the calling process's next child into it.  Single-threaded processes only.  0 or a
 * negative errno, after which this process is good for nothing. */
int isolation_enter(enum isolation isolation);

/* Gives up every capability for good, and the way back to them. */
void isolation_drop_capabilities(void);

#endif
