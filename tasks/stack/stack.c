/* Runs the steps of focus stacking, in parallel where possible. */
#include "tasks/stack/stack.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/parallel.h"
#include "tasks/stack/align.h"
#include "tasks/stack/fuse.h"
#include "tasks/stack/focus_map.h"
#include "tasks/stack/jpeg_encode.h"
#include "tasks/stack/sharpness.h"
#include "tasks/stack/jpeg_decode.h"

#define LEAST_SIDE 64 /* pixels: smaller images cannot be aligned */

struct frame_work {
	struct ycc_image image; /* while it is kept, else zeros */
	struct sharpness sharpness;
	bool measured; /* or failed; guarded by lock */
	int ret;
	struct warp step; /* how it lies over its neighbour nearer the middle */
	int aligned;	  /* align()'s answer */
};

struct stack {
	const struct stack_job *job;
	struct stack_report *report;
	int middle;
	bool keep; /* whether decoded frames stay in memory */
	struct frame_work frames[STACK_FRAMES];
	struct tags tags;	      /* the middle frame's */
	struct coarseness coarseness; /* the middle frame's */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct focus_map focus_map;
	struct ycc_image result;
	struct fuse fuse;	/* the frame being fused */
	struct ycc_image ahead; /* the next one, decoded at the same time */
	int ahead_number;	/* job->count: none */
	struct err ahead_err;
	int ahead_ret;
};

/* ---- decoding ---- */

static void halve_rows(void *context, const struct plane *rows, int y)
{
	plane_halve(rows, context, y / 2);
}

static int out_of_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

/* All frames of a stack must have the same size and chroma sampling. */
static int check_layout(const struct stack *s, const struct layout *layout,
			struct err *err)
{
	const struct layout *expected = &s->report->layout;

	if (layout_equal(layout, expected))
		return 0;
	return err_set(err, -EBADMSG,
		       "it has %d x %d pixels with chroma for every %d x %d, the middle "
		       "frame %d x %d with chroma for every %d x %d",
		       layout->width, layout->height, layout->across[1], layout->down[1],
		       expected->width, expected->height, expected->across[1],
		       expected->down[1]);
}

/* Decodes a frame, keeping the image if s->keep, and measures its sharpness. */
static int decode(struct stack *s, int i, const char *jpeg, size_t size, struct err *err)
{
	struct frame_work *frame = &s->frames[i];
	const struct layout *layout = &s->report->layout;
	struct plane half = {0};
	struct luma_sink sink = {halve_rows, &half};
	int ret = 0;

	if (plane_make(&half, layout->width / 2, layout->height / 2) < 0 ||
	    (s->keep && ycc_image_make(&frame->image, layout) < 0))
		ret = out_of_memory(err);
	if (ret == 0)
		ret = jpeg_decode(jpeg, size, s->keep ? &frame->image : NULL, &sink, err);
	if (ret == 0 && sharpness_measure(&frame->sharpness, layout, &half) < 0)
		ret = out_of_memory(err);
	plane_free(&half);
	return ret;
}

static int read_and_decode(struct stack *s, int i)
{
	struct err *err = &s->report->errors[i];
	struct layout layout;
	char *jpeg = NULL;
	size_t size;
	int ret = s->job->read(s->job->context, i, &jpeg, &size, err);

	if (ret == 0)
		ret = jpeg_decode_layout(jpeg, size, &layout, NULL, err);
	if (ret == 0)
		ret = check_layout(s, &layout, err);
	if (ret == 0)
		ret = decode(s, i, jpeg, size, err);
	free(jpeg);
	return ret;
}

/* Reads the middle frame's layout, which the others must have. */
static int read_middle(struct stack *s, struct err *err)
{
	char *jpeg = NULL;
	size_t size;
	int ret = s->job->read(s->job->context, s->middle, &jpeg, &size, err);

	if (ret == 0)
		ret = jpeg_decode_layout(jpeg, size, &s->report->layout, &s->coarseness,
					 err);
	if (ret == 0 && tags_copy(&s->tags, jpeg, size) < 0)
		ret = out_of_memory(err);
	free(jpeg);
	if (ret == 0 && (s->report->layout.width < LEAST_SIDE ||
			 s->report->layout.height < LEAST_SIDE))
		ret = err_set(err, -EBADMSG, "it has less than %d pixels a side",
			      LEAST_SIDE);
	if (ret == -EBADMSG) {
		s->report->bad[s->middle] = true;
		s->report->errors[s->middle] = *err;
	}
	s->keep = layout_bytes(&s->report->layout) * (size_t)s->job->count <=
		  (s->job->keep ? s->job->keep : STACK_KEEP);
	return ret;
}

