/* One camera and its thread: opened when first needed, closed after a failure.
 *
 * All calls into the module are made through hal/linux/call_thread.h, so that a caller
 * can leave one that hangs. */
#ifndef HAL_LINUX_CAMERA_SESSION_H
#define HAL_LINUX_CAMERA_SESSION_H

#include "hal/linux/call_thread.h"
#include "hal/linux/camera_module.h"

struct camera_session;

/* The result of a photo. */
struct camera_result {
	struct camera_facts facts;
	bool opened; /* by this call */
	struct camera_picture picture;
	int64_t taken_at_ms;
};

/* name is for sentences and the log, id is the module's. */
int camera_session_open(struct camera_session **out, const struct camera_module *module,
			const char *name, const char *id, struct err *err);
void camera_session_close(struct camera_session *session); /* NULL is fine */

/* Whether the camera is there; opens it if necessary. */
int camera_session_ask(struct camera_session *session,
		       const struct wait_condition *condition, struct camera_result *out,
		       struct err *err);

/* Takes a photo; out->picture.bytes becomes the caller's. */
int camera_session_shoot(struct camera_session *session, const cJSON *settings,
			 enum camera_use use, const struct wait_condition *condition,
			 struct camera_result *out, struct err *err);

#endif
