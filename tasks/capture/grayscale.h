/* A photo as a grey picture, for those who look at shapes and not at colours. */
#ifndef TASKS_CAPTURE_GRAYSCALE_H
#define TASKS_CAPTURE_GRAYSCALE_H

#include <stdbool.h>
#include <stdint.h>

struct frame;

struct grayscale {
	int width, height;
	uint8_t *pixels; /* width * height, rows from the top */
};

/* The luma of frame, not mirrored; a small one is made twice as large.  False when memory
 * is out.  Clear it in any case. */
bool grayscale_of(struct grayscale *grey, const struct frame *frame);
void grayscale_clear(struct grayscale *grey);

#endif
