/* Decides which frame of a stream is the photo that was asked for: settings take effect
 * some frames after they were set, and a lens takes time to move.  Pure, no clock. */
#ifndef HAL_LINUX_FRAME_PICKER_H
#define HAL_LINUX_FRAME_PICKER_H

#include "hal/linux/camera_module.h"

struct frame_picker {
	/* What was requested; negative: nothing that the camera would report. */
	double exposure_us, gain, lens_position;
	bool focusing;	  /* it was asked to focus */
	int64_t asked_ns; /* CLOCK_BOOTTIME */
	int seen;	  /* frames so far */
};

/* Begins at the time asked_ns, with those of the controls that the camera has. */
void frame_picker_begin(struct frame_picker *picker,
			const struct camera_control *controls, size_t count,
			const struct camera_facts *facts, int64_t asked_ns);

/* Whether this frame, which arrived at now_ns, is the photo.  Waits at most 5 s for a
 * lens that does not arrive and 8 frames for settings that the camera does not follow;
 * then it accepts the frame as it is, and its metadata says so. */
bool frame_picker_accepts(struct frame_picker *picker,
			  const struct camera_metadata *frame, int64_t now_ns);

#endif
