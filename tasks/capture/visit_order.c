/* Sorts the positions of a scan: nearest neighbour, 2-opt, Or-opt, and random kicks. */
#include "tasks/capture/visit_order.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NEAR 10	   /* neighbours tried per stop */
#define SEGMENT 3  /* the most stops that are moved in one piece */
#define KICKS 4000 /* kicks, each followed by an improvement */
#define KICK_SPAN 30
#define EPSILON 1e-5 /* seconds; the matrix holds floats */

/* A tour being improved.  Stop 0 is the start, stops 1 to n are the points, and stop n +
 * 1 is "anywhere": reaching it costs nothing, which makes the tour open-ended.  The first
 * and the last stop keep their places. */
struct tour {
	int n;
	float *cost; /* (n + 2) squared */
	int *near;   /* NEAR per stop, the nearest first; -1 when there are fewer */
	int *at;     /* place -> stop */
	int *place;  /* stop -> place */
	int *todo;   /* stops whose surroundings changed */
	int todos;
	bool *queued;
	uint32_t seed;
};

static const char *const names[] = {"best", "nearest_neighbor", "none"};

int visit_order_parse(const char *name)
{
	for (int i = 0; i < 3; i++)
		if (!strcmp(name, names[i]))
			return i;
	return -EINVAL;
}

const char *visit_order_name(enum visit_order order)
{
	return names[order];
}

double visit_order_axis_seconds(const struct visit_order_axis *axis, double from,
				double to)
{
	double way = fabs(to - from), a = axis->acceleration, v = axis->max_speed;
	double steps, ramp;

	if (axis->endless) {
		way = fmod(way, 360);
		way = fmin(way, 360 - way);
	}
	steps = trunc(way * axis->steps_per_degree + 1e-9); /* so that 0.999… is 1 step */
	if (steps < 1)
		return 0;

	ramp = trunc(v * v / a / 2);
	if (2 * ramp > steps)
		return 2 * sqrt(2 * fmax(1, floor(steps / 2)) / a);
	return 2 * v / a + (steps - 2 * ramp) / v;
}

static double step_seconds(const struct visit_order_axes *axes, double theta, double fi,
			   const struct path_point *to)
{
	return fmax(visit_order_axis_seconds(&axes->theta, theta, to->theta),
		    visit_order_axis_seconds(&axes->fi, fi, to->fi));
}

double visit_order_seconds(const struct visit_order_axes *axes,
			   const struct path_point *points, size_t n)
{
	double theta = axes->start_theta, fi = axes->start_fi, sum = 0;

	for (size_t i = 0; i < n; i++) {
		sum += step_seconds(axes, theta, fi, &points[i]);
		theta = points[i].theta;
		fi = points[i].fi;
	}
	return sum;
}

static void sort_nearest(const struct visit_order_axes *axes, struct path_point *points,
			 size_t n)
{
	double theta = axes->start_theta, fi = axes->start_fi;

	for (size_t done = 0; done < n; done++) {
		struct path_point next;
		size_t nearest = done;
		double least = INFINITY;

		for (size_t i = done; i < n; i++) {
			double seconds = step_seconds(axes, theta, fi, &points[i]);

			if (seconds < least) {
				least = seconds;
				nearest = i;
			}
		}
		/* The others keep their order, so that the first of equals wins. */
		next = points[nearest];
		memmove(&points[done + 1], &points[done],
			(nearest - done) * sizeof(*points));
		points[done] = next;
		theta = next.theta;
		fi = next.fi;
	}
}

static double cost(const struct tour *t, int a, int b)
{
	return (double)t->cost[(size_t)a * ((size_t)t->n + 2) + (size_t)b];
}

static void touch(struct tour *t, int stop)
{
	if (stop > t->n || t->queued[stop])
		return;
	t->queued[stop] = true;
	t->todo[t->todos++] = stop;
}

static void reverse(struct tour *t, int first, int last)
{
	while (first < last) {
		int a = t->at[first], b = t->at[last];

		t->at[first] = b;
		t->place[b] = first++;
		t->at[last] = a;
		t->place[a] = last--;
	}
}

/* 2-opt: replaces the edge from a to the stop after (way 1) or before it (way -1) by one
 * to a near stop, and reverses the stops in between. */
static bool turn_piece(struct tour *t, int a, int way)
{
	int i = t->place[a], b;

	if (i + way < 0)
		return false;
	b = t->at[i + way];
	for (int k = 0; k < NEAR; k++) {
		int c = t->near[a * NEAR + k], j, d;
		double gain;

		if (c < 0 || cost(t, a, b) - cost(t, a, c) <= EPSILON)
			return false;
		j = t->place[c];
		if (j + way < 0)
			continue;
		d = t->at[j + way];
		gain = cost(t, a, b) + cost(t, c, d) - cost(t, a, c) - cost(t, b, d);
		if (gain <= EPSILON)
			continue;
		if (way > 0)
			reverse(t, (i < j ? i : j) + 1, i < j ? j : i);
		else
			reverse(t, i < j ? i : j, (i < j ? j : i) - 1);
		touch(t, a);
		touch(t, b);
		touch(t, c);
		touch(t, d);
		return true;
	}
	return false;
}

