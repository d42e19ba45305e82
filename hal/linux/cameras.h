/* The cameras of a rig of real hardware: what struct backend says of them
 * (hal/backend.h).
 *
 * What they are is found out by the module "camera", loaded when a rig has one or looks
 * for them.  Each is spoken to on a thread of its own: one that hangs, or that was
 * unplugged, fails its own photo with "hardware_fault" and is opened anew for the next
 * one. */
#ifndef HAL_LINUX_CAMERAS_H
#define HAL_LINUX_CAMERAS_H

#include "hal/backend.h"

struct cameras;

/* config is that of the whole device; it changes with cameras_find() and goes after the
 * last cameras_attach(). */
int cameras_open(struct cameras **out, const cJSON *config, struct err *err);
void cameras_close(struct cameras *cameras); /* NULL is fine */

/* Adds those that are plugged in and that the config does not name to list, named by
 * their model.  Where none can be looked for, that is logged and none are added. */
void cameras_find(struct cameras *cameras, cJSON *list);

/* A camera that is not plugged in is attached, too: it may come later. */
int cameras_attach(struct cameras *cameras, size_t camera, struct err *err);

/* Of one that nobody has seen yet: as large as a JPEG can be. */
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
