/* The queue of events for the simulated agent's loop. */
#ifndef TESTS_SIMULATION_SIM_MAILBOX_H
#define TESTS_SIMULATION_SIM_MAILBOX_H

#include "agent/model/event.h"

struct sim_mailbox {
	struct event *first, **last;
	int count;
};

void sim_mailbox_init(struct sim_mailbox *mailbox);
struct event *sim_mailbox_post(struct sim_mailbox *mailbox,
			       enum event_kind kind); /* the caller fills it in */
struct event *sim_mailbox_take(struct sim_mailbox *mailbox, int most);
void sim_mailbox_clear(struct sim_mailbox *mailbox);
void sim_mailbox_free_events(struct event *events);

#endif
