/* A camera: its settings, and one photo at a time. */
#ifndef HAL_CAMERA_H
#define HAL_CAMERA_H

#include "hal/rig_context.h"

struct camera {
	struct rig_context *ctx;
	size_t index;
	char name[DEVICE_NAME];
	char type[DEVICE_NAME];
	cJSON *settings; /* complete; ctx->lock */
	bool busy;	 /* ctx->lock */
};

/* Reads the member item of the config's cameras. */
int camera_open(struct camera *camera, struct rig_context *ctx, size_t index,
		const cJSON *item, struct err *err);
void camera_close(struct camera *camera);

/* As the rig_ functions of the same name in rig.h. */
cJSON *camera_settings(struct camera *camera);
int camera_set(struct camera *camera, const cJSON *patch, struct err *err);
int camera_capture(struct camera *camera, struct cancel *cancel, struct frame **frame,
		   struct err *err);
int camera_preview(struct camera *camera, struct cancel *cancel, struct frame **frame,
		   struct err *err);
int camera_calibrate(struct camera *camera, struct cancel *cancel, struct err *err);
int camera_expose(struct camera *camera, struct cancel *cancel, struct rig_shot **shot,
		  struct err *err);
int camera_read_out(struct rig_shot *shot, struct frame **frame, struct err *err);
void camera_drop(struct rig_shot *shot);
int camera_answers(struct camera *camera, struct err *err);

bool camera_busy(struct camera *camera);

/* {name, type, busy, settings}. */
cJSON *camera_state(struct camera *camera);

#endif
