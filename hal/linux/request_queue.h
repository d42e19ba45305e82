/* Completed requests of a camera, and whether it is still plugged in: from the library's
 * thread to the thread that waits for a photo. */
#ifndef HAL_LINUX_REQUEST_QUEUE_H
#define HAL_LINUX_REQUEST_QUEUE_H

#include "hal/linux/camera_module.h"

struct request_queue;

struct request_queue *request_queue_new(void); /* NULL if memory is out */
void request_queue_free(struct request_queue *queue);

/* Any thread.  cookie identifies the request; at most CAMERA_REQUESTS at a time. */
#define CAMERA_REQUESTS 64
void request_queue_put(struct request_queue *queue, uint64_t cookie);
void request_queue_unplugged(struct request_queue *queue);

void request_queue_clear(struct request_queue *queue);

/* Whether request_queue_unplugged() has been called; waits for it up to patience_ms. */
bool request_queue_is_unplugged(struct request_queue *queue, int64_t patience_ms);

/* Waits for the next request.  Errors: unplugged (-ENODEV), order abandoned (-ECANCELED)
 * or past its due_ns (-ETIMEDOUT). */
int request_queue_take(struct request_queue *queue, const struct camera_order *order,
		       uint64_t *cookie, struct err *err);

#endif
