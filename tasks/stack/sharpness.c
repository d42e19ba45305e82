/* Measures sharpness by the second derivative of luma. */
#include "tasks/stack/sharpness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/simd.h"

#define LARGE_PIXELS 30000000
#define LOWEST_LEVEL 50 /* a level with fewer rows is not halved again */

int sharpness_cell(const struct layout *layout)
{
	return (int64_t)layout->width * layout->height > LARGE_PIXELS ? 8 : 4;
}

static uint16_t second_derivative(int before, int here, int after)
{
	int value = 2 * here - before - after;

	return (uint16_t)(value < 0 ? -value : value);
}

/* Adds the second derivatives of luma in both directions for each pixel of a row. */
SIMD_CLONES static void add_row(const uint8_t *restrict above,
				const uint8_t *restrict here,
				const uint8_t *restrict below, uint16_t *restrict sum,
				int width)
{
	for (int x = 1; x < width - 1; x++)
		sum[x] = (uint16_t)(sum[x] +
				    second_derivative(here[x - 1], here[x], here[x + 1]) +
				    second_derivative(above[x], here[x], below[x]));
}

SIMD_CLONES static void sum_cells(const uint16_t *restrict sum, uint16_t *restrict energy,
				  int cells, int side)
{
	for (int i = 0; i < cells; i++) {
		unsigned total = 0;

		for (int x = 0; x < side; x++)
			total += sum[i * side + x];
		energy[i] = (uint16_t)total;
	}
}

/* Pixels at the frame's edge count as 0, since they lack a neighbour. */
static void measure_rows(struct sharpness *s, const struct plane *half, uint16_t *sum)
{
	int side = s->cell / 2;

	for (int row = 0; row < s->height; row++) {
		memset(sum, 0, (size_t)half->width * sizeof(*sum));
		for (int y = row * side; y < (row + 1) * side; y++)
			if (y > 0 && y < half->height - 1)
				add_row(plane_row(half, y - 1), plane_row(half, y),
					plane_row(half, y + 1), sum, half->width);
		sum_cells(sum, s->energy + (size_t)row * (size_t)s->width, s->width,
			  side);
	}
}

/* Halves the image until one pixel is one cell. */
static int make_first_level(struct sharpness *s, const struct plane *half)
{
	struct plane quarter = {0};
	int ret = plane_make(&quarter, half->width / 2, half->height / 2);

	if (ret < 0)
		return ret;
	plane_halve(half, &quarter, 0);
	s->count = 1;
	if (s->cell == 4) {
		s->levels[0] = quarter;
		return 0;
	}
	ret = plane_make(&s->levels[0], quarter.width / 2, quarter.height / 2);
	if (ret == 0)
		plane_halve(&quarter, &s->levels[0], 0);
	plane_free(&quarter);
	return ret;
}

static int make_levels(struct sharpness *s, const struct plane *half)
{
	int ret = make_first_level(s, half);

	while (ret == 0 && s->count < SHARPNESS_LEVELS) {
		const struct plane *finer = &s->levels[s->count - 1];

		if (finer->height <= LOWEST_LEVEL || finer->width <= LOWEST_LEVEL)
			break;
		ret = plane_make(&s->levels[s->count], finer->width / 2,
				 finer->height / 2);
		if (ret == 0)
			plane_halve(finer, &s->levels[s->count++], 0);
	}
	return ret;
}

int sharpness_measure(struct sharpness *s, const struct layout *layout,
		      const struct plane *half)
{
	uint16_t *sum;
	int ret;

	*s = (struct sharpness){.cell = sharpness_cell(layout)};
	s->width = layout->width / s->cell;
	s->height = layout->height / s->cell;
	s->energy = malloc((size_t)s->width * (size_t)s->height * sizeof(*s->energy));
	sum = malloc((size_t)half->width * sizeof(*sum));
	ret = s->energy && sum ? make_levels(s, half) : -ENOMEM;
	if (ret == 0)
		measure_rows(s, half, sum);
	else
		sharpness_free(s);
	free(sum);
	return ret;
}

void sharpness_free(struct sharpness *s)
{
	free(s->energy);
	for (int i = 0; i < SHARPNESS_LEVELS; i++)
		plane_free(&s->levels[i]);
	*s = (struct sharpness){0};
}
