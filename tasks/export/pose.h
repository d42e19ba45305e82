/* Where the camera stands and how it looks, as programs that reconstruct want it.
 *
 * The world is that of path_cartesian(): its origin in the middle of the object, z up, x
 * at phi 0, lengths in the unit of the radius.  The camera has x to the right, y down and
 * z ahead.  It looks at the origin, the top of its picture towards smaller theta.  Pure
 * functions; any thread. */
#ifndef TASKS_EXPORT_POSE_H
#define TASKS_EXPORT_POSE_H

#include "tasks/capture/path.h"

struct pose {
	double rotation[3][3]; /* from the world to the camera; its rows are the camera's
				* axes in the world */
	double translation[3]; /* camera = rotation * world + translation */
	double centre[3];      /* of the camera in the world */
	double quaternion[4];  /* of the rotation: w x y z, w not negative */
};

/* orientation is the flag of the photos, 1, 3, 6 or 8: how they must be turned to stand
 * upright, while the pose is that of their pixels as they are.  -ENOTSUP for the flags of
 * mirrored pictures, which no rotation makes. */
int pose_at(const struct path_point *point, double radius, int orientation,
	    struct pose *pose);

#endif
