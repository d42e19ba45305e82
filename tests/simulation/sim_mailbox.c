/* A first in, first out queue of events. */
#include "tests/simulation/sim_mailbox.h"

#include <stdlib.h>

void sim_mailbox_init(struct sim_mailbox *mailbox)
{
	mailbox->first = NULL;
	mailbox->last = &mailbox->first;
	mailbox->count = 0;
}

struct event *sim_mailbox_post(struct sim_mailbox *mailbox, enum event_kind kind)
{
	struct event *event = event_new(kind);

	if (!event)
		abort();
	*mailbox->last = event;
	mailbox->last = &event->next;
	mailbox->count++;
	return event;
}

struct event *sim_mailbox_take(struct sim_mailbox *mailbox, int most)
{
	struct event *first = mailbox->first, *last = NULL;

	for (int i = 0; i < most && mailbox->first; i++) {
		last = mailbox->first;
		mailbox->first = last->next;
		mailbox->count--;
	}
	if (!mailbox->first)
		mailbox->last = &mailbox->first;
	if (last)
		last->next = NULL;
	return last ? first : NULL;
}

void sim_mailbox_free_events(struct event *events)
{
	while (events) {
		struct event *event = events;

		events = event->next;
		event_free(event);
	}
}

void sim_mailbox_clear(struct sim_mailbox *mailbox)
{
	sim_mailbox_free_events(mailbox->first);
	sim_mailbox_init(mailbox);
}
