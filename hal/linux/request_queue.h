/* Requests that came back from a camera, and whether it is still there: from the
 * library's thread to the one that waits for a photo. */
#ifndef HAL_LINUX_REQUEST_QUEUE_H
#define HAL_LINUX_REQUEST_QUEUE_H

#include "hal/linux/camera_module.h"

struct camera_inbox;

struct camera_inbox *camera_inbox_new(void); /* NULL when memory is out */
void camera_inbox_free(struct camera_inbox *inbox);

/* From any thread.  cookie: of the request; at most CAMERA_REQUESTS at a time. */
#define CAMERA_REQUESTS 64
void camera_inbox_put(struct camera_inbox *inbox, uint64_t cookie);
void camera_inbox_unplugged(struct camera_inbox *inbox);

void camera_inbox_clear(struct camera_inbox *inbox);

/* Was it told to be unplugged, at the latest in patience_ms? */
bool camera_inbox_is_unplugged(struct camera_inbox *inbox, int64_t patience_ms);

/* Waits for the next request.  Errors: it was unplugged (-ENODEV), order was abandoned
 * (-ECANCELED) or is due (-ETIMEDOUT). */
int camera_inbox_take(struct camera_inbox *inbox, const struct camera_order *order,
		      uint64_t *cookie, struct err *err);

#endif
