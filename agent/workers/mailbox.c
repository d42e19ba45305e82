/* A queue of events, and an eventfd that wakes the loop. */
#include "agent/workers/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mailbox {
	pthread_mutex_t lock;
	struct event *first, **last; /* under lock */
	int fd;
};

int mailbox_open(struct mailbox **out, struct err *err)
{
	struct mailbox *mailbox = calloc(1, sizeof(*mailbox));

	if (!mailbox)
		return err_set(err, -ENOMEM, "out of memory");

	pthread_mutex_init(&mailbox->lock, NULL);
	mailbox->last = &mailbox->first;
	mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (mailbox->fd < 0) {
		int ret = err_set(err, -errno, "eventfd: %s", strerror(errno));

		mailbox_close(mailbox);
		return ret;
	}
	*out = mailbox;
	return 0;
}

void mailbox_close(struct mailbox *mailbox)
{
	if (!mailbox)
		return;

	while (mailbox->first) {
		struct event *event = mailbox->first;

		mailbox->first = event->next;
		event_free(event);
	}
	if (mailbox->fd >= 0)
		close(mailbox->fd);
	pthread_mutex_destroy(&mailbox->lock);
	free(mailbox);
}

static void mailbox_ring(struct mailbox *mailbox)
{
	uint64_t one = 1;

	/* The counter cannot overflow, because it is read at every turn. */
	if (write(mailbox->fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
		abort();
}

void mailbox_post(struct mailbox *mailbox, struct event *event)
{
	bool was_empty;

	event->next = NULL;
	pthread_mutex_lock(&mailbox->lock);
	was_empty = !mailbox->first;
	*mailbox->last = event;
	mailbox->last = &event->next;
	pthread_mutex_unlock(&mailbox->lock);
	if (was_empty)
		mailbox_ring(mailbox);
}

struct event *mailbox_take(struct mailbox *mailbox, int max)
{
	struct event *first, **end;
	uint64_t count;
	bool more;

	if (read(mailbox->fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		abort();

	pthread_mutex_lock(&mailbox->lock);
	first = mailbox->first;
	end = &mailbox->first;
	while (*end && max-- > 0)
		end = &(*end)->next;
	mailbox->first = *end;
	more = mailbox->first != NULL;
	if (!more)
		mailbox->last = &mailbox->first;
	*end = NULL;
	pthread_mutex_unlock(&mailbox->lock);
	if (more)
		mailbox_ring(mailbox);
	return end == &mailbox->first ? NULL : first;
}

int mailbox_fd(const struct mailbox *mailbox)
{
	return mailbox->fd;
}
