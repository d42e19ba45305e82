/* Threads that take the next index of a loop until none is left. */
#include "agent/base/parallel.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define MOST_THREADS 16

struct loop {
	int count;
	atomic_int next;
	void (*work)(void *context, int i);
	void *context;
	struct cancel *cancel;
};

static void *run_loop(void *argument)
{
	struct loop *loop = argument;
	int i;

	while (!cancel_requested(loop->cancel)) {
		i = atomic_fetch_add(&loop->next, 1);
		if (i >= loop->count)
			break;
		loop->work(loop->context, i);
	}
	return NULL;
}

static int helper_threads(int count)
{
	long wanted = sysconf(_SC_NPROCESSORS_ONLN);

	if (wanted > MOST_THREADS)
		wanted = MOST_THREADS;
	if (wanted > count)
		wanted = count;
	return (int)wanted - 1;
}

int parallel_for(int count, void (*work)(void *context, int i), void *context,
		 struct cancel *cancel)
{
	struct loop loop = {
		.count = count, .work = work, .context = context, .cancel = cancel};
	pthread_t threads[MOST_THREADS];
	int wanted = helper_threads(count);
	int started = 0;

	while (started < wanted &&
	       pthread_create(&threads[started], NULL, run_loop, &loop) == 0)
		started++;
	run_loop(&loop);
	while (started > 0)
		pthread_join(threads[--started], NULL);

	return cancel_requested(cancel) ? -EINTR : 0;
}
