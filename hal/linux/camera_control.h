/* From the settings of a camera to what libcamera is told.  Pure functions. */
#ifndef HAL_LINUX_CAMERA_CONTROL_H
#define HAL_LINUX_CAMERA_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"

/* The controls that are used, by libcamera's names. */
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
	double value[4]; /* as many as the control has */
};

/* What an open camera says of itself. */
struct camera_facts {
	int width, height;		 /* its largest picture, pixels */
	int sensor_width, sensor_height; /* what crop and windows are measured in */
	bool has[CAMERA_CONTROLS];
};

enum camera_use {
	CAMERA_PHOTO,
	CAMERA_PREVIEW, /* focuses all the time rather than before each */
	CAMERA_MEASURE, /* finds exposure and white balance by itself */
};

/* Writes the controls for settings (complete and checked) and returns how many; all of
 * them, whether the camera has them or not.  -EINVAL and "invalid_args" for an AF_window
 * outside of the picture. */
int camera_controls(const cJSON *settings, const struct camera_facts *facts,
		    enum camera_use use, struct camera_control out[CAMERA_CONTROLS],
		    struct err *err);

/* A part of a picture, pixels from its top left corner. */
struct camera_part {
	int x, y, width, height;
};

/* The part of a picture of the sensor that crop_width and crop_height leave: in its
 * middle, of even size, as wide as the turned picture is high where orientation_flag says
 * so. */
struct camera_part camera_crop(const cJSON *settings, int width, int height);

/* The size to ask the camera for.  photo_resolution, else all there is, is that of the
 * whole picture of the sensor; a camera that crops by itself is asked for the part that
 * camera_crop() leaves of it, from another one that part is cut out afterwards. */
void camera_picture_size(const cJSON *settings, const struct camera_facts *facts,
			 int *width, int *height);

#endif
