/* The cameras of a scan, as reconstruction programs read them: one lens and a pose per
 * photo.
 *
 * Any thread; blocks on the disk. */
#ifndef TASKS_EXPORT_CAMERA_MODEL_H
#define TASKS_EXPORT_CAMERA_MODEL_H

#include <stddef.h>

#include "agent/base/err.h"
#include "tasks/export/pose.h"

struct folder;
struct scan;

#define CAMERA_MODEL_NAME 48

struct camera_model_photo {
	char name[CAMERA_MODEL_NAME]; /* of its file */
	int index;		      /* of its point */
	struct pose pose;
};

struct camera_model {
	int width, height;     /* pixels */
	double fx, fy, cx, cy; /* pinhole, pixels */
	struct camera_model_photo *photos;
	size_t n;
};

/* The photos of scan that are on disk, sorted by name, with the path's poses and the lens
 * of intrinsics.json.  -ENODATA ("invalid_state") when the camera reported no focal
 * length, -ENOTSUP for mirrored photos.  Close the model in either case. */
int camera_model_read(struct camera_model *model, const struct scan *scan,
		      const struct folder *root, struct err *err);
void camera_model_close(struct camera_model *model);

/* Writes COLMAP's text format into the folder path ("cup/sparse/0"), which must exist:
 * cameras.txt, images.txt and an empty points3D.txt
 * (https://colmap.github.io/format.html).  Its poses go from the world to the camera, as
 * those of pose.h do. */
int camera_model_write_colmap(const struct camera_model *model,
			      const struct folder *folder, const char *path,
			      struct err *err);

/* Writes path ("cup/cameras.sfm") for Meshroom: AliceVision's JSON, version 1.0, with
 * focal length and principal point in pixels from the top left corner, and rotations
 * column by column.  photos is the absolute path of the folder that the photos are in. */
int camera_model_write_meshroom(const struct camera_model *model,
				const struct folder *folder, const char *path,
				const char *photos, struct err *err);

#endif
