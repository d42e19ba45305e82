/* Allocates and halves planes. */
#include "tasks/stack/plane.h"

#include <errno.h>
#include <sys/mman.h>

#include "agent/base/simd.h"

#define BLOCK 64

static size_t whole_blocks(int size)
{
	return ((size_t)size + BLOCK - 1) / BLOCK * BLOCK;
}

int plane_make(struct plane *plane, int width, int height)
{
	size_t stride = whole_blocks(width), bytes = stride * whole_blocks(height);
	void *pixels = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pixels == MAP_FAILED)
		return -ENOMEM;
	*plane = (struct plane){pixels, width, height, stride, bytes};
	return 0;
}

void plane_free(struct plane *plane)
{
	if (plane->bytes)
		munmap(plane->pixels, plane->bytes);
	*plane = (struct plane){0};
}

SIMD_CLONES static void halve_row(const uint8_t *restrict above,
				  const uint8_t *restrict below, uint8_t *restrict to,
				  int width)
{
	for (int x = 0; x < width; x++)
		to[x] = (uint8_t)((above[2 * x] + above[2 * x + 1] + below[2 * x] +
				   below[2 * x + 1] + 2) >>
				  2);
}

void plane_halve(const struct plane *from, const struct plane *to, int row)
{
	for (int y = 0; y < from->height / 2 && row + y < to->height; y++)
		halve_row(plane_row(from, 2 * y), plane_row(from, 2 * y + 1),
			  plane_row(to, row + y), to->width);
}
