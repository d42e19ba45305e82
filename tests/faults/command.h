/* A command that was sent in a run, and what was answered: what the agent owes. */
#ifndef TESTS_FAULTS_COMMAND_H
#define TESTS_FAULTS_COMMAND_H

#include "tests/faults/fault_run.h"

enum order_kind {
	ORDER_COUNT,
	ORDER_RESUME_COUNT,
	ORDER_HELLO,
	ORDER_GENERATOR,
	ORDER_SCAN, /* up to here they make a task */
	ORDER_STEER,
	ORDER_MOVE,
};

struct order {
	enum order_kind kind;
	size_t original; /* its own number, or that of the order that it repeats */
	const char *verb;
	char id[65], request[33]; /* "" without one */
	char *body;
	int steps;    /* points of a scan */
	bool certain; /* the broker took it and cannot lose it */
	int target;   /* of a steering order: the order whose task it is for, else -1 */

	/* as the agent answered */
	bool replied, ok, duplicate;
	char code[32], task[65];
};

/* A new random order, published.  wait: until the broker has it. */
struct order *order_create(struct fault_run *run, bool wait);
/* One without id and request, not waited for. */
struct order *order_create_nameless(struct fault_run *run);
struct order *order_steer(struct fault_run *run, bool wait); /* NULL: no task known yet */
struct order *order_move(struct fault_run *run, bool wait);

/* An earlier one again, byte for byte; NULL when none has a name that protects it. */
struct order *order_repeat(struct fault_run *run, bool wait);

bool order_makes_task(const struct order *order);

/* Has it an id or a request? */
bool order_is_named(const struct order *order);

/* Must it be carried out once only?  Without a name a message that is delivered twice is
 * known by its DUP flag, as long as the broker remembers that it has sent it. */
bool order_is_protected(const struct fault_run *run, const struct order *order);

/* The file that an order's task writes its lines to. */
void order_file(const struct fault_run *run, size_t number, char path[PATH_MAX]);

/* Waits for the reply to this order; false when none came in time. */
bool order_wait(struct fault_run *run, const struct order *order, size_t mark);

/* Reads all replies of the run into the orders.  Blames answers that contradict each
 * other. */
void orders_read_replies(struct fault_run *run);

/* The order that made the task of these labels, or -1. */
int order_of_labels(const struct fault_run *run, const char *labels);

void orders_free(struct fault_run *run);

#endif