/* ---- aligning ---- */

static int nearer(const struct stack *s, int i)
{
	return i < s->middle ? i + 1 : i - 1;
}

static bool wait_measured(struct stack *s, int i)
{
	bool good;

	pthread_mutex_lock(&s->lock);
	while (!s->frames[i].measured)
		pthread_cond_wait(&s->changed, &s->lock);
	good = s->frames[i].ret == 0;
	pthread_mutex_unlock(&s->lock);
	return good;
}

static void align_frame(struct stack *s, int i)
{
	struct frame_work *frame = &s->frames[i];

	if (!s->job->trust_known && wait_measured(s, i) && wait_measured(s, nearer(s, i)))
		frame->aligned =
			align(&frame->sharpness, &s->frames[nearer(s, i)].sharpness,
			      &s->report->layout, &frame->step);
}

static void measure_frame(struct stack *s, int i)
{
	int ret = read_and_decode(s, i);

	pthread_mutex_lock(&s->lock);
	s->frames[i].ret = ret;
	s->frames[i].measured = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

/* The frames from the middle outwards, so that neighbours are decoded early. */
static int outwards(const struct stack *s, int k)
{
	int away = (k + 1) / 2;

	return k % 2 ? s->middle - away : s->middle + away;
}

/* The first items decode one frame each, the others align one each.  A thread that aligns
 * waits only for frames that are already being decoded. */
static void measure_or_align(void *context, int item)
{
	struct stack *s = context;
	int count = s->job->count;

	if (item < count)
		measure_frame(s, outwards(s, item));
	else
		align_frame(s, outwards(s, item - count + 1));
}

/* Reports all bad frames and returns the first one's error. */
static int check_frames(const struct stack *s, struct err *err)
{
	struct stack_report *report = s->report;
	int ret = 0;

	for (int i = s->job->count - 1; i >= 0; i--) {
		int frame_ret = s->frames[i].ret;

		if (frame_ret == 0)
			continue;
		report->bad[i] = frame_ret == -EBADMSG;
		/* Lack of memory and disk errors take precedence over a bad frame. */
		if (ret == 0 || ret == -EBADMSG) {
			ret = frame_ret;
			if (err)
				*err = report->errors[i];
		}
	}
	return ret;
}

/* A frame's warp is its step chained to the warp of its neighbour nearer the middle. */
static void chain_frame(const struct stack *s, int i)
{
	struct stack_report *report = s->report;
	const struct stack_known *known = s->job->known;
	const struct frame_work *frame = &s->frames[i];
	int next = nearer(s, i);
	bool is_known = known && known->is[i];

	report->aligned[i] = s->job->trust_known
				     ? is_known
				     : frame->aligned > 0 && report->aligned[next];
	report->used[i] = report->aligned[i] || is_known;
	if (report->aligned[i] && !s->job->trust_known)
		report->warps[i] = warp_chain(&frame->step, &report->warps[next]);
	else
		report->warps[i] = is_known ? known->warps[i] : WARP_IDENTITY;
}

static void chain(const struct stack *s)
{
	s->report->warps[s->middle] = WARP_IDENTITY;
	s->report->aligned[s->middle] = s->report->used[s->middle] = true;
	for (int k = 1; k < s->job->count; k++)
		chain_frame(s, outwards(s, k));
}

static int align_frames(struct stack *s, struct err *err)
{
	int ret = read_middle(s, err);

	if (ret == 0)
		ret = parallel_for(2 * s->job->count - 1, measure_or_align, s,
				   s->job->cancel);
	if (ret == 0)
		ret = check_frames(s, err);
	for (int i = 0; ret == 0 && i < s->job->count; i++)
		if (s->frames[i].aligned < 0)
			ret = out_of_memory(err);
	if (ret == 0)
		chain(s);
	return ret;
}

/* ---- fusing ---- */

static int find_focus_map(struct stack *s, struct err *err)
{
	struct sharpness *frames = calloc((size_t)s->job->count, sizeof(*frames));
	int ret = -ENOMEM;

	if (frames) {
		for (int i = 0; i < s->job->count; i++)
			frames[i] = s->frames[i].sharpness;
		ret = focus_map_find(&s->focus_map, frames, s->report->warps,
				     s->report->used, s->job->count, &s->report->layout,
				     s->job->cancel);
	}
	free(frames);
	for (int i = 0; i < s->job->count; i++)
		sharpness_free(&s->frames[i].sharpness);
	return ret == -ENOMEM ? out_of_memory(err) : ret;
}

/* Frames that the focus map does not use are not decoded again. */
static void mark_used(struct stack *s)
{
	size_t cells = (size_t)s->focus_map.width * (size_t)s->focus_map.height;

	memset(s->report->used, 0, sizeof(s->report->used));
	for (size_t i = 0; i < cells; i++)
		s->report->used[s->focus_map.frame[i]] = true;
}

static int next_used(const struct stack *s, int i)
{
	while (i < s->job->count && !s->report->used[i])
		i++;
	return i;
}

static int decode_again(struct stack *s, int i, struct err *err)
{
	char *jpeg = NULL;
	size_t size;
	int ret = s->job->read(s->job->context, i, &jpeg, &size, err);

	if (ret == 0 && ycc_image_make(&s->ahead, &s->report->layout) < 0)
		ret = out_of_memory(err);
	if (ret == 0)
		ret = jpeg_decode(jpeg, size, &s->ahead, NULL, err);
	free(jpeg);
	return ret;
}

/* Decodes the next frame, or takes it from memory where it was kept. */
static void prepare_next(struct stack *s)
{
	s->ahead_ret = 0;
	if (s->ahead_number == s->job->count)
		return;
	if (s->keep) {
		s->ahead = s->frames[s->ahead_number].image;
		s->frames[s->ahead_number].image = (struct ycc_image){0};
	} else {
		s->ahead_ret = decode_again(s, s->ahead_number, &s->ahead_err);
	}
}

/* Item 0 prepares the next frame, each other item fuses a part of this one. */
static void fuse_item(void *context, int item)
{
	struct stack *s = context;

	if (item == 0)
		prepare_next(s);
	else
		fuse_part(&s->fuse, item - 1);
}

static int fuse_frames(struct stack *s, struct err *err)
{
	int ret = 0;

	s->ahead_number = next_used(s, 0);
	prepare_next(s);
	while (s->ahead_ret == 0 && ret == 0 && s->ahead_number < s->job->count) {
		struct ycc_image frame = s->ahead;
		int i = s->ahead_number;

		s->ahead = (struct ycc_image){0};
		s->ahead_number = next_used(s, i + 1);
		s->fuse = (struct fuse){&s->focus_map, &frame, s->report->warps[i], i,
					&s->result};
		ret = parallel_for(1 + fuse_parts(&s->report->layout), fuse_item, s,
				   s->job->cancel);
		ycc_image_free(&frame);
	}
	if (s->ahead_ret < 0) {
		*err = s->ahead_err;
		return s->ahead_ret;
	}
	return ret;
}

static int fuse_all(struct stack *s, void **jpeg, size_t *size, struct err *err)
{
	int ret = find_focus_map(s, err);

	if (ret == 0) {
		mark_used(s);
		if (ycc_image_make(&s->result, &s->report->layout) < 0)
			ret = out_of_memory(err);
	}
	if (ret == 0)
		ret = fuse_frames(s, err);
	if (ret == 0)
		ret = jpeg_encode(&s->result,
				  &(struct jpeg_encode_options){s->job->quality,
								&s->coarseness, &s->tags,
								s->job->cancel},
				  jpeg, size, err);
	return ret;
}

/* ---- stacks ---- */

static struct stack *stack_new(const struct stack_job *job, struct stack_report *report)
{
	struct stack *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	memset(report, 0, sizeof(*report));
	s->job = job;
	s->report = report;
	s->middle = job->count / 2;
	for (int i = 0; i < job->count; i++)
		s->frames[i].step = WARP_IDENTITY;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	return s;
}

static void stack_free(struct stack *s)
{
	for (int i = 0; i < s->job->count; i++) {
		ycc_image_free(&s->frames[i].image);
		sharpness_free(&s->frames[i].sharpness);
	}
	ycc_image_free(&s->ahead);
	ycc_image_free(&s->result);
	focus_map_free(&s->focus_map);
	tags_free(&s->tags);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int stack_align(const struct stack_job *job, struct stack_report *report, struct err *err)
{
	struct stack *s = stack_new(job, report);
	int ret;

	if (!s)
		return out_of_memory(err);
	ret = align_frames(s, err);
	stack_free(s);
	return ret;
}

int stack_make(const struct stack_job *job, struct stack_report *report, void **jpeg,
	       size_t *size, struct err *err)
{
	struct stack *s = stack_new(job, report);
	int ret;

	if (!s)
		return out_of_memory(err);
	ret = align_frames(s, err);
	if (ret == 0)
		ret = fuse_all(s, jpeg, size, err);
	stack_free(s);
	return ret;
}
