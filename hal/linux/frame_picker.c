/* Compares what a frame reports with what was asked for. */
#include "hal/linux/frame_picker.h"

#include <math.h>

#define SETTLE_FRAMES 8
#define LENS_NS (5 * INT64_C(1000000000))
#define LENS_NEAR 0.001	  /* dioptres */
#define LIGHT_NEAR 0.03	  /* of the value: a sensor counts in rows and steps */
#define EXPOSURE_NEAR 100 /* microseconds, of short ones */

enum focus { FOCUS_IDLE, FOCUS_SCANNING };

void frame_picker_begin(struct frame_picker *picker,
			const struct camera_control *controls, size_t count,
			const struct camera_facts *facts, int64_t asked_ns)
{
	*picker = (struct frame_picker){-1, -1, -1, false, asked_ns, 0};

	for (size_t i = 0; i < count; i++) {
		const struct camera_control *control = &controls[i];

		if (!facts->has[control->id])
			continue;
		if (control->id == CAMERA_EXPOSURE_TIME)
			picker->exposure_us = control->value[0];
		else if (control->id == CAMERA_ANALOGUE_GAIN)
			picker->gain = control->value[0];
		else if (control->id == CAMERA_LENS_POSITION)
			picker->lens_position = control->value[0];
		else if (control->id == CAMERA_AF_TRIGGER)
			picker->focusing = true;
	}
}

/* Whether the frame was exposed after the request.  A frame without a timestamp counts if
 * another one came before it. */
static bool picker_is_fresh(const struct frame_picker *picker,
			    const struct camera_metadata *frame)
{
	double exposed_us = frame->exposure_us > 0 ? frame->exposure_us : 0;

	if (frame->timestamp_ns < 0)
		return picker->seen > 1;
	return frame->timestamp_ns - (int64_t)(exposed_us * 1e3) >= picker->asked_ns;
}

static bool picker_is_near(double requested, double reported, double near)
{
	return requested < 0 || reported < 0 || fabs(reported - requested) <= near;
}

static bool picker_is_lit(const struct frame_picker *picker,
			  const struct camera_metadata *frame)
{
	return picker_is_near(picker->exposure_us, frame->exposure_us,
			      fmax(picker->exposure_us * LIGHT_NEAR, EXPOSURE_NEAR)) &&
	       picker_is_near(picker->gain, frame->gain, picker->gain * LIGHT_NEAR);
}

static bool picker_is_sharp(const struct frame_picker *picker,
			    const struct camera_metadata *frame)
{
	bool scanning = frame->focus == FOCUS_IDLE || frame->focus == FOCUS_SCANNING;

	return !(picker->focusing && scanning) &&
	       picker_is_near(picker->lens_position, frame->lens_position, LENS_NEAR);
}

bool frame_picker_accepts(struct frame_picker *picker,
			  const struct camera_metadata *frame, int64_t now_ns)
{
	picker->seen++;
	return picker_is_fresh(picker, frame) &&
	       (picker->seen >= SETTLE_FRAMES || picker_is_lit(picker, frame)) &&
	       (now_ns - picker->asked_ns >= LENS_NS || picker_is_sharp(picker, frame));
}
