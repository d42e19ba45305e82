/* Turns an upright frame into what a rotated or mirrored sensor delivers. */
#include "hal/sim/sensor_orientation.h"

#include <stddef.h>
#include <string.h>

bool sensor_is_sideways(int orientation)
{
	return orientation >= 5;
}

/* The place of pixel x, y of the upright picture on a sensor of this size. */
static void place_on(const struct frame *sensor, int orientation, int *x, int *y)
{
	bool sideways = sensor_is_sideways(orientation);
	int u = sideways ? *y : *x, v = sideways ? *x : *y;
	int flag = orientation;

	*x = flag == 2 || flag == 3 || flag == 7 || flag == 8 ? sensor->width - 1 - u : u;
	*y = flag == 3 || flag == 4 || flag == 6 || flag == 7 ? sensor->height - 1 - v
							      : v;
}

struct frame *sensor_orient_frame(struct frame *upright, int orientation)
{
	bool sideways = sensor_is_sideways(orientation);
	const uint8_t *pixel = upright->rgb;
	struct frame *sensor;

	if (orientation == 1)
		return upright;
	sensor = frame_new(sideways ? upright->height : upright->width,
			   sideways ? upright->width : upright->height);
	for (int y = 0; sensor && y < upright->height; y++) {
		for (int x = 0; x < upright->width; x++, pixel += 3) {
			int to_x = x, to_y = y;

			place_on(sensor, orientation, &to_x, &to_y);
			memcpy(sensor->rgb + ((size_t)to_y * (size_t)sensor->width +
					      (size_t)to_x) *
						     3,
			       pixel, 3);
		}
	}
	frame_free(upright);
	return sensor;
}
