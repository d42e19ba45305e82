/* Decides which frame of a stream is the photo that was asked for: settings take effect
 * some frames after they were given, and a lens takes its time.  Pure; knows no clock. */
#ifndef HAL_LINUX_FRAME_PICKER_H
#define HAL_LINUX_FRAME_PICKER_H

#include "hal/linux/camera_module.h"

struct frame_picker {
	/* What the camera was told; negative: nothing that it would confirm. */
	double exposure_us, gain, lens_position;
	bool focusing;	  /* it was told to focus */
	int64_t asked_ns; /* CLOCK_BOOTTIME */
	int seen;	  /* frames so far */
};

/* Begins at the time asked_ns, with what of controls the camera has. */
void frame_picker_begin(struct frame_picker *picker,
			const struct camera_control *controls, size_t count,
			const struct camera_facts *facts, int64_t asked_ns);

/* Is this frame, which came at now_ns, the photo?  A lens that does not arrive is waited
 * for 5 s, settings that the camera does not follow for 8 frames: then the frame is taken
 * as it is, with what its metadata says. */
bool frame_picker_accepts(struct frame_picker *picker,
			  const struct camera_metadata *frame, int64_t now_ns);

#endif
