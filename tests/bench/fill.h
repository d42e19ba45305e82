/* Fills the database of a stopped agent, as months of use would. */
#ifndef TESTS_BENCH_FILL_H
#define TESTS_BENCH_FILL_H

struct fill {
	int ended,
		live; /* tasks; with live ones the queue is paused, so that they wait */
	int requests, events;
};

/* state_dir holds the database of an agent that has finished at least one task.  Replaces
 * its tasks, dedup records and events.  Returns 0, or -1 with a sentence on stderr. */
int fill_database(const char *state_dir, const struct fill *fill);

#endif