/* Moves the piece of length stops from place s behind the stop that is now at place j,
 * reversed if turned. */
static void carry(struct tour *t, int s, int length, int j, bool turned)
{
	int piece[SEGMENT], from = s, to = j;

	for (int k = 0; k < length; k++)
		piece[k] = t->at[turned ? s + length - 1 - k : s + k];
	if (j > s) {
		memmove(&t->at[s], &t->at[s + length],
			(size_t)(j - s - length + 1) * sizeof(int));
		memcpy(&t->at[j - length + 1], piece, (size_t)length * sizeof(int));
	} else {
		memmove(&t->at[j + 1 + length], &t->at[j + 1],
			(size_t)(s - j - 1) * sizeof(int));
		memcpy(&t->at[j + 1], piece, (size_t)length * sizeof(int));
		from = j + 1;
		to = s + length - 1;
	}
	for (int k = from; k <= to; k++)
		t->place[t->at[k]] = k;
}

/* The stops from place s to e, to be moved elsewhere. */
struct piece {
	int s, e;
	int a, z;     /* the stops at its ends, in either order; a will be next to c */
	int p, q;     /* the stops before and after it */
	double freed; /* seconds that taking it out saves */
};

/* Puts the piece on the first side of stop c where that is faster. */
static bool move_beside(struct tour *t, const struct piece *piece, int c)
{
	int s = piece->s, e = piece->e, j = t->place[c];

	for (int way = -1; way <= 1; way += 2) {
		int behind = way > 0 ? j : j - 1, d;
		bool turned = s != e && (way > 0) == (t->at[e] == piece->a);

		if (j + way < 0 || behind == s - 1 || behind == e)
			continue;
		d = t->at[j + way];
		if (piece->freed + cost(t, c, d) - cost(t, piece->a, c) -
			    cost(t, piece->z, d) <=
		    EPSILON)
			continue;
		carry(t, s, e - s + 1, behind, turned);
		touch(t, piece->a);
		touch(t, piece->z);
		touch(t, piece->p);
		touch(t, piece->q);
		touch(t, c);
		touch(t, d);
		return true;
	}
	return false;
}

/* Or-opt: moves the piece from place s to e, with stop a at one of its ends, beside a
 * stop near a. */
static bool move_piece(struct tour *t, int a, int s, int e)
{
	struct piece piece = {.s = s, .e = e, .a = a};

	if (s < 1 || e > t->n)
		return false;
	piece.p = t->at[s - 1];
	piece.q = t->at[e + 1];
	piece.z = t->at[s] == a ? t->at[e] : t->at[s];
	piece.freed = cost(t, piece.p, t->at[s]) + cost(t, t->at[e], piece.q) -
		      cost(t, piece.p, piece.q);
	if (piece.freed <= EPSILON)
		return false;

	for (int k = 0; k < NEAR; k++) {
		int c = t->near[a * NEAR + k];

		if (c < 0)
			return false;
		if (t->place[c] >= s && t->place[c] <= e)
			continue;
		if (move_beside(t, &piece, c))
			return true;
	}
	return false;
}

static bool improve_at(struct tour *t, int a)
{
	if (turn_piece(t, a, 1) || turn_piece(t, a, -1))
		return true;
	if (a == 0)
		return false;
	for (int length = 1; length <= SEGMENT; length++) {
		int i = t->place[a];

		if (move_piece(t, a, i, i + length - 1) ||
		    move_piece(t, a, i - length + 1, i))
			return true;
	}
	return false;
}

static void improve(struct tour *t)
{
	while (t->todos > 0) {
		int a = t->todo[--t->todos];

		t->queued[a] = false;
		while (improve_at(t, a))
			;
	}
}

static double length_of(const struct tour *t)
{
	double sum = 0;

	for (int i = 0; i <= t->n; i++)
		sum += cost(t, t->at[i], t->at[i + 1]);
	return sum;
}

/* A fixed sequence, so that the same scan always gets the same order. */
static int draw(struct tour *t, int below)
{
	t->seed = t->seed * 1664525u + 1013904223u;
	return (int)((uint64_t)t->seed * (uint64_t)below >> 32);
}

/* Swaps two short adjacent pieces, which no single 2-opt step can undo. */
static void kick(struct tour *t)
{
	int span = t->n < KICK_SPAN ? t->n : KICK_SPAN;
	int first = 1 + draw(t, t->n - span + 1);
	int length = 1 + draw(t, span - 1);
	int last = first + span - 1;

	reverse(t, first, first + length - 1);
	reverse(t, first + length, last);
	reverse(t, first, last);
	touch(t, t->at[first - 1]);
	touch(t, t->at[first]);
	touch(t, t->at[last]);
	touch(t, t->at[last + 1]);
	touch(t, t->at[last - length]);
	touch(t, t->at[last - length + 1]);
}

