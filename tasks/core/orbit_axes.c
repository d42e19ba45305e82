/* The rotor and the turntable: finding, checking, timing and homing them. */
#include "tasks/core/orbit_axes.h"

#include <errno.h>
#include <math.h>

int orbit_axes_find(struct orbit_axes *axes, const struct rig *rig, struct err *err)
{
	int ret = rig_axis(rig, ORBIT_AXES_ROTOR, &axes->rotor, err);

	if (ret == 0)
		ret = rig_axis(rig, ORBIT_AXES_TURNTABLE, &axes->turntable, err);
	return ret;
}

static int check_axis(const struct rig_axis *axis, const char *name, bool fresh,
		      struct err *err)
{
	if (axis->known || axis->endstop || (fresh && axis->endless))
		return 0;
	return err_code(
		err, -ENODATA, "invalid_state",
		"the position of %s is unknown: set it by hand, send motor/override, "
		"then start the scan",
		name);
}

int orbit_axes_check(const struct orbit_axes *axes, bool fresh, struct err *err)
{
	int ret = check_axis(&axes->rotor, ORBIT_AXES_ROTOR, fresh, err);

	if (ret == 0)
		ret = check_axis(&axes->turntable, ORBIT_AXES_TURNTABLE, fresh, err);
	return ret;
}

void orbit_axes_targets(const struct path_point *point, struct rig_target targets[2])
{
	targets[0] =
		(struct rig_target){.motor = ORBIT_AXES_ROTOR, .degrees = point->theta};
	targets[1] =
		(struct rig_target){.motor = ORBIT_AXES_TURNTABLE, .degrees = point->fi};
}

int orbit_axes_check_points(const struct rig *rig, const struct path_point *points,
			    size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct rig_target targets[2];
		int ret;

		orbit_axes_targets(&points[i], targets);
		ret = rig_check_targets(rig, targets, 2, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static struct visit_order_axis timing_of(const struct rig_axis *axis)
{
	return (struct visit_order_axis){axis->steps_per_degree, axis->max_speed,
					 axis->acceleration, axis->endless};
}

struct visit_order_axes orbit_axes_timing(const struct orbit_axes *axes)
{
	const struct rig_axis *rotor = &axes->rotor, *table = &axes->turntable;

	return (struct visit_order_axes){timing_of(rotor), timing_of(table),
					 rotor->known ? rotor->angle : rotor->home,
					 table->known ? table->angle : table->home};
}

double orbit_axes_home_seconds(const struct orbit_axes *axes,
			       const struct path_point *from)
{
	struct visit_order_axes timing = orbit_axes_timing(axes);

	return fmax(
		visit_order_axis_seconds(&timing.theta, from->theta, axes->rotor.home),
		visit_order_axis_seconds(&timing.fi, from->fi, axes->turntable.home));
}

int orbit_axes_go_home(const struct orbit_axes *axes, struct rig *rig, struct err *err)
{
	const struct path_point home = {
		.theta = axes->rotor.home,
		.fi = axes->turntable.home,
	};
	struct rig_target targets[2];

	orbit_axes_targets(&home, targets);
	return rig_move(rig, targets, 2, NULL, err);
}
