/* Finds the outlines in a photo and the box around them. */
#include "tasks/crop/crop.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hal/frame.h"
#include "tasks/crop/edges.h"
#include "tasks/crop/outline.h"

#define TOLERANCE 3 /* pixels of the small image */
#define RED_WIDTH 3
#define TAU 6.283185307179586

/* ---- drawing ---- */

struct pen {
	struct frame *frame;
	uint8_t colour[3]; /* red, green, blue */
	int width;	   /* pixels */
};

/* Pixels outside the frame are left out. */
static void draw_dot(const struct pen *pen, int x, int y)
{
	const struct frame *frame = pen->frame;
	int reach = pen->width / 2;

	for (int j = y - reach; j < y - reach + pen->width; j++)
		for (int i = x - reach; i < x - reach + pen->width; i++) {
			size_t at;

			if (i < 0 || j < 0 || i >= frame->width || j >= frame->height)
				continue;
			at = (size_t)j * (size_t)frame->width + (size_t)i;
			memcpy(frame->rgb + at * sizeof(pen->colour), pen->colour,
			       sizeof(pen->colour));
		}
}

static void draw_line(const struct pen *pen, struct point from, struct point to)
{
	int dx = to.x - from.x, dy = to.y - from.y;
	int steps = abs(dx) > abs(dy) ? abs(dx) : abs(dy);

	for (int i = 0; i <= steps; i++)
		draw_dot(pen, from.x + (steps ? (int)lrint((double)dx * i / steps) : 0),
			 from.y + (steps ? (int)lrint((double)dy * i / steps) : 0));
}

static void draw_polygon(const struct pen *pen, const struct point *points, size_t count)
{
	for (size_t i = 0; i < count; i++)
		draw_line(pen, points[i], points[(i + 1) % count]);
}

/* first is the upper left pixel, last the lower right one. */
static void draw_box(const struct pen *pen, struct point first, struct point last)
{
	const struct point corners[] = {
		first, {last.x, first.y}, last, {first.x, last.y}};

	draw_polygon(pen, corners, 4);
}

static void draw_circle(const struct pen *pen, double x, double y, double radius)
{
	int steps = (int)(TAU * radius) + 8;

	for (int i = 0; i < steps; i++)
		draw_dot(pen, (int)lrint(x + radius * cos(TAU * i / steps)),
			 (int)lrint(y + radius * sin(TAU * i / steps)));
}

/* ---- the box around all outlines ---- */

struct box {
	struct point first, last; /* opposite corner pixels, both inside */
};

struct search {
	struct crop *crop;
	int right, bottom;     /* of the box so far, in pixels of the frame */
	struct frame *drawing; /* or NULL */
};

static struct box box_around(const struct outline *outline)
{
	struct box box = {outline->points[0], outline->points[0]};

	for (size_t i = 1; i < outline->count; i++) {
		struct point p = outline->points[i];

		box.first.x = p.x < box.first.x ? p.x : box.first.x;
		box.first.y = p.y < box.first.y ? p.y : box.first.y;
		box.last.x = p.x > box.last.x ? p.x : box.last.x;
		box.last.y = p.y > box.last.y ? p.y : box.last.y;
	}
	return box;
}

/* Converts pixels of the small image to pixels of the frame, and back. */
static int full(int small)
{
	return (int)(small / EDGES_SCALE);
}

static int small(int size)
{
	return (int)(size * EDGES_SCALE);
}

static void add_box(struct search *f, const struct box *box)
{
	struct crop *crop = f->crop;
	int x = full(box->first.x), y = full(box->first.y);
	int right = x + full(box->last.x - box->first.x + 1);
	int bottom = y + full(box->last.y - box->first.y + 1);

	crop->x = crop->outlines && crop->x < x ? crop->x : x;
	crop->y = crop->outlines && crop->y < y ? crop->y : y;
	f->right = f->right > right ? f->right : right;
	f->bottom = f->bottom > bottom ? f->bottom : bottom;
}

/* Draws a circle around the outline, centred on its box. */
static void draw_enclosing_circle(const struct pen *pen, const struct outline *outline,
				  const struct box *box)
{
	double x = (box->first.x + box->last.x) / 2.0;
	double y = (box->first.y + box->last.y) / 2.0, radius = 0;

	for (size_t i = 0; i < outline->count; i++)
		radius = fmax(radius,
			      hypot(outline->points[i].x - x, outline->points[i].y - y));
	draw_circle(pen, x, y, radius);
}

/* Each outline gets a different colour. */
static void draw_outline(const struct search *f, const struct outline *outline,
			 const struct box *box)
{
	size_t i = f->crop->outlines;
	struct pen pen = {f->drawing,
			  {(uint8_t)(i * 37), (uint8_t)(i * 97), (uint8_t)(i * 157)},
			  1};

	draw_polygon(&pen, outline->points, outline->count);
	draw_box(&pen, box->first, box->last);
	draw_enclosing_circle(&pen, outline, box);
}

static void add_outline(void *context, const struct outline *outline)
{
	struct search *f = context;
	struct box box = box_around(outline);

	add_box(f, &box);
	if (f->drawing)
		draw_outline(f, outline, &box);
	f->crop->outlines++;
}

/* The percentage that can be cut equally from both sides without cutting the box. */
static int percent(int before, int after, int size)
{
	int side = before < after ? before : after;
	int value = (int)lrint(200.0 * side / size);

	return value < 0 ? 0 : value > 100 ? 100 : value;
}

static void set_crop(struct search *f, const struct frame *frame)
{
	struct crop *crop = f->crop;

	if (!crop->outlines) {
		f->right = frame->width;
		f->bottom = frame->height;
	}
	crop->width = f->right - crop->x;
	crop->height = f->bottom - crop->y;
	crop->crop_width = percent(crop->x, frame->width - f->right, frame->width);
	crop->crop_height = percent(crop->y, frame->height - f->bottom, frame->height);
}

static void draw_result(const struct search *f)
{
	struct pen red = {f->drawing, {255, 0, 0}, RED_WIDTH};

	draw_box(&red, (struct point){small(f->crop->x), small(f->crop->y)},
		 (struct point){small(f->right) - 1, small(f->bottom) - 1});
}

static int find_outlines(struct search *f, const struct plane *grey, int threshold)
{
	struct plane edges;
	int ret = edges_find(grey, threshold, &edges);

	if (ret < 0)
		return ret;
	ret = outlines_find(&edges, TOLERANCE, add_outline, f);
	plane_free(&edges);
	return ret;
}

int crop_find(const struct frame *frame, int threshold, struct crop *crop,
	      struct frame **drawing, struct err *err)
{
	struct search search = {.crop = crop};
	struct plane grey = {0};
	int ret = edges_prepare(frame, &grey);

	*crop = (struct crop){0};
	if (ret == 0 && drawing) {
		search.drawing = frame_new(grey.width, grey.height);
		ret = search.drawing ? 0 : -ENOMEM;
	}
	if (ret == 0)
		ret = find_outlines(&search, &grey, threshold);
	plane_free(&grey);
	if (ret < 0) {
		frame_free(search.drawing);
		return err_set(err, ret, "out of memory");
	}
	set_crop(&search, frame);
	if (drawing && search.drawing) {
		draw_result(&search);
		*drawing = search.drawing;
	}
	return 0;
}
