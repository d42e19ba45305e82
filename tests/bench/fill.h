/* Writes a stopped agent's database full, as months of use would. */
#ifndef TESTS_BENCH_FILL_H
#define TESTS_BENCH_FILL_H

struct fill {
	int ended, live; /* tasks; the live ones wait, the queue is paused when there are
			    any */
	int requests, events;
};

/* state_dir holds the database of an agent that has finished at least one task.  Its
 * tasks, remembered requests and events give way.  0, or -1 with a sentence on stderr. */
int fill_database(const char *state_dir, const struct fill *fill);

#endif
