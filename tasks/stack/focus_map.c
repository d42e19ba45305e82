#include "tasks/stack/focus_map.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/parallel.h"
#include "agent/base/simd.h"
#include "tasks/stack/blur.h"

#define AT_ONCE 4      /* maps in memory, at most */
#define NEAR 1	       /* cells: radius of the blur that makes a cell's energy certain */
#define WIDE 12	       /* and of that which tells what is usual around it */
#define WIDE_SHARE .1f /* how much that counts */
#define LEAD 1.02f     /* how much sharper than the middle frame another must be */
#define FLOOR_PART 5   /* percent of the cells: as quiet as those is without detail */
#define FLOOR_LEAD .3f /* of that quiet: what noise alone can make of it */

struct labelling {
	struct labels *labels;
	const struct sharpness *frames;
	const struct warp *warps;
	const struct layout *layout;
	size_t cells;
	int at_once;	      /* maps in memory: one a processor */
	int first, count;     /* of the frames that are in maps */
	int numbers[AT_ONCE]; /* which those are */
	float *maps[AT_ONCE]; /* how sharp they are, in the middle frame's cells */
	float *scratch[AT_ONCE];
	float *best, *least, *middle; /* over all frames; of the middle one */
};

/* The energy of one cell of the middle frame in another; 0 outside of that. */
SIMD_INLINE float look_up(const struct sharpness *frame, float u, float v)
{
	int iu = (int)floorf(u), iv = (int)floorf(v);
	float fu = u - (float)iu, fv = v - (float)iv;
	const uint16_t *p, *q;

	if (iu < 0 || iv < 0 || iu >= frame->width - 1 || iv >= frame->height - 1)
		return 0;
	p = frame->energy + (size_t)iv * (size_t)frame->width + (size_t)iu;
	q = p + frame->width;
	return (p[0] * (1 - fu) + p[1] * fu) * (1 - fv) +
	       (q[0] * (1 - fu) + q[1] * fu) * fv;
}

SIMD_CLONES static void warp_energy(const struct sharpness *frame,
				    const struct warp *warp, const struct layout *layout,
				    float *map)
{
	float cell = (float)frame->cell, gain = (float)warp->gain;
	float cx = (float)layout->width / (2 * cell) - .5f;
	float cy = (float)layout->height / (2 * cell) - .5f;
	float scale = (float)(1 + warp->scale), turn = (float)warp->turn;

	for (int y = 0; y < frame->height; y++)
		for (int x = 0; x < frame->width; x++) {
			float dx = (float)x - cx, dy = (float)y - cy;
			float u = scale * dx - turn * dy + (float)warp->x / cell + cx;
			float v = turn * dx + scale * dy + (float)warp->y / cell + cy;

			*map++ = gain * look_up(frame, u, v);
		}
}

SIMD_CLONES static void add_share(float *restrict map, const float *restrict wide,
				  size_t cells)
{
	for (size_t i = 0; i < cells; i++)
		map[i] += WIDE_SHARE * wide[i];
}

/* Item i of a turn: one frame's map. */
static void make_map(void *context, int i)
{
	struct labelling *l = context;
	const struct labels *labels = l->labels;
	const struct sharpness *frame = &l->frames[l->numbers[i]];
	float *map = l->maps[i], *wide = l->scratch[i], *scratch = wide + l->cells;

	warp_energy(frame, &l->warps[l->numbers[i]], l->layout, map);
	blur_box(map, labels->width, labels->height, NEAR, scratch);
	blur_box(map, labels->width, labels->height, NEAR, scratch);
	memcpy(wide, map, l->cells * sizeof(*wide));
	blur_box(wide, labels->width, labels->height, WIDE, scratch);
	blur_box(wide, labels->width, labels->height, WIDE, scratch);
	add_share(map, wide, l->cells);
}

SIMD_CLONES static void take_best(const float *restrict map, float *restrict best,
				  float *restrict least, uint8_t *restrict frame,
				  int number, size_t cells)
{
	for (size_t i = 0; i < cells; i++) {
		bool better = map[i] > best[i];

		best[i] = better ? map[i] : best[i];
		frame[i] = better ? (uint8_t)number : frame[i];
		least[i] = map[i] < least[i] ? map[i] : least[i];
	}
}

static void merge_maps(struct labelling *l, int middle)
{
	for (int i = 0; i < l->count; i++) {
		take_best(l->maps[i], l->best, l->least, l->labels->frame, l->numbers[i],
			  l->cells);
		if (l->numbers[i] == middle)
			memcpy(l->middle, l->maps[i], l->cells * sizeof(*l->middle));
	}
}

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* What a cell without detail has: noise alone. */
static float noise_floor(const struct labelling *l)
{
	enum { SAMPLES = 4096 };
	float samples[SAMPLES];
	size_t step = l->cells / SAMPLES + 1, n = 0;

	for (size_t i = 0; i < l->cells && n < SAMPLES; i += step)
		samples[n++] = l->least[i];
	qsort(samples, n, sizeof(*samples), by_size);
	return samples[n * FLOOR_PART / 100];
}

