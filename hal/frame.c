/* Allocates and frees the pixels of a photo. */
#include "hal/frame.h"

#include <stdlib.h>
#include <sys/mman.h>

static size_t frame_bytes(const struct frame *frame)
{
	return (size_t)frame->width * (size_t)frame->height * 3;
}

struct frame *frame_new(int width, int height)
{
	struct frame *frame = calloc(1, sizeof(*frame));
	void *pixels;

	if (!frame)
		return NULL;
	frame->width = width;
	frame->height = height;
	frame->rows = height;
	pixels = mmap(NULL, frame_bytes(frame), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pixels == MAP_FAILED) {
		free(frame);
		return NULL;
	}
	frame->rgb = pixels;
	return frame;
}

void frame_free(struct frame *frame)
{
	if (!frame)
		return;
	if (frame->yuv)
		frame->yuv->free(frame->yuv);
	munmap(frame->rgb, frame_bytes(frame));
	free(frame);
}
