/* The table of photo formats. */
#include "tasks/capture/photo_format.h"

#include <errno.h>
#include <string.h>

#include "hal/frame.h"
#include "tasks/capture/npy.h"
#include "tasks/capture/photo.h"

static bool jpeg_is_whole(const unsigned char *first, const unsigned char *last)
{
	return first[0] == 0xff && first[1] == 0xd8 &&
	       last[PHOTO_FORMAT_EDGE - 2] == 0xff && last[PHOTO_FORMAT_EDGE - 1] == 0xd9;
}

/* The end of an array is a pixel like any other, so only its beginning is checked. */
static bool array_is_whole(const unsigned char *first, const unsigned char *last)
{
	(void)last;
	return npy_starts(first);
}

static int array_decode(const void *bytes, size_t size, int max_side, struct frame **out,
			struct err *err)
{
	struct frame *frame;
	int ret = npy_decode(bytes, size, &frame, err);

	if (ret < 0)
		return ret;
	*out = photo_fit(frame, max_side);
	frame_free(frame);
	return *out ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static const struct {
	const char *name, *ending;
	int (*encode)(const struct frame *frame, void **bytes, size_t *size,
		      struct err *err);
	int (*decode)(const void *bytes, size_t size, int max_side, struct frame **out,
		      struct err *err);
	bool (*is_whole)(const unsigned char *first, const unsigned char *last);
} formats[] = {
	[PHOTO_FORMAT_JPEG] = {"jpeg", "jpg", photo_encode, photo_decode, jpeg_is_whole},
	[PHOTO_FORMAT_RGB_ARRAY] = {"rgb_array", "npy", npy_encode, array_decode,
				    array_is_whole},
};

int photo_format_parse(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i].name, name))
			return (int)i;
	return -ENOTSUP;
}

const char *photo_format_name(enum photo_format format)
{
	return formats[format].name;
}

const char *photo_format_extension(enum photo_format format)
{
	return formats[format].ending;
}

int photo_format_encode(enum photo_format format, const struct frame *frame, void **bytes,
			size_t *size, struct err *err)
{
	return formats[format].encode(frame, bytes, size, err);
}

int photo_format_decode(enum photo_format format, const void *bytes, size_t size,
			int max_side, struct frame **out, struct err *err)
{
	return formats[format].decode(bytes, size, max_side, out, err);
}

bool photo_format_is_whole(enum photo_format format, const unsigned char *first,
			   const unsigned char *last)
{
	return formats[format].is_whole(first, last);
}