/* Of frames that differ by no more than noise does, the middle one is taken. */
static void prefer_middle(struct labelling *l, int middle)
{
	float lead = FLOOR_LEAD * noise_floor(l);

	for (size_t i = 0; i < l->cells; i++)
		if (l->best[i] <= l->middle[i] * LEAD + lead)
			l->labels->frame[i] = (uint8_t)middle;
}

static uint8_t least_of(uint8_t a, uint8_t b)
{
	return a < b ? a : b;
}

static uint8_t most_of(uint8_t a, uint8_t b)
{
	return a > b ? a : b;
}

static void sort_two(uint8_t *a, uint8_t *b)
{
	uint8_t least = least_of(*a, *b);

	*b = most_of(*a, *b);
	*a = least;
}

static uint8_t middle_of_three(uint8_t a, uint8_t b, uint8_t c)
{
	sort_two(&a, &b);
	return most_of(a, least_of(b, c));
}

/* The median of three columns that are sorted: of the greatest least, the median median
 * and the least greatest. */
static uint8_t median_of_columns(uint8_t c[3][3])
{
	return middle_of_three(most_of(most_of(c[0][0], c[1][0]), c[2][0]),
			       middle_of_three(c[0][1], c[1][1], c[2][1]),
			       least_of(least_of(c[0][2], c[1][2]), c[2][2]));
}

static void sort_column(const uint8_t *above, const uint8_t *here, const uint8_t *below,
			uint8_t column[3])
{
	column[0] = *above;
	column[1] = *here;
	column[2] = *below;
	sort_two(&column[0], &column[1]);
	sort_two(&column[1], &column[2]);
	sort_two(&column[0], &column[1]);
}

/* What stands alone among its neighbours is chance. */
static void smooth(const struct labels *labels, uint8_t *to)
{
	size_t width = (size_t)labels->width;

	memcpy(to, labels->frame, width * (size_t)labels->height);
	for (int y = 1; y < labels->height - 1; y++) {
		const uint8_t *here = labels->frame + (size_t)y * width;
		uint8_t columns[3][3];

		for (size_t x = 0; x < width; x++) {
			memmove(columns[0], columns[1], 2 * sizeof(columns[0]));
			sort_column(here + x - width, here + x, here + x + width,
				    columns[2]);
			if (x >= 2)
				to[(size_t)y * width + x - 1] =
					median_of_columns(columns);
		}
	}
}

static int make_memory(struct labelling *l, struct labels *labels)
{
	bool whole = true;

	labels->frame = malloc(l->cells);
	l->best = calloc(l->cells, sizeof(float));
	l->least = malloc(l->cells * sizeof(float));
	l->middle = calloc(l->cells, sizeof(float));
	for (int i = 0; i < l->at_once; i++) {
		l->maps[i] = malloc(l->cells * sizeof(float));
		l->scratch[i] = malloc(l->cells * sizeof(float) * 2);
		whole = whole && l->maps[i] && l->scratch[i];
	}
	return whole && labels->frame && l->best && l->least && l->middle ? 0 : -ENOMEM;
}

static int processors(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count < 1 ? 1 : count > AT_ONCE ? AT_ONCE : (int)count;
}

static void free_memory(struct labelling *l)
{
	free(l->best);
	free(l->least);
	free(l->middle);
	for (int i = 0; i < AT_ONCE; i++) {
		free(l->maps[i]);
		free(l->scratch[i]);
	}
}

/* The next frames that may be taken, as many as there is room for. */
static void choose_frames(struct labelling *l, const bool *use, int count)
{
	for (l->count = 0; l->first < count && l->count < l->at_once; l->first++)
		if (use[l->first])
			l->numbers[l->count++] = l->first;
}

static int compare_frames(struct labelling *l, const bool *use, int count,
			  struct cancel *cancel)
{
	for (size_t i = 0; i < l->cells; i++)
		l->least[i] = FLT_MAX;
	memset(l->labels->frame, count / 2, l->cells);
	while (l->first < count) {
		int ret;

		choose_frames(l, use, count);
		ret = parallel_for(l->count, make_map, l, cancel);
		if (ret < 0)
			return ret;
		merge_maps(l, count / 2);
	}
	return 0;
}

int labels_find(struct labels *labels, const struct sharpness *frames,
		const struct warp *warps, const bool *use, int count,
		const struct layout *layout, struct cancel *cancel)
{
	struct labelling l = {.labels = labels,
			      .frames = frames,
			      .warps = warps,
			      .layout = layout,
			      .at_once = processors(),
			      .cells = (size_t)frames->width * (size_t)frames->height};
	int ret;

	*labels = (struct labels){frames->cell, frames->width, frames->height, NULL};
	ret = make_memory(&l, labels);
	if (ret == 0)
		ret = compare_frames(&l, use, count, cancel);
	if (ret == 0) {
		uint8_t *smoothed = malloc(l.cells);

		prefer_middle(&l, count / 2);
		if (smoothed)
			smooth(labels, smoothed);
		free(labels->frame);
		labels->frame = smoothed;
		ret = smoothed ? 0 : -ENOMEM;
	}
	free_memory(&l);
	if (ret < 0)
		labels_free(labels);
	return ret;
}

void labels_free(struct labels *labels)
{
	free(labels->frame);
	*labels = (struct labels){0};
}
