/* Encodes and decodes .npy files. */
#include "tasks/capture/npy.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/frame.h"

#define HEAD 128 /* magic, version, length and description together; a multiple of 64 */
#define LENGTH 8 /* offset of the length field, after magic and version */
#define SIDE_MAX 65535

static const unsigned char magic[LENGTH] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};

static size_t pixels_of(const struct frame *frame)
{
	return (size_t)frame->width * (size_t)frame->height * 3;
}

static void write_head(const struct frame *frame, char head[HEAD])
{
	int used;

	memset(head, ' ', HEAD);
	memcpy(head, magic, LENGTH);
	head[LENGTH] = HEAD - LENGTH - 2;
	head[LENGTH + 1] = 0;
	used = snprintf(
		head + LENGTH + 2, HEAD - LENGTH - 2,
		"{'descr': '|u1', 'fortran_order': False, 'shape': (%d, %d, 3), }",
		frame->height, frame->width);
	head[LENGTH + 2 + used] = ' '; /* instead of the NUL */
	head[HEAD - 1] = '\n';
}

int npy_encode(const struct frame *frame, void **bytes, size_t *size, struct err *err)
{
	char *all = malloc(HEAD + pixels_of(frame));

	if (!all)
		return err_set(err, -ENOMEM, "out of memory");
	write_head(frame, all);
	memcpy(all + HEAD, frame->rgb, pixels_of(frame));
	*bytes = all;
	*size = HEAD + pixels_of(frame);
	return 0;
}

bool npy_starts(const void *bytes)
{
	return !memcmp(bytes, magic, NPY_START);
}

/* Accepts only the header that npy_encode() would write for these sides. */
static bool read_head(const char *head, int *width, int *height)
{
	static const char shape[] = "'shape': (";
	char text[HEAD + 1], expected[HEAD], *at;
	struct frame frame = {.rows = 0};
	long sides[2];

	memcpy(text, head, HEAD);
	text[HEAD] = '\0';
	at = memmem(text, HEAD, shape, sizeof(shape) - 1);
	if (!at)
		return false;
	sides[0] = strtol(at + sizeof(shape) - 1, &at, 10);
	sides[1] = strtol(at + (*at == ','), NULL, 10);
	if (sides[0] < 1 || sides[0] > SIDE_MAX || sides[1] < 1 || sides[1] > SIDE_MAX)
		return false;
	frame.height = (int)sides[0];
	frame.width = (int)sides[1];
	write_head(&frame, expected);
	*width = frame.width;
	*height = frame.height;
	return !memcmp(head, expected, HEAD);
}

int npy_decode(const void *bytes, size_t size, struct frame **out, struct err *err)
{
	struct frame *frame;
	int width, height;

	if (size < HEAD || !read_head(bytes, &width, &height) ||
	    size != HEAD + (size_t)width * (size_t)height * 3)
		return err_set(err, -EBADMSG, "not a whole array of pixels");
	frame = frame_new(width, height);
	if (!frame)
		return err_set(err, -ENOMEM, "out of memory");
	memcpy(frame->rgb, (const char *)bytes + HEAD, pixels_of(frame));
	frame->orientation = 1;
	*out = frame;
	return 0;
}
