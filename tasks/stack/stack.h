/* Focus stacking: makes one image that is sharp all over from several that are focused at
 * different distances.
 *
 * Blocks; uses all processors.  All frames are decoded in memory if they need at most
 * STACK_KEEP bytes.  Otherwise two of them and the result are, and each frame is decoded
 * twice. */
#ifndef TASKS_STACK_STACK_H
#define TASKS_STACK_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"
#include "agent/base/cancel.h"
#include "tasks/stack/ycc_image.h"
#include "tasks/stack/warp.h"

#define STACK_FRAMES 99
#define STACK_KEEP 200000000

/* How frames lie under the middle one, where that is known from a calibration. */
struct stack_known {
	bool is[STACK_FRAMES];
	struct warp warps[STACK_FRAMES];
};

struct stack_job {
	int count; /* frames, 1 to STACK_FRAMES, ordered by focus */

	/* Reads a frame's JPEG into *bytes, which the stack frees.  Called on several
	 * threads at the same time, and possibly twice per frame. */
	int (*read)(void *context, int frame, char **bytes, size_t *size,
		    struct err *err);
	void *context;

	/* For frames that cannot be aligned by their contents; NULL: nothing is known. */
	const struct stack_known *known;
	bool trust_known; /* use known alone and align nothing */

	int quality;	       /* of the JPEG, 1 to 100; 0: as the middle frame */
	size_t keep;	       /* bytes of decoded frames to keep; 0: STACK_KEEP */
	struct cancel *cancel; /* may be NULL */
};

/* The outcome for each frame. */
struct stack_report {
	bool aligned[STACK_FRAMES];	 /* by its contents, or with trust_known */
	struct warp warps[STACK_FRAMES]; /* under the middle frame */
	bool used[STACK_FRAMES];	 /* some of it is in the result */
	bool bad[STACK_FRAMES];		 /* not decodable, or not like the middle frame */
	struct err errors[STACK_FRAMES]; /* why a frame is bad */
	struct layout layout;		 /* of the middle frame */
};

/* Decodes and aligns the frames.  -EBADMSG when a frame is bad, with a sentence about the
 * first one and the report about all; -EINTR; -ENOMEM. */
int stack_align(const struct stack_job *job, struct stack_report *report,
		struct err *err);

/* Does the same, and makes the stacked image as a JPEG with the middle frame's EXIF block
 * and colour profile; the caller frees it.  A frame that cannot be aligned is left out,
 * and so are those further from the middle, unless their warps are known. */
int stack_make(const struct stack_job *job, struct stack_report *report, void **jpeg,
	       size_t *size, struct err *err);

#endif
