/* Events on their way to the simulated agent's loop. */
#ifndef TESTS_SIMULATION_SIM_MAILBOX_H
#define TESTS_SIMULATION_SIM_MAILBOX_H

#include "agent/model/event.h"

struct mail {
	struct event *first, **last;
	int count;
};

void mail_init(struct mail *mail);
struct event *mail_post(struct mail *mail, enum event_kind kind); /* to be filled in */
struct event *mail_take(struct mail *mail, int most);
void mail_clear(struct mail *mail);
void mail_free(struct event *events);

#endif
