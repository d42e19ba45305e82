/* Keeps one program and all that it starts: begins it, watches its bounds, freezes, wakes
 * and ends it.  It is the first process of the program's namespace where there is one.
 *
 * The leash is a socket to the agent.  Bytes that come in are orders; lines that go out
 * are reports; its end, however it comes, is the end of everything here. */
#ifndef TASKS_COMMUNITY_HOST_SUPERVISOR_H
#define TASKS_COMMUNITY_HOST_SUPERVISOR_H

#include "tasks/community/host/bounds.h"

#define KEEPER_LEASH 3 /* its descriptor */

/* Orders. */
#define KEEPER_FREEZE 'f'
#define KEEPER_WAKE 'w'
#define KEEPER_END 'e'	/* SIGTERM after a second, SIGKILL after bounds.kill_after_ms */
#define KEEPER_KILL 'k' /* now */

/* Reports, one line: a word and what belongs to it. */
#define KEEPER_FAILED                                                                    \
	"failed"	       /* a sentence: a bound was broken, or it could not begin  \
				*/
#define KEEPER_EXIT "exit"     /* its exit code */
#define KEEPER_SIGNAL "signal" /* the signal that ended it */
#define KEEPER_FROZEN "frozen" /* nothing: the order has been carried out */

/* Begins command in the current folder and returns when nothing of it is left. */
void keeper_run(const struct bounds *bounds, char *const command[]);

#endif
