/* One picture that is sharp all over, from several that are focused one behind the other.
 *
 * Blocking; uses all processors.  Memory: the decoded frames while that is no more than
 * STACK_KEEP bytes; else two of them and the result, and each frame is decoded twice. */
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

/* How frames lie under the middle one, as far as it is known. */
struct stack_known {
	bool is[STACK_FRAMES];
	struct warp warps[STACK_FRAMES];
};

struct stack_job {
	int count; /* frames, 1 to STACK_FRAMES, ordered by focus */

	/* Reads a frame's JPEG into *bytes, which becomes the stack's to free.  Called on
	 * several threads at once, and perhaps twice for a frame. */
	int (*read)(void *context, int frame, char **bytes, size_t *size,
		    struct err *err);
	void *context;

	/* For frames that the pictures tell nothing of; NULL when nothing is known. */
	const struct stack_known *known;
	bool trust_known; /* take that alone, and look at no picture for it */

	int quality;	       /* of the JPEG, 1 to 100, or 0 for the middle frame's */
	size_t keep;	       /* bytes of decoded frames to keep; 0: STACK_KEEP */
	struct cancel *cancel; /* ends the work early; NULL is fine */
};

/* What became of the frames. */
struct stack_report {
	bool aligned[STACK_FRAMES]; /* the pictures told, or what is known was taken */
	struct warp warps[STACK_FRAMES]; /* under the middle one */
	bool used[STACK_FRAMES];	 /* was there something to take from it */
	bool bad[STACK_FRAMES]; /* cannot be decoded, or is not like the middle one */
	struct err errors[STACK_FRAMES]; /* of those: why */
	struct layout layout;		 /* of the middle frame */
};

/* Decodes and aligns.  -EBADMSG when a frame is bad, with a sentence about the first and
 * the report about all; -EINTR; -ENOMEM. */
int stack_align(const struct stack_job *job, struct stack_report *report,
		struct err *err);

/* The same, and the stacked picture as a JPEG with the middle frame's EXIF block and
 * colour profile; the caller frees it.  A frame that cannot be aligned, and those behind
 * it as seen from the middle, are left out, unless it is known how they lie. */
int stack_make(const struct stack_job *job, struct stack_report *report, void **jpeg,
	       size_t *size, struct err *err);

#endif
