/* Splits a closed line where it bends most, until it is straight within the tolerance. */
#include "tasks/crop/polygon.h"

#include <stdbool.h>

#define ROUNDS 3 /* of the search for two points that are far apart */

static double square(double a)
{
	return a * a;
}

static double distance2(struct point a, struct point b)
{
	return square(a.x - b.x) + square(a.y - b.y);
}

/* Twice the area of the triangle a, b, c. */
static double area(struct point a, struct point b, struct point c)
{
	double area =
		(double)(c.y - a.y) * (b.x - a.x) - (double)(c.x - a.x) * (b.y - a.y);

	return area < 0 ? -area : area;
}

/* The point farthest from point number from, and its squared distance. */
static size_t farthest(const struct point *points, size_t count, size_t from, double *how)
{
	size_t best = from;

	*how = 0;
	for (size_t i = 1; i < count; i++) {
		size_t at = (from + i) % count;
		double d = distance2(points[from], points[at]);

		if (d > *how) {
			*how = d;
			best = at;
		}
	}
	return best;
}

/* Finds where the line from slice->from to slice->to must bend; false when no point
 * between them is off by more than the tolerance (given squared). */
static bool find_bend(const struct point *points, size_t count,
		      const struct polygon_slice *slice, double tolerance2, size_t *bend)
{
	struct point a = points[slice->from], b = points[slice->to];
	double most = 0;

	for (size_t i = (slice->from + 1) % count; i != slice->to; i = (i + 1) % count) {
		double off = area(a, b, points[i]);

		if (off > most) {
			most = off;
			*bend = i;
		}
	}
	return square(most) > tolerance2 * distance2(a, b);
}

/* Splits the first two slices until all are straight. */
static size_t split(const struct point *points, size_t count, double tolerance2,
		    struct point *corners, struct polygon_slice *slices)
{
	size_t waiting = 2, n = 0, bend = 0;

	while (waiting > 0) {
		struct polygon_slice slice = slices[--waiting];

		if (!find_bend(points, count, &slice, tolerance2, &bend)) {
			corners[n++] = points[slice.from];
			continue;
		}
		slices[waiting++] = (struct polygon_slice){bend, slice.to};
		slices[waiting++] = (struct polygon_slice){slice.from, bend};
	}
	return n;
}

static bool goes_on(struct point a, struct point b, struct point c)
{
	return (double)(b.x - a.x) * (c.x - b.x) + (double)(b.y - a.y) * (c.y - b.y) >= 0;
}

/* Is this hardly a corner: is the line through it nearly straight, and slanted? */
static bool is_flat(struct point before, struct point here, struct point after,
		    double tolerance2)
{
	return before.x != after.x && before.y != after.y &&
	       goes_on(before, here, after) &&
	       square(area(before, after, here)) <=
		       .5 * tolerance2 * distance2(before, after);
}

/* Drops corners that remain only because the splitting began there. */
static size_t drop_flat(struct point *corners, size_t count, double tolerance2)
{
	struct point before = corners[count - 1];
	size_t n = 0, left = count;

	for (size_t i = 0; i < count; i++) {
		struct point after = corners[(i + 1) % count];

		if (left > 2 && i + 1 < count &&
		    is_flat(before, corners[i], after, tolerance2)) {
			left--;
			corners[n++] = before = after;
			i++;
			continue;
		}
		corners[n++] = before = corners[i];
	}
	return n;
}

size_t polygon_simplify(const struct point *points, size_t count, double tolerance,
			struct point *corners, struct polygon_slice *slices)
{
	double tolerance2 = square(tolerance), how = 0;
	size_t from = 0, to = 0;

	for (int i = 0; i < ROUNDS; i++) {
		from = to;
		to = farthest(points, count, from, &how);
	}
	if (how <= tolerance2) {
		corners[0] = points[from];
		return 1;
	}
	slices[0] = (struct polygon_slice){from, to};
	slices[1] = (struct polygon_slice){to, from};
	count = split(points, count, tolerance2, corners, slices);
	return drop_flat(corners, count, tolerance2);
}
