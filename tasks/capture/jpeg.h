/* libjpeg's way to fail, as ours: a failed call jumps back to where its user stands, with
 * a sentence.
 *
 *     struct jpeg_failure failure;
 *
 *     info.err = jpeg_failure_catch(&failure);
 *     if (setjmp(failure.jump))
 *             … destroy info, tell failure.text …
 */
#ifndef TASKS_CAPTURE_JPEG_H
#define TASKS_CAPTURE_JPEG_H

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

struct jpeg_failure {
	struct jpeg_error_mgr mgr;
	jmp_buf jump;
	char text[JMSG_LENGTH_MAX];
};

/* A warning counts as a failure: it means damaged data, and such a photo must not pass
 * for a good one. */
struct jpeg_error_mgr *jpeg_failure_catch(struct jpeg_failure *failure);

#endif
