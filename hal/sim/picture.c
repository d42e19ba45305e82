#include "hal/sim/picture.h"

#include <errno.h>
#include <sys/mman.h>

int picture_open(struct picture *picture, int width, int height)
{
	const size_t pixels = (size_t)width * (size_t)height;
	const size_t bytes = pixels * 4 * sizeof(uint16_t);
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -ENOMEM;

	picture->width = width;
	picture->height = height;
	picture->rgb = memory;
	picture->blur = picture->rgb + 3 * pixels;
	picture->mapped = bytes;
	return 0;
}

void picture_close(struct picture *picture)
{
	if (picture->rgb)
		munmap(picture->rgb, picture->mapped);
	picture->rgb = NULL;
}
