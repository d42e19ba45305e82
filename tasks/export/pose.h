/* The position and orientation of the camera, in the form reconstruction programs use.
 *
 * World coordinates are those of path_cartesian(): the origin in the middle of the
 * object, z up, x at phi 0, lengths in the unit of the radius.  The camera has x to the
 * right, y down and z ahead.  It looks at the origin, the top of its picture towards
 * smaller theta.  Pure functions; any thread. */
#ifndef TASKS_EXPORT_POSE_H
#define TASKS_EXPORT_POSE_H

#include "tasks/capture/path.h"

struct pose {
	/* From the world to the camera; its rows are the camera's axes in the world. */
	double rotation[3][3];
	double translation[3]; /* camera = rotation * world + translation */
	double centre[3];      /* of the camera in the world */
	double quaternion[4];  /* of the rotation: w x y z, w not negative */
};

/* orientation is the EXIF flag of the photos, 1, 3, 6 or 8, by which they are turned
 * upright; the pose is that of the pixels as stored.  -ENOTSUP for the flags of mirrored
 * pictures, which no rotation produces. */
int pose_at(const struct path_point *point, double radius, int orientation,
	    struct pose *pose);

#endif
