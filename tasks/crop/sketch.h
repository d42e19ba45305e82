/* Lines drawn into a picture.  What lies outside of it is left out.  Pure. */
#ifndef TASKS_CROP_SKETCH_H
#define TASKS_CROP_SKETCH_H

#include <stddef.h>
#include <stdint.h>

#include "tasks/crop/polygon.h"

struct frame;

struct pen {
	struct frame *frame;
	uint8_t colour[3]; /* red, green, blue */
	int width;	   /* pixels */
};

void sketch_line(const struct pen *pen, struct point from, struct point to);
void sketch_polygon(const struct pen *pen, const struct point *points, size_t count);

/* Corners are the upper left pixel and the lower right one. */
void sketch_box(const struct pen *pen, struct point first, struct point last);

void sketch_circle(const struct pen *pen, double x, double y, double radius);

#endif
