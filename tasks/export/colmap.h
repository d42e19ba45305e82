/* A scan's cameras as a model of COLMAP, in its text format: cameras.txt, images.txt and
 * an empty points3D.txt (https://colmap.github.io/format.html).  Its poses go from the
 * world to the camera, as those of pose.h do.  Any thread; blocks on the disk. */
#ifndef TASKS_EXPORT_COLMAP_H
#define TASKS_EXPORT_COLMAP_H

#include "agent/base/err.h"

struct folder;
struct camera_model;

/* Into the folder path ("cup/sparse/0"), which is there. */
int colmap_write(const struct camera_model *model, const struct folder *folder,
		 const char *path, struct err *err);

#endif
