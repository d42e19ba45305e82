/* The interface of the module "camera" (agent/base/module.h): cameras behind C functions,
 * so that libcamera and C++ stay out of the agent.
 *
 * Threads: calls for different cameras may come at the same time, calls for one camera do
 * not.  Each wait inside the module is bounded, but a driver or a library may hang; a
 * caller that cannot wait for that calls from a thread of its own
 * (hal/linux/call_thread.h). */
#ifndef HAL_LINUX_CAMERA_MODULE_H
#define HAL_LINUX_CAMERA_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "hal/linux/camera_control.h"

#define CAMERA_ID 192
#define CAMERA_PLANES 3

struct camera_device; /* an open camera */

/* A camera that is plugged in. */
struct camera_identity {
	char id[CAMERA_ID];    /* libcamera's own, the same after a restart */
	char model[CAMERA_ID]; /* "imx519"; several cameras may have the same */
};

/* The memory layout of a picture.  The names are DRM's, which count from the lowest byte
 * of a little-endian word: in memory "BGR888" is red, green, blue. */
enum camera_layout {
	CAMERA_RGB888,	 /* bytes blue, green, red */
	CAMERA_BGR888,	 /* bytes red, green, blue */
	CAMERA_XRGB8888, /* bytes blue, green, red, - */
	CAMERA_XBGR8888, /* bytes red, green, blue, - */
	CAMERA_YUV420,	 /* planes Y, U, V; U and V of half the width and height */
	CAMERA_NV12,	 /* planes Y, UV; of half the width and height */
	CAMERA_YUYV,	 /* bytes Y U Y V */
	CAMERA_LAYOUTS
};

/* What the camera reports about one frame; a value is negative if it is unknown. */
struct camera_metadata {
	double exposure_us, gain, lens_position;
	double red, blue;     /* gains of white balance */
	int64_t timestamp_ns; /* when its first row was exposed; CLOCK_BOOTTIME */
	int focus;	      /* AfState: 0 idle, 1 scanning, 2 focused, 3 failed */
};

/* A picture as the camera left it. */
struct camera_picture {
	enum camera_layout layout;
	bool full_range; /* of YUV: 0..255 rather than 16..235 */
	int width, height;
	size_t stride[CAMERA_PLANES]; /* bytes from row to row */
	size_t offset[CAMERA_PLANES]; /* of each plane within bytes */
	uint8_t *bytes;		      /* malloc'ed */
	size_t size;
	struct camera_metadata metadata;
};

/* The request for one photo. */
struct camera_order {
	bool preview;
	int width, height; /* of the picture; the camera uses its nearest size */
	const struct camera_control *controls;
	size_t control_count;
	int64_t due_ns; /* CLOCK_MONOTONIC: when to give up */

	/* True once nobody wants the photo any more; called at least every 50 ms. */
	bool (*abandoned)(const struct camera_order *order);
	void *context;
};

struct camera_module {
	/* Writes at most `room` identities and returns how many cameras there are, or an
	 * error. */
	int (*list)(struct camera_identity *found, size_t room, struct err *err);

	/* Opens the camera with this id; -ENODEV if it is not there.  Searches for
	 * cameras again when none is open. */
	int (*open)(struct camera_device **out, const char *id,
		    struct camera_facts *facts, struct err *err);
	void (*close)(struct camera_device *device); /* NULL is fine */

	/* Takes one picture.  No part of it was exposed before the call, and all controls
	 * were in effect.  -ECANCELED if it was abandoned, -ETIMEDOUT after due_ns,
	 * otherwise an error with a sentence.  Close the camera after an error. */
	int (*shoot)(struct camera_device *device, const struct camera_order *order,
		     struct camera_picture *out, struct err *err);
};

extern const struct camera_module module_camera;

#endif
