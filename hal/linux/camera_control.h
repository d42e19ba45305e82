/* Translates the settings of a camera into libcamera's controls.  Pure functions. */
#ifndef HAL_LINUX_CAMERA_CONTROL_H
#define HAL_LINUX_CAMERA_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"

/* The controls that the agent sets, by libcamera's names. */
enum camera_control_id {
	CAMERA_AE_ENABLE,
	CAMERA_AWB_ENABLE,
	CAMERA_NOISE_REDUCTION_MODE,
	CAMERA_EXPOSURE_TIME,	      /* microseconds */
	CAMERA_FRAME_DURATION_LIMITS, /* shortest, longest; microseconds */
	CAMERA_ANALOGUE_GAIN,
	CAMERA_COLOUR_GAINS, /* red, blue */
	CAMERA_SATURATION,
	CAMERA_CONTRAST,
	CAMERA_SCALER_CROP,   /* x, y, width, height; pixels of the sensor */
	CAMERA_AF_MODE,	      /* 0 manual, 1 auto, 2 continuous */
	CAMERA_AF_TRIGGER,    /* 0 start */
	CAMERA_AF_METERING,   /* 1 windows */
	CAMERA_AF_WINDOWS,    /* x, y, width, height; pixels of the sensor */
	CAMERA_LENS_POSITION, /* dioptres */
	CAMERA_CONTROLS
};

/* "ExposureTime", … */
const char *camera_control_name(enum camera_control_id id);

struct camera_control {
	enum camera_control_id id;
	double value[4]; /* as many as the control takes */
};

/* What an open camera reports about itself. */
struct camera_facts {
	int width, height;		 /* its largest picture, in pixels */
	int sensor_width, sensor_height; /* what crop and focus windows are measured in */
	bool has[CAMERA_CONTROLS];
};

enum camera_use {
	CAMERA_PHOTO,
	CAMERA_PREVIEW, /* focuses continuously rather than before each picture */
	CAMERA_MEASURE, /* finds exposure and white balance by itself */
};

/* Writes the controls for settings (complete and checked) and returns how many there are,
 * whether or not the camera has them.  -EINVAL and "invalid_args" for an AF_window
 * outside the picture. */
int camera_controls(const cJSON *settings, const struct camera_facts *facts,
		    enum camera_use use, struct camera_control out[CAMERA_CONTROLS],
		    struct err *err);

/* A part of a picture, in pixels from its top left corner. */
struct camera_part {
	int x, y, width, height;
};

/* The part of the sensor's picture that crop_width and crop_height leave: in its middle
 * and of even size.  Width and height are swapped if orientation_flag says that the
 * picture is rotated by 90 degrees. */
struct camera_part camera_crop(const cJSON *settings, int width, int height);

/* The size to ask the camera for.  photo_resolution, or else the largest size, is the
 * size of the sensor's whole picture.  A camera that can crop is asked for the part that
 * camera_crop() leaves of it; for other cameras that part is cut out afterwards. */
void camera_picture_size(const cJSON *settings, const struct camera_facts *facts,
			 int *width, int *height);

#endif
