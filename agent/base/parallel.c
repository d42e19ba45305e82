#include "agent/base/parallel.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define MOST_THREADS 16

struct crew {
	int count;
	atomic_int next;
	void (*work)(void *context, int i);
	void *context;
	struct interrupt *interrupt;
};

static void *take_turns(void *argument)
{
	struct crew *crew = argument;
	int i;

	while (!interrupt_raised(crew->interrupt)) {
		i = atomic_fetch_add(&crew->next, 1);
		if (i >= crew->count)
			break;
		crew->work(crew->context, i);
	}
	return NULL;
}

static int helpers(int count)
{
	long wanted = sysconf(_SC_NPROCESSORS_ONLN);

	if (wanted > MOST_THREADS)
		wanted = MOST_THREADS;
	if (wanted > count)
		wanted = count;
	return (int)wanted - 1;
}

int crew_run(int count, void (*work)(void *context, int i), void *context,
	     struct interrupt *interrupt)
{
	struct crew crew = {
		.count = count, .work = work, .context = context, .interrupt = interrupt};
	pthread_t threads[MOST_THREADS];
	int wanted = helpers(count);
	int started = 0;

	while (started < wanted &&
	       pthread_create(&threads[started], NULL, take_turns, &crew) == 0)
		started++;
	take_turns(&crew);
	while (started > 0)
		pthread_join(threads[--started], NULL);

	return interrupt_raised(interrupt) ? -EINTR : 0;
}
