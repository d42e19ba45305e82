/* A loop that runs on all processors.  Its threads exist only while it runs. */
#ifndef AGENT_BASE_PARALLEL_H
#define AGENT_BASE_PARALLEL_H

#include "agent/base/cancel.h"

/* Calls work(context, i) once for every i from 0 to count-1, in any order, on as many
 * threads as there are processors (at most 16), the caller's among them; on fewer if some
 * cannot be created.  Returns when all threads are done: 0, or -EINTR if cancel (NULL is
 * fine) was requested and the rest was left out. */
int parallel_for(int count, void (*work)(void *context, int i), void *context,
		 struct cancel *cancel);

#endif
