/* Turns libjpeg's fatal errors into longjmp() plus a sentence.
 *
 *     struct jpeg_failure failure;
 *
 *     info.err = jpeg_failure_catch(&failure);
 *     if (setjmp(failure.jump))
 *             … destroy info, report failure.text …
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

/* Warnings are failures, too: they mean damaged data, and a damaged photo must not pass
 * for a good one. */
struct jpeg_error_mgr *jpeg_failure_catch(struct jpeg_failure *failure);

#endif
