#include "tasks/crop/crop.h"

#include <errno.h>
#include <math.h>

#include "hal/frame.h"
#include "tasks/crop/edges.h"
#include "tasks/crop/outline.h"
#include "tasks/crop/sketch.h"

#define TOLERANCE 3 /* pixels of the small picture */
#define RED_WIDTH 3

struct box {
	struct point first, last; /* the pixels at its corners, both in it */
};

struct finding {
	struct crop *crop;
	int right, bottom;    /* of the box so far, in pixels of the frame */
	struct frame *sketch; /* or NULL */
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

/* From the small picture to the frame. */
static int full(int small)
{
	return (int)(small / EDGES_SCALE);
}

static void add_box(struct finding *f, const struct box *box)
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

/* A circle around an outline: about the middle of its box, as wide as it must be. */
static void draw_circle(const struct pen *pen, const struct outline *outline,
			const struct box *box)
{
	double x = (box->first.x + box->last.x) / 2.0;
	double y = (box->first.y + box->last.y) / 2.0, radius = 0;

	for (size_t i = 0; i < outline->count; i++)
		radius = fmax(radius,
			      hypot(outline->points[i].x - x, outline->points[i].y - y));
	sketch_circle(pen, x, y, radius);
}

/* Each outline in a colour of its own. */
static void draw(const struct finding *f, const struct outline *outline,
		 const struct box *box)
{
	size_t i = f->crop->outlines;
	struct pen pen = {
		f->sketch, {(uint8_t)(i * 37), (uint8_t)(i * 97), (uint8_t)(i * 157)}, 1};

	sketch_polygon(&pen, outline->points, outline->count);
	sketch_box(&pen, box->first, box->last);
	draw_circle(&pen, outline, box);
}

static void see(void *context, const struct outline *outline)
{
	struct finding *f = context;
	struct box box = box_around(outline);

	add_box(f, &box);
	if (f->sketch)
		draw(f, outline, &box);
	f->crop->outlines++;
}

/* What can go on both sides so that the box stays. */
static int percent(int before, int after, int size)
{
	int side = before < after ? before : after;
	int value = (int)lrint(200.0 * side / size);

	return value < 0 ? 0 : value > 100 ? 100 : value;
}

static void conclude(struct finding *f, const struct frame *frame)
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

static int small(int size)
{
	return (int)(size * EDGES_SCALE);
}

static void draw_result(const struct finding *f)
{
	struct pen red = {f->sketch, {255, 0, 0}, RED_WIDTH};

	sketch_box(&red, (struct point){small(f->crop->x), small(f->crop->y)},
		   (struct point){small(f->right) - 1, small(f->bottom) - 1});
}

static int find_outlines(struct finding *f, const struct plane *grey, int threshold)
{
	struct plane edges;
	int ret = edges_find(grey, threshold, &edges);

	if (ret < 0)
		return ret;
	ret = outlines_find(&edges, TOLERANCE, see, f);
	plane_free(&edges);
	return ret;
}

int crop_find(const struct frame *frame, int threshold, struct crop *crop,
	      struct frame **sketch, struct err *err)
{
	struct finding finding = {.crop = crop};
	struct plane grey = {0};
	int ret = edges_prepare(frame, &grey);

	*crop = (struct crop){0};
	if (ret == 0 && sketch) {
		finding.sketch = frame_new(grey.width, grey.height);
		ret = finding.sketch ? 0 : -ENOMEM;
	}
	if (ret == 0)
		ret = find_outlines(&finding, &grey, threshold);
	plane_free(&grey);
	if (ret < 0) {
		frame_free(finding.sketch);
		return err_set(err, ret, "out of memory");
	}
	conclude(&finding, frame);
	if (sketch) {
		draw_result(&finding);
		*sketch = finding.sketch;
	}
	return 0;
}
