/* The two axes that move the camera around the object, for types that follow a path.
 *
 * Only orbit_axes_go_home() moves the rig. */
#ifndef TASKS_CORE_ORBIT_AXES_H
#define TASKS_CORE_ORBIT_AXES_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"
#include "hal/rig.h"
#include "tasks/capture/path.h"
#include "tasks/capture/visit_order.h"

#define ORBIT_AXES_ROTOR "rotor"
#define ORBIT_AXES_TURNTABLE "turntable"

struct orbit_axes {
	struct rig_axis rotor, turntable;
};

/* Finds both axes; "not_found" when the rig has no such motors. */
int orbit_axes_find(struct orbit_axes *axes, const struct rig *rig, struct err *err);

/* Checks that both can move to a position.  A fresh run may start anywhere on an endless
 * axis, a resumed one may not.  "invalid_state" with what to do. */
int orbit_axes_check(const struct orbit_axes *axes, bool fresh, struct err *err);

/* Checks that all points are within the limits of the axes. */
int orbit_axes_check_points(const struct rig *rig, const struct path_point *points,
			    size_t n, struct err *err);

struct visit_order_axes orbit_axes_timing(const struct orbit_axes *axes);

/* The seconds of the move from a point back home. */
double orbit_axes_home_seconds(const struct orbit_axes *axes,
			       const struct path_point *from);

/* The targets of a point, for rig_move(). */
void orbit_axes_targets(const struct path_point *point, struct rig_target targets[2]);

int orbit_axes_go_home(const struct orbit_axes *axes, struct rig *rig, struct err *err);

#endif
