/* The cameras of a scan, for programs that reconstruct: one lens, a pose for each photo.
 *
 * Writers for single programs are functions of this shape: colmap.h, meshroom.h. */
#ifndef TASKS_EXPORT_CAMERA_MODEL_H
#define TASKS_EXPORT_CAMERA_MODEL_H

#include <stddef.h>

#include "agent/base/err.h"
#include "tasks/export/pose.h"

struct folder;
struct scan;

#define CAMERA_MODEL_NAME 48

struct camera_model_photo {
	char name[CAMERA_MODEL_NAME]; /* of the file */
	int index;		      /* of its point */
	struct pose pose;
};

struct camera_model {
	int width, height;     /* pixels */
	double fx, fy, cx, cy; /* pinhole, pixels */
	struct camera_model_photo *photos;
	size_t n;
};

/* Those photos of scan that are on disk, in the order of their numbers, with the path's
 * poses and what intrinsics.json says.  -ENODATA ("invalid_state") when that is not there
 * yet, -ENOTSUP for mirrored photos.  Close the model in either case. */
int camera_model_read(struct camera_model *model, const struct scan *scan,
		      const struct folder *root, struct err *err);
void camera_model_close(struct camera_model *model);

#endif
