/* A bounded queue of completed requests, with a condition to wait on. */
#include "hal/linux/request_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "agent/base/clock.h"

#define CHECK_MS 20 /* between two checks of the order */

struct request_queue {
	pthread_mutex_t lock; /* guards all members below */
	pthread_cond_t news;
	uint64_t cookies[CAMERA_REQUESTS];
	size_t first, count;
	bool unplugged;
};

struct request_queue *request_queue_new(void)
{
	struct request_queue *queue = calloc(1, sizeof(*queue));
	pthread_condattr_t monotonic;

	if (!queue)
		return NULL;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->news, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return queue;
}

void request_queue_free(struct request_queue *queue)
{
	if (!queue)
		return;
	pthread_cond_destroy(&queue->news);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

void request_queue_put(struct request_queue *queue, uint64_t cookie)
{
	pthread_mutex_lock(&queue->lock);
	if (queue->count < CAMERA_REQUESTS)
		queue->cookies[(queue->first + queue->count++) % CAMERA_REQUESTS] =
			cookie;
	pthread_cond_broadcast(&queue->news);
	pthread_mutex_unlock(&queue->lock);
}

void request_queue_unplugged(struct request_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->unplugged = true;
	pthread_cond_broadcast(&queue->news);
	pthread_mutex_unlock(&queue->lock);
}

void request_queue_clear(struct request_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->count = 0;
	pthread_mutex_unlock(&queue->lock);
}

/* The caller holds the lock. */
static void request_queue_wait(struct request_queue *queue, int64_t ns)
{
	struct timespec due;

	clock_gettime(CLOCK_MONOTONIC, &due);
	ns += due.tv_nsec;
	due.tv_sec += ns / 1000000000;
	due.tv_nsec = ns % 1000000000;
	pthread_cond_timedwait(&queue->news, &queue->lock, &due);
}

bool request_queue_is_unplugged(struct request_queue *queue, int64_t patience_ms)
{
	int64_t due_ns = clock_monotonic_ns() + patience_ms * 1000000, left;
	bool unplugged;

	pthread_mutex_lock(&queue->lock);
	while (!queue->unplugged && (left = due_ns - clock_monotonic_ns()) > 0)
		request_queue_wait(queue, left);
	unplugged = queue->unplugged;
	pthread_mutex_unlock(&queue->lock);
	return unplugged;
}

/* Why to stop waiting, or 0. */
static int request_queue_give_up(bool unplugged, const struct camera_order *order,
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

int request_queue_take(struct request_queue *queue, const struct camera_order *order,
		       uint64_t *cookie, struct err *err)
{
	bool unplugged, found = false;
	int ret = 0;

	while (!found && ret == 0) {
		pthread_mutex_lock(&queue->lock);
		if (!queue->count && !queue->unplugged)
			request_queue_wait(queue, CHECK_MS * 1000000);
		found = queue->count > 0;
		if (found) {
			*cookie = queue->cookies[queue->first];
			queue->first = (queue->first + 1) % CAMERA_REQUESTS;
			queue->count--;
		}
		unplugged = queue->unplugged;
		pthread_mutex_unlock(&queue->lock);
		if (!found)
			ret = request_queue_give_up(unplugged, order, err);
	}
	return ret;
}
