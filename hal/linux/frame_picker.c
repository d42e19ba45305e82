#include "hal/linux/frame_picker.h"

#include <math.h>

#define SETTLE_FRAMES 8
#define LENS_NS (5 * INT64_C(1000000000))
#define LENS_NEAR 0.001	  /* dioptres */
#define LIGHT_NEAR 0.03	  /* of the value: a sensor counts in rows and steps */
#define EXPOSURE_NEAR 100 /* microseconds, of short ones */

enum focus { FOCUS_IDLE, FOCUS_SCANNING };

void camera_judge_begin(struct camera_judge *judge, const struct camera_control *controls,
			size_t count, const struct camera_facts *facts, int64_t asked_ns)
{
	*judge = (struct camera_judge){-1, -1, -1, false, asked_ns, 0};

	for (size_t i = 0; i < count; i++) {
		const struct camera_control *control = &controls[i];

		if (!facts->has[control->id])
			continue;
		if (control->id == CAMERA_EXPOSURE_TIME)
			judge->exposure_us = control->value[0];
		else if (control->id == CAMERA_ANALOGUE_GAIN)
			judge->gain = control->value[0];
		else if (control->id == CAMERA_LENS_POSITION)
			judge->lens_position = control->value[0];
		else if (control->id == CAMERA_AF_TRIGGER)
			judge->focusing = true;
	}
}

/* Did all of it happen after it was asked for?  A frame without a time is one if another
 * came before it. */
static bool judge_is_fresh(const struct camera_judge *judge,
			   const struct camera_metadata *frame)
{
	double exposed_us = frame->exposure_us > 0 ? frame->exposure_us : 0;

	if (frame->timestamp_ns < 0)
		return judge->seen > 1;
	return frame->timestamp_ns - (int64_t)(exposed_us * 1e3) >= judge->asked_ns;
}

static bool judge_is_near(double asked, double told, double near)
{
	return asked < 0 || told < 0 || fabs(told - asked) <= near;
}

static bool judge_is_lit(const struct camera_judge *judge,
			 const struct camera_metadata *frame)
{
	return judge_is_near(judge->exposure_us, frame->exposure_us,
			     fmax(judge->exposure_us * LIGHT_NEAR, EXPOSURE_NEAR)) &&
	       judge_is_near(judge->gain, frame->gain, judge->gain * LIGHT_NEAR);
}

static bool judge_is_sharp(const struct camera_judge *judge,
			   const struct camera_metadata *frame)
{
	bool scanning = frame->focus == FOCUS_IDLE || frame->focus == FOCUS_SCANNING;

	return !(judge->focusing && scanning) &&
	       judge_is_near(judge->lens_position, frame->lens_position, LENS_NEAR);
}

bool camera_judge_takes(struct camera_judge *judge, const struct camera_metadata *frame,
			int64_t now_ns)
{
	judge->seen++;
	return judge_is_fresh(judge, frame) &&
	       (judge->seen >= SETTLE_FRAMES || judge_is_lit(judge, frame)) &&
	       (now_ns - judge->asked_ns >= LENS_NS || judge_is_sharp(judge, frame));
}
