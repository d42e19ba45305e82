/* Compares the sharpness of all frames, cell by cell. */
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

#define AT_ONCE 4      /* the most maps in memory */
#define NEAR 1	       /* cells: radius of the blur against noise */
#define WIDE 12	       /* cells: radius of the blur that adds the surroundings */
#define WIDE_SHARE .1f /* the weight of the surroundings */
#define LEAD 1.02f     /* how much sharper than the middle frame another must be */
#define FLOOR_PART 5   /* percent of the cells that are taken as having no detail */
#define FLOOR_LEAD .3f /* the part of their energy that noise alone can add */

struct selection {
	struct focus_map *focus;
	const struct sharpness *frames;
	const struct warp *warps;
	const struct layout *layout;
	size_t cells;
	int at_once;	      /* maps in memory: one per processor */
	int first, count;     /* of the frames in maps */
	int numbers[AT_ONCE]; /* their numbers */
	float *maps[AT_ONCE]; /* their sharpness in the middle frame's cells */
	float *scratch[AT_ONCE];
	float *best, *least, *middle; /* of all frames; of the middle one */
};

/* The energy of another frame at a cell of the middle one; 0 outside that frame. */
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

/* Makes the map of one frame; called by parallel_for(). */
static void make_map(void *context, int i)
{
	struct selection *s = context;
	const struct focus_map *focus = s->focus;
	const struct sharpness *frame = &s->frames[s->numbers[i]];
	float *map = s->maps[i], *wide = s->scratch[i], *scratch = wide + s->cells;

	warp_energy(frame, &s->warps[s->numbers[i]], s->layout, map);
	blur_box(map, focus->width, focus->height, NEAR, scratch);
	blur_box(map, focus->width, focus->height, NEAR, scratch);
	memcpy(wide, map, s->cells * sizeof(*wide));
	blur_box(wide, focus->width, focus->height, WIDE, scratch);
	blur_box(wide, focus->width, focus->height, WIDE, scratch);
	add_share(map, wide, s->cells);
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

static void merge_maps(struct selection *s, int middle)
{
	for (int i = 0; i < s->count; i++) {
		take_best(s->maps[i], s->best, s->least, s->focus->frame, s->numbers[i],
			  s->cells);
		if (s->numbers[i] == middle)
			memcpy(s->middle, s->maps[i], s->cells * sizeof(*s->middle));
	}
}

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* The energy of cells without detail, which is noise alone. */
static float noise_floor(const struct selection *s)
{
	enum { SAMPLES = 4096 };
	float samples[SAMPLES];
	size_t step = s->cells / SAMPLES + 1, n = 0;

	for (size_t i = 0; i < s->cells && n < SAMPLES; i += step)
		samples[n++] = s->least[i];
	qsort(samples, n, sizeof(*samples), by_size);
	return samples[n * FLOOR_PART / 100];
}

/* Takes the middle frame where no other is sharper by more than noise. */
static void prefer_middle(struct selection *s, int middle)
{
	float lead = FLOOR_LEAD * noise_floor(s);

	for (size_t i = 0; i < s->cells; i++)
		if (s->best[i] <= s->middle[i] * LEAD + lead)
			s->focus->frame[i] = (uint8_t)middle;
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

/* The median of three sorted columns: the median of the greatest minimum, the median of
 * the medians, and the smallest maximum. */
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

/* A median filter: a cell that differs from all its neighbours is noise. */
static void smooth(const struct focus_map *focus, uint8_t *to)
{
	size_t width = (size_t)focus->width;

	memcpy(to, focus->frame, width * (size_t)focus->height);
	for (int y = 1; y < focus->height - 1; y++) {
		const uint8_t *here = focus->frame + (size_t)y * width;
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

static int make_memory(struct selection *s, struct focus_map *focus)
{
	bool whole = true;

	focus->frame = malloc(s->cells);
	s->best = calloc(s->cells, sizeof(float));
	s->least = malloc(s->cells * sizeof(float));
	s->middle = calloc(s->cells, sizeof(float));
	for (int i = 0; i < s->at_once; i++) {
		s->maps[i] = malloc(s->cells * sizeof(float));
		s->scratch[i] = malloc(s->cells * sizeof(float) * 2);
		whole = whole && s->maps[i] && s->scratch[i];
	}
	return whole && focus->frame && s->best && s->least && s->middle ? 0 : -ENOMEM;
}

static int processors(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count < 1 ? 1 : count > AT_ONCE ? AT_ONCE : (int)count;
}

static void free_memory(struct selection *s)
{
	free(s->best);
	free(s->least);
	free(s->middle);
	for (int i = 0; i < AT_ONCE; i++) {
		free(s->maps[i]);
		free(s->scratch[i]);
	}
}

/* The next usable frames, as many as fit in memory. */
static void choose_frames(struct selection *s, const bool *use, int count)
{
	for (s->count = 0; s->first < count && s->count < s->at_once; s->first++)
		if (use[s->first])
			s->numbers[s->count++] = s->first;
}

static int compare_frames(struct selection *s, const bool *use, int count,
			  struct cancel *cancel)
{
	for (size_t i = 0; i < s->cells; i++)
		s->least[i] = FLT_MAX;
	memset(s->focus->frame, count / 2, s->cells);
	while (s->first < count) {
		int ret;

		choose_frames(s, use, count);
		ret = parallel_for(s->count, make_map, s, cancel);
		if (ret < 0)
			return ret;
		merge_maps(s, count / 2);
	}
	return 0;
}

int focus_map_find(struct focus_map *focus, const struct sharpness *frames,
		   const struct warp *warps, const bool *use, int count,
		   const struct layout *layout, struct cancel *cancel)
{
	struct selection s = {.focus = focus,
			      .frames = frames,
			      .warps = warps,
			      .layout = layout,
			      .at_once = processors(),
			      .cells = (size_t)frames->width * (size_t)frames->height};
	int ret;

	*focus = (struct focus_map){frames->cell, frames->width, frames->height, NULL};
	ret = make_memory(&s, focus);
	if (ret == 0)
		ret = compare_frames(&s, use, count, cancel);
	if (ret == 0) {
		uint8_t *smoothed = malloc(s.cells);

		prefer_middle(&s, count / 2);
		if (smoothed)
			smooth(focus, smoothed);
		free(focus->frame);
		focus->frame = smoothed;
		ret = smoothed ? 0 : -ENOMEM;
	}
	free_memory(&s);
	if (ret < 0)
		focus_map_free(focus);
	return ret;
}

void focus_map_free(struct focus_map *focus)
{
	free(focus->frame);
	*focus = (struct focus_map){0};
}
