/* libjpeg error handlers that jump back to the caller. */
#include "tasks/capture/jpeg.h"

static void jump(j_common_ptr info)
{
	struct jpeg_failure *failure = (struct jpeg_failure *)info->err;

	failure->mgr.format_message(info, failure->text);
	longjmp(failure->jump, 1);
}

static void note(j_common_ptr info, int level)
{
	if (level < 0)
		jump(info);
}

struct jpeg_error_mgr *jpeg_failure_catch(struct jpeg_failure *failure)
{
	jpeg_std_error(&failure->mgr);
	failure->mgr.error_exit = jump;
	failure->mgr.emit_message = note;
	failure->text[0] = '\0';
	return &failure->mgr;
}
