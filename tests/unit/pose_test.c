/* Tests camera poses against the path and the simulated camera. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "hal/frame.h"
#include "hal/sim/render.h"
#include "tasks/capture/photo.h"
#include "tasks/export/pose.h"

static void assert_near(double value, double expected)
{
	if (fabs(value - expected) > 1e-9)
		fail_msg("%.12g is not %.12g", value, expected);
}

static void to_camera(const struct pose *pose, const double world[3], double camera[3])
{
	for (int i = 0; i < 3; i++) {
		camera[i] = pose->translation[i];
		for (int k = 0; k < 3; k++)
			camera[i] += pose->rotation[i][k] * world[k];
	}
}

static struct pose pose_of(double theta, double fi, double radius)
{
	struct path_point point = {0, theta, fi};
	struct pose pose;

	assert_int_equal(pose_at(&point, radius, 1, &pose), 0);
	return pose;
}

static void the_object_is_straight_ahead_and_upright(void **state)
{
	static const double origin[3] = {0, 0, 0}, above[3] = {0, 0, 1};
	double camera[3];

	(void)state;

	for (int theta = 0; theta <= 180; theta += 15) {
		for (int fi = 0; fi < 360; fi += 20) {
			struct pose pose = pose_of(theta, fi, 130);

			to_camera(&pose, origin, camera);
			assert_near(camera[0], 0);
			assert_near(camera[1], 0);
			assert_near(camera[2], 130);
			to_camera(&pose, above, camera);
			assert_near(camera[0], 0);
			assert_near(camera[1], -sin(theta * M_PI / 180)); /* y is down */
		}
	}
}

static void the_camera_centre_is_the_point_of_the_path(void **state)
{
	struct pose pose = pose_of(90, 90, 130);
	double camera[3];

	(void)state;

	assert_near(pose.centre[1], 130);
	to_camera(&pose, pose.centre, camera);
	for (int i = 0; i < 3; i++)
		assert_near(camera[i], 0);
	/* Seen from phi 90, the world's x axis points to the left. */
	to_camera(&pose, (const double[3]){1, 0, 0}, camera);
	assert_near(camera[0], -1);
}

/* The position of a point of the world on a photo, in pixels from the centre. */
static void project(const struct pose *pose, const double world[3], double pixel[2])
{
	double camera[3];

	to_camera(pose, world, camera);
	pixel[0] = camera[0] / camera[2];
	pixel[1] = camera[1] / camera[2];
}

static void a_turned_sensor_has_turned_axes(void **state)
{
	static const double thing[3] = {.1, .2, .3};
	static const struct {
		int flag, x, x_sign, y, y_sign; /* of the upright pixel */
	} expected[] = {{3, 0, -1, 1, -1}, {6, 1, 1, 0, -1}, {8, 1, -1, 0, 1}};
	struct path_point point = {0, 70, 40};
	struct pose upright = pose_of(70, 40, 1), pose;
	double straight[2], turned[2];

	(void)state;

	project(&upright, thing, straight);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(pose_at(&point, 1, expected[i].flag, &pose), 0);
		project(&pose, thing, turned);
		assert_near(turned[0], expected[i].x_sign * straight[expected[i].x]);
		assert_near(turned[1], expected[i].y_sign * straight[expected[i].y]);
	}
	assert_int_equal(pose_at(&point, 1, 2, &pose), -ENOTSUP);
}

/* The pixels of photo_upright() and the axes of pose_at() are turned the same way. */
static void photos_and_poses_are_turned_alike(void **state)
{
	static const int flags[] = {1, 3, 6, 8};
	struct path_point point = {0, 60, 0};
	const double thing[3] = {0, .1, .05}; /* to the right of the middle, and above */

	(void)state;

	for (size_t i = 0; i < 4; i++) {
		struct frame *photo = frame_new(101, 101), *upright;
		struct pose pose, straight = pose_of(60, 0, 1);
		double at[2], there[2];
		int x, y;

		assert_int_equal(pose_at(&point, 1, flags[i], &pose), 0);
		project(&pose, thing, at);
		project(&straight, thing, there);
		photo->orientation = flags[i];
		x = 50 + (int)lround(at[0] * 300);
		y = 50 + (int)lround(at[1] * 300);
		photo->rgb[(y * 101 + x) * 3] = 255;
		upright = photo_upright(photo);
		x = 50 + (int)lround(there[0] * 300);
		y = 50 + (int)lround(there[1] * 300);
		assert_int_equal(upright->rgb[(y * 101 + x) * 3], 255);
		frame_free(photo);
		frame_free(upright);
	}
}

static void the_quaternion_is_the_rotation(void **state)
{
	(void)state;

	for (int theta = 0; theta <= 180; theta += 9) {
		for (int fi = 0; fi < 360; fi += 9) {
			struct pose pose = pose_of(theta, fi, 1);
			const double *q = pose.quaternion;
			double w = q[0], x = q[1], y = q[2], z = q[3];

			assert_true(w >= 0);
			assert_near(w * w + x * x + y * y + z * z, 1);
			assert_near(1 - 2 * (y * y + z * z), pose.rotation[0][0]);
			assert_near(2 * (x * y - w * z), pose.rotation[0][1]);
			assert_near(2 * (x * z + w * y), pose.rotation[0][2]);
			assert_near(2 * (x * y + w * z), pose.rotation[1][0]);
			assert_near(2 * (y * z - w * x), pose.rotation[1][2]);
			assert_near(1 - 2 * (x * x + y * y), pose.rotation[2][2]);
		}
	}
}

/* A pixel of the simulated camera shows what the poses say: the owl's eyes look along x,
 * so from phi 0 they are in the middle, and from phi 20 they have moved to the left or
 * right as the pose predicts. */
static void the_simulated_camera_agrees_with_the_pose(void **state)
{
	struct render_view view = {.theta_deg = 90,
				   .radius_mm = 130,
				   .light = 1,
				   .exposure = 1,
				   .gain = 1,
				   .width = 320,
				   .height = 240};
	struct frame *frame = frame_new(320, 240);
	double side[2];

	(void)state;

	/* The tail (at x -.24) leans out on one side when the owl is seen from 60 and on
	 * the other from 300 degrees. */
	for (int i = 0; i < 2; i++) {
		struct pose pose = pose_of(90, i ? 300 : 60, 1);
		double camera[3], sum = 0, weight = 0;

		view.phi_deg = i ? 300 : 60;
		assert_int_equal(render_photo(&view, frame->rgb, NULL), 0);
		for (int y = 150; y < 185; y++)
			for (int x = 0; x < 320; x++)
				if (frame->rgb[(y * 320 + x) * 3] > 40) {
					sum += x - 160;
					weight++;
				}
		side[i] = sum / weight;
		to_camera(&pose, (const double[3]){-.24, 0, -.3}, camera);
		assert_true(side[i] * camera[0] > 0);
	}
	assert_true(side[0] * side[1] < 0);
	frame_free(frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_object_is_straight_ahead_and_upright),
		cmocka_unit_test(the_camera_centre_is_the_point_of_the_path),
		cmocka_unit_test(a_turned_sensor_has_turned_axes),
		cmocka_unit_test(photos_and_poses_are_turned_alike),
		cmocka_unit_test(the_quaternion_is_the_rotation),
		cmocka_unit_test(the_simulated_camera_agrees_with_the_pose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
