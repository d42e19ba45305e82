#include "hal/linux/request_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "agent/base/clock.h"

#define CHECK_MS 20 /* between two looks at the order */

struct camera_inbox {
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t news;
	uint64_t cookies[CAMERA_REQUESTS];
	size_t first, count;
	bool unplugged;
};

struct camera_inbox *camera_inbox_new(void)
{
	struct camera_inbox *inbox = calloc(1, sizeof(*inbox));
	pthread_condattr_t monotonic;

	if (!inbox)
		return NULL;
	pthread_mutex_init(&inbox->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&inbox->news, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return inbox;
}

void camera_inbox_free(struct camera_inbox *inbox)
{
	if (!inbox)
		return;
	pthread_cond_destroy(&inbox->news);
	pthread_mutex_destroy(&inbox->lock);
	free(inbox);
}

void camera_inbox_put(struct camera_inbox *inbox, uint64_t cookie)
{
	pthread_mutex_lock(&inbox->lock);
	if (inbox->count < CAMERA_REQUESTS)
		inbox->cookies[(inbox->first + inbox->count++) % CAMERA_REQUESTS] =
			cookie;
	pthread_cond_broadcast(&inbox->news);
	pthread_mutex_unlock(&inbox->lock);
}

void camera_inbox_unplugged(struct camera_inbox *inbox)
{
	pthread_mutex_lock(&inbox->lock);
	inbox->unplugged = true;
	pthread_cond_broadcast(&inbox->news);
	pthread_mutex_unlock(&inbox->lock);
}

void camera_inbox_clear(struct camera_inbox *inbox)
{
	pthread_mutex_lock(&inbox->lock);
	inbox->count = 0;
	pthread_mutex_unlock(&inbox->lock);
}

/* Holds the lock. */
static void inbox_wait(struct camera_inbox *inbox, int64_t ns)
{
	struct timespec due;

	clock_gettime(CLOCK_MONOTONIC, &due);
	ns += due.tv_nsec;
	due.tv_sec += ns / 1000000000;
	due.tv_nsec = ns % 1000000000;
	pthread_cond_timedwait(&inbox->news, &inbox->lock, &due);
}

bool camera_inbox_is_unplugged(struct camera_inbox *inbox, int64_t patience_ms)
{
	int64_t due_ns = clock_monotonic_ns() + patience_ms * 1000000, left;
	bool unplugged;

	pthread_mutex_lock(&inbox->lock);
	while (!inbox->unplugged && (left = due_ns - clock_monotonic_ns()) > 0)
		inbox_wait(inbox, left);
	unplugged = inbox->unplugged;
	pthread_mutex_unlock(&inbox->lock);
	return unplugged;
}

/* Why there is no waiting any more: 0 while there is. */
static int inbox_give_up(bool unplugged, const struct camera_order *order,
			 struct err *err)
{
	if (unplugged)
		return err_code(err, -ENODEV, "hardware_fault", "it was unplugged");
	if (order->abandoned(order))
		return err_set(err, -ECANCELED, "nobody wants the photo any more");
	if (clock_monotonic_ns() > order->due_ns)
		return err_code(err, -ETIMEDOUT, "hardware_fault", "it sends no photo");
	return 0;
}

int camera_inbox_take(struct camera_inbox *inbox, const struct camera_order *order,
		      uint64_t *cookie, struct err *err)
{
	bool unplugged, found = false;
	int ret = 0;

	while (!found && ret == 0) {
		pthread_mutex_lock(&inbox->lock);
		if (!inbox->count && !inbox->unplugged)
			inbox_wait(inbox, CHECK_MS * 1000000);
		found = inbox->count > 0;
		if (found) {
			*cookie = inbox->cookies[inbox->first];
			inbox->first = (inbox->first + 1) % CAMERA_REQUESTS;
			inbox->count--;
		}
		unplugged = inbox->unplugged;
		pthread_mutex_unlock(&inbox->lock);
		if (!found)
			ret = inbox_give_up(unplugged, order, err);
	}
	return ret;
}
