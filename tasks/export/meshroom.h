/* A scan's cameras for Meshroom: cameras.sfm, AliceVision's JSON in its version 1.0, in
 * which focal length and principal point are pixels from the top left corner.  Rotations
 * stand column by column.  Any thread; blocks on the disk. */
#ifndef TASKS_EXPORT_MESHROOM_H
#define TASKS_EXPORT_MESHROOM_H

#include "agent/base/err.h"

struct folder;
struct camera_model;

/* Writes path ("cup/cameras.sfm"); photos is the absolute path of the folder in which the
 * model's photos are. */
int meshroom_write(const struct camera_model *model, const struct folder *folder,
		   const char *path, const char *photos, struct err *err);

#endif
