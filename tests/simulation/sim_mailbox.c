#include "tests/simulation/sim_mailbox.h"

#include <stdlib.h>

void mail_init(struct mail *mail)
{
	mail->first = NULL;
	mail->last = &mail->first;
	mail->count = 0;
}

struct event *mail_post(struct mail *mail, enum event_kind kind)
{
	struct event *event = event_new(kind);

	if (!event)
		abort();
	*mail->last = event;
	mail->last = &event->next;
	mail->count++;
	return event;
}

struct event *mail_take(struct mail *mail, int most)
{
	struct event *first = mail->first, *last = NULL;

	for (int i = 0; i < most && mail->first; i++) {
		last = mail->first;
		mail->first = last->next;
		mail->count--;
	}
	if (!mail->first)
		mail->last = &mail->first;
	if (last)
		last->next = NULL;
	return last ? first : NULL;
}

void mail_free(struct event *events)
{
	while (events) {
		struct event *event = events;

		events = event->next;
		event_free(event);
	}
}

void mail_clear(struct mail *mail)
{
	mail_free(mail->first);
	mail_init(mail);
}
