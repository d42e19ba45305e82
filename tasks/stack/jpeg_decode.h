/* Decodes a JPEG into its channels, without converting colours.  Pure; any thread. */
#ifndef TASKS_STACK_JPEG_DECODE_H
#define TASKS_STACK_JPEG_DECODE_H

#include "agent/base/err.h"
#include "tasks/stack/ycc_image.h"

/* Larger images cannot be stacked. */
#define JPEG_DECODE_PIXELS_MAX 130000000
#define JPEG_DECODE_SIDE_MAX 32000

/* Receives luma while it is decoded: whole rows from row y on, an even number of them
 * except at the end of the image. */
struct luma_sink {
	void (*write)(void *context, const struct plane *rows, int y);
	void *context;
};

/* Reads the layout from the JPEG's header, and the quantization tables unless coarseness
 * is NULL.  -EBADMSG, with the reason, for a JPEG that cannot be stacked: damaged;
 * progressive (decoding would keep all coefficients in memory); not luma and chroma; or
 * too large. */
int jpeg_decode_layout(const void *jpeg, size_t size, struct layout *layout,
		       struct coarseness *coarseness, struct err *err);

/* Decodes the JPEG into image, which must have its layout.  With image NULL only the sink
 * (may be NULL) receives the luma, band by band.  -EBADMSG when the JPEG is truncated or
 * damaged. */
int jpeg_decode(const void *jpeg, size_t size, struct ycc_image *image,
		const struct luma_sink *sink, struct err *err);

#endif
