#include "tasks/crop/sketch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hal/frame.h"

#define TAU 6.283185307179586

static void dot(const struct pen *pen, int x, int y)
{
	int reach = pen->width / 2;

	for (int j = y - reach; j < y - reach + pen->width; j++)
		for (int i = x - reach; i < x - reach + pen->width; i++)
			if (i >= 0 && j >= 0 && i < pen->frame->width &&
			    j < pen->frame->height)
				memcpy(pen->frame->rgb +
					       ((size_t)j * (size_t)pen->frame->width +
						(size_t)i) *
						       sizeof(pen->colour),
				       pen->colour, sizeof(pen->colour));
}

void sketch_line(const struct pen *pen, struct point from, struct point to)
{
	int dx = to.x - from.x, dy = to.y - from.y;
	int steps = abs(dx) > abs(dy) ? abs(dx) : abs(dy);

	for (int i = 0; i <= steps; i++)
		dot(pen, from.x + (steps ? (int)lrint((double)dx * i / steps) : 0),
		    from.y + (steps ? (int)lrint((double)dy * i / steps) : 0));
}

void sketch_polygon(const struct pen *pen, const struct point *points, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sketch_line(pen, points[i], points[(i + 1) % count]);
}

void sketch_box(const struct pen *pen, struct point first, struct point last)
{
	const struct point corners[] = {
		first, {last.x, first.y}, last, {first.x, last.y}};

	sketch_polygon(pen, corners, 4);
}

void sketch_circle(const struct pen *pen, double x, double y, double radius)
{
	int steps = (int)(TAU * radius) + 8;

	for (int i = 0; i < steps; i++)
		dot(pen, (int)lrint(x + radius * cos(TAU * i / steps)),
		    (int)lrint(y + radius * sin(TAU * i / steps)));
}
