/* Follows the borders in a binary map. */
#include "tasks/crop/outline.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* The neighbours of a pixel, clockwise from the right one. */
static const struct point around[8] = {{1, 0},	{1, 1},	  {0, 1},  {-1, 1},
				       {-1, 0}, {-1, -1}, {0, -1}, {1, -1}};

#define RIGHT 0
#define LEFT 4

/* The state of a pixel in the map. */
enum {
	EMPTY = 0,
	NEW = 1,	    /* set, not on a border that was followed */
	FOLLOWED = 2,	    /* on a border */
	FOLLOWED_RIGHT = 3, /* on a border whose outside is to the right */
};

struct follower {
	uint8_t *map;	   /* with an empty margin of one pixel */
	int width, height; /* of map, with the margin */
	struct point *points, *corners;
	struct polygon_slice *slices;
	size_t count, room;
	double tolerance;
	void (*on_outline)(void *context, const struct outline *outline);
	void *context;
};

static uint8_t *pixel(const struct follower *f, struct point p)
{
	return f->map + (size_t)p.y * (size_t)f->width + (size_t)p.x;
}

static struct point next_to(struct point p, int direction)
{
	return (struct point){p.x + around[direction].x, p.y + around[direction].y};
}

static int make_room(struct follower *f)
{
	size_t room = f->room ? 2 * f->room : 1024;
	struct point *points = realloc(f->points, room * sizeof(*points));
	struct point *corners;
	struct polygon_slice *slices;

	if (points)
		f->points = points;
	corners = realloc(f->corners, room * sizeof(*corners));
	if (corners)
		f->corners = corners;
	slices = realloc(f->slices, room * sizeof(*slices));
	if (slices)
		f->slices = slices;
	if (!points || !corners || !slices)
		return -ENOMEM;
	f->room = room;
	return 0;
}

/* Adds p in coordinates without the margin. */
static int add_point(struct follower *f, struct point p)
{
	int ret = f->count < f->room ? 0 : make_room(f);

	if (ret == 0)
		f->points[f->count++] = (struct point){p.x - 1, p.y - 1};
	return ret;
}

/* The first neighbour of p that is set, clockwise from direction on; -1 for none. */
static int first_clockwise(const struct follower *f, struct point p, int direction)
{
	for (int i = 0; i < 8; i++)
		if (*pixel(f, next_to(p, (direction + i) % 8)) != EMPTY)
			return (direction + i) % 8;
	return -1;
}

/* The next set neighbour counterclockwise after direction, of which there must be one,
 * and whether the right neighbour was passed on the way. */
static int next_counterclockwise(const struct follower *f, struct point p, int direction,
				 bool *passed_right)
{
	int at = direction;

	*passed_right = false;
	do {
		at = (at + 7) % 8;
		if (*pixel(f, next_to(p, at)) != EMPTY)
			break;
		*passed_right = *passed_right || at == RIGHT;
	} while (at != direction);
	return at;
}

static void mark(uint8_t *pixel, bool passed_right)
{
	if (passed_right)
		*pixel = FOLLOWED_RIGHT;
	else if (*pixel == NEW)
		*pixel = FOLLOWED;
}

/* Follows one border.  It is closed: it ends where it began, in the same direction.  Only
 * points where it turns are kept. */
static int follow(struct follower *f, struct point start, int outside)
{
	int first = first_clockwise(f, start, outside), into = first, last = -1, ret = 0;
	struct point here = start;

	f->count = 0;
	if (first < 0) {
		*pixel(f, start) = FOLLOWED_RIGHT;
		return add_point(f, start);
	}
	for (bool closed = false; ret == 0 && !closed;) {
		bool passed_right;
		int out = next_counterclockwise(f, here, into, &passed_right);
		struct point next = next_to(here, out);

		mark(pixel(f, here), passed_right);
		if (out != last)
			ret = add_point(f, here);
		last = out;
		/* Back at the start, coming from the same direction. */
		closed = next.x == start.x && next.y == start.y && (out + 4) % 8 == first;
		here = next;
		into = (out + 4) % 8;
	}
	return ret;
}

static void report(struct follower *f)
{
	struct outline outline = {f->corners, 0};

	outline.count = polygon_simplify(f->points, f->count, f->tolerance, f->corners,
					 f->slices);
	f->on_outline(f->context, &outline);
}

/* Does a border begin at p?  Sets the direction of its outside. */
static bool begins(const struct follower *f, struct point p, int *outside)
{
	uint8_t here = *pixel(f, p);

	if (here == NEW && *pixel(f, next_to(p, LEFT)) == EMPTY)
		*outside = LEFT;
	else if ((here == NEW || here == FOLLOWED) &&
		 *pixel(f, next_to(p, RIGHT)) == EMPTY)
		*outside = RIGHT;
	else
		return false;
	return true;
}

static int follow_all(struct follower *f)
{
	int outside, ret = 0;

	for (int y = 1; y < f->height - 1; y++)
		for (int x = 1; x < f->width - 1; x++)
			while (ret == 0 && begins(f, (struct point){x, y}, &outside)) {
				ret = follow(f, (struct point){x, y}, outside);
				if (ret == 0)
					report(f);
			}
	return ret;
}

int outlines_find(const struct plane *map, double tolerance,
		  void (*on_outline)(void *context, const struct outline *outline),
		  void *context)
{
	struct follower f = {.width = map->width + 2,
			     .height = map->height + 2,
			     .tolerance = tolerance,
			     .on_outline = on_outline,
			     .context = context};
	int ret = -ENOMEM;

	f.map = calloc((size_t)f.width * (size_t)f.height, 1);
	if (f.map) {
		for (int y = 0; y < map->height; y++)
			for (int x = 0; x < map->width; x++)
				*pixel(&f, (struct point){x + 1, y + 1}) =
					plane_row(map, y)[x] ? NEW : EMPTY;
		ret = follow_all(&f);
	}
	free(f.map);
	free(f.points);
	free(f.corners);
	free(f.slices);
	return ret;
}