/* Kicks and improves KICKS times, keeping every shorter tour. */
static void disturb(struct tour *t, int *kept)
{
	size_t size = (size_t)(t->n + 2) * sizeof(int);
	double least = length_of(t);

	if (t->n < 4)
		return;
	memcpy(kept, t->at, size);
	for (int i = 0; i < KICKS; i++) {
		double length;

		kick(t);
		improve(t);
		length = length_of(t);
		if (length < least - EPSILON) {
			least = length;
			memcpy(kept, t->at, size);
			continue;
		}
		memcpy(t->at, kept, size);
		for (int k = 0; k < t->n + 2; k++)
			t->place[t->at[k]] = k;
	}
}

static void fill_cost(struct tour *t, const struct visit_order_axes *axes,
		      const struct path_point *points)
{
	size_t stride = (size_t)t->n + 2;

	for (int a = 0; a <= t->n; a++) {
		double theta = a ? points[a - 1].theta : axes->start_theta;
		double fi = a ? points[a - 1].fi : axes->start_fi;

		for (int b = a + 1; b <= t->n; b++) {
			float seconds =
				(float)step_seconds(axes, theta, fi, &points[b - 1]);

			t->cost[(size_t)a * stride + (size_t)b] = seconds;
			t->cost[(size_t)b * stride + (size_t)a] = seconds;
		}
	}
}

static void fill_near(struct tour *t, int a)
{
	int *near = &t->near[a * NEAR], count = 0;

	for (int b = 0; b <= t->n; b++) {
		int k = count < NEAR ? count : NEAR - 1;

		if (b == a || (count == NEAR && cost(t, a, b) >= cost(t, a, near[k])))
			continue;
		for (; k > 0 && cost(t, a, near[k - 1]) > cost(t, a, b); k--)
			near[k] = near[k - 1];
		near[k] = b;
		if (count < NEAR)
			count++;
	}
	for (; count < NEAR; count++)
		near[count] = -1;
}

static void tour_close(struct tour *t)
{
	free(t->cost);
	free(t->near);
	free(t->at);
	free(t->place);
	free(t->todo);
	free(t->queued);
}

/* Opens a tour of the points in their present order. */
static int tour_open(struct tour *t, const struct visit_order_axes *axes,
		     const struct path_point *points, size_t n)
{
	size_t stops = n + 2;

	*t = (struct tour){.n = (int)n, .seed = 1};
	t->cost = calloc(stops * stops, sizeof(*t->cost));
	t->near = calloc(stops * NEAR, sizeof(*t->near));
	t->at = calloc(stops, sizeof(*t->at));
	t->place = calloc(stops, sizeof(*t->place));
	t->todo = calloc(stops, sizeof(*t->todo));
	t->queued = calloc(stops, sizeof(*t->queued));
	if (!t->cost || !t->near || !t->at || !t->place || !t->todo || !t->queued) {
		tour_close(t);
		return -ENOMEM;
	}

	fill_cost(t, axes, points);
	for (int i = 0; i < t->n + 2; i++)
		t->at[i] = t->place[i] = i;
	for (int a = 0; a <= t->n; a++)
		fill_near(t, a);
	for (int a = t->n; a >= 0; a--)
		touch(t, a);
	return 0;
}

/* Writes the points in an improved order to better; points stays unchanged. */
static int improved(const struct visit_order_axes *axes, const struct path_point *points,
		    size_t n, struct path_point *better)
{
	struct tour t;
	int *kept = calloc(n + 2, sizeof(*kept));
	int ret = kept ? tour_open(&t, axes, points, n) : -ENOMEM;

	if (ret < 0)
		goto done;
	improve(&t);
	disturb(&t, kept);
	for (size_t i = 0; i < n; i++)
		better[i] = points[t.at[i + 1] - 1];
	tour_close(&t);
done:
	free(kept);
	return ret;
}

static void take_if_faster(const struct visit_order_axes *axes, struct path_point *points,
			   const struct path_point *other, size_t n)
{
	if (visit_order_seconds(axes, other, n) < visit_order_seconds(axes, points, n))
		memcpy(points, other, n * sizeof(*points));
}

int visit_order_sort(const struct visit_order_axes *axes, enum visit_order order,
		     struct path_point *points, size_t n, struct err *err)
{
	struct path_point *nearest, *better;
	int ret = 0;

	if (order == VISIT_ORDER_NONE || n < 2)
		return 0;
	if (order == VISIT_ORDER_NEAREST) {
		sort_nearest(axes, points, n);
		return 0;
	}

	nearest = calloc(2 * n, sizeof(*nearest));
	if (!nearest)
		return err_set(err, -ENOMEM, "out of memory");
	better = nearest + n;
	memcpy(nearest, points, n * sizeof(*points));
	sort_nearest(axes, nearest, n);
	ret = improved(axes, nearest, n, better);
	if (ret < 0) {
		ret = err_set(err, ret, "out of memory");
		goto done;
	}
	take_if_faster(axes, points, nearest, n);
	take_if_faster(axes, points, better, n);
done:
	free(nearest);
	return ret;
}
