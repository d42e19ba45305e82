/* A loop shared by the processors: threads for its duration only, so that none is left
 * when nothing is computed. */
#ifndef AGENT_BASE_PARALLEL_H
#define AGENT_BASE_PARALLEL_H

#include "agent/base/cancel.h"

/* Calls work(context, i) once for every i of 0..count-1, in any order, on as many threads
 * as there are processors, the caller's among them.  Threads that cannot be had are done
 * without.  Returns when all are done: 0, or -EINTR when cancel (NULL is fine) was
 * raised and the rest was left out. */
int parallel_for(int count, void (*work)(void *context, int i), void *context,
		 struct cancel *cancel);

#endif
