/* The two axes that carry the camera around the object, for the types that follow a path.
 *
 * Asks the rig, and moves it in orbit_axes_go_home() only. */
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

/* Where they stand; "not_found" when the rig has no such motors. */
int orbit_axes_find(struct orbit_axes *axes, const struct rig *rig, struct err *err);

/* Can they move to a place?  A fresh run may begin anywhere on an endless axis, one that
 * goes on may not.  "invalid_state" with what to do. */
int orbit_axes_check(const struct orbit_axes *axes, bool fresh, struct err *err);

/* Are all points within their limits? */
int orbit_axes_check_points(const struct rig *rig, const struct path_point *points,
			    size_t n, struct err *err);

struct visit_order_axes orbit_axes_timing(const struct orbit_axes *axes);

/* From a point back home. */
double orbit_axes_home_seconds(const struct orbit_axes *axes,
			       const struct path_point *from);

/* Where the two shall go for a point, for rig_move(). */
void orbit_axes_targets(const struct path_point *point, struct rig_target targets[2]);

int orbit_axes_go_home(const struct orbit_axes *axes, struct rig *rig, struct err *err);

#endif
