/* From a JPEG to its channels.  Pure; any thread. */
#ifndef TASKS_STACK_JPEG_DECODE_H
#define TASKS_STACK_JPEG_DECODE_H

#include "agent/base/err.h"
#include "tasks/stack/ycc_image.h"

/* Who looks at luma while it is decoded: some whole rows from row y on, an even number
 * except at the end. */
struct unpack_eye {
	void (*look)(void *context, const struct plane *rows, int y);
	void *context;
};

/* What the JPEG's header says.  -EBADMSG for what is no JPEG that can be stacked, with
 * the reason: damaged, progressive (would need all its coefficients in memory), of other
 * channels than luma and chroma, larger than UNPACK_PIXELS.  coarseness may be NULL. */
#define UNPACK_PIXELS 130000000
#define UNPACK_SIDE 32000
int unpack_layout(const void *jpeg, size_t size, struct layout *layout,
		  struct coarseness *coarseness, struct err *err);

/* Decodes all of it.  picture, of the JPEG's layout, takes the channels; with NULL they
 * pass in bands of some rows and only the eye (NULL is fine) sees them.  A JPEG that ends
 * early or has damaged data is -EBADMSG. */
int unpack(const void *jpeg, size_t size, struct ycc_image *image,
	   const struct unpack_eye *eye, struct err *err);

#endif
