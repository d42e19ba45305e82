/* The cameras of a real rig: the camera_ops of hal/backend.h.
 *
 * The module "camera" finds them; it is loaded when a rig has a camera or searches for
 * some.  Each camera has a thread of its own: one that hangs, or that was unplugged,
 * fails its own photo with "hardware_fault" and is opened again for the next one. */
#ifndef HAL_LINUX_CAMERAS_H
#define HAL_LINUX_CAMERAS_H

#include "hal/backend.h"

struct cameras;

/* config is the whole device config.  cameras_find() changes it; it must be valid until
 * the last cameras_attach(). */
int cameras_open(struct cameras **out, const cJSON *config, struct err *err);
void cameras_close(struct cameras *cameras); /* NULL is fine */

/* Adds cameras that are plugged in but not in the config to list, named by their model.
 * If the search fails, that is logged and none are added. */
void cameras_find(struct cameras *cameras, cJSON *list);

/* A camera that is not plugged in is attached too: it may come later. */
int cameras_attach(struct cameras *cameras, size_t camera, struct err *err);

/* The largest size of a camera; of one that was never opened, the largest JPEG. */
void cameras_size(const struct cameras *cameras, size_t camera, int *width, int *height);

int cameras_answers(struct cameras *cameras, size_t camera, struct err *err);
int cameras_expose(struct cameras *cameras, size_t camera,
		   const struct backend_shot *shot, void **latent, struct err *err);
int cameras_read_out(struct cameras *cameras, size_t camera, void *latent,
		     struct frame **out, struct err *err);
void cameras_discard(struct cameras *cameras, size_t camera, void *latent);
int cameras_calibrate(struct cameras *cameras, size_t camera,
		      const struct backend_shot *shot, cJSON *found, struct err *err);

#endif
