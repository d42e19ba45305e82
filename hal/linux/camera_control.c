/* Translates camera settings into libcamera's controls, crops and focus windows. */
#include "hal/linux/camera_control.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "agent/base/json.h"

#define AF_MANUAL 0
#define AF_AUTO 1
#define AF_CONTINUOUS 2
#define AF_START 0
#define AF_BY_WINDOWS 1
/* Percent of the picture's sides that the default focus window takes. */
#define AF_SHARE 10
#define SHORTEST_FRAME_US 100
#define LONGEST_FRAME_US 1e9
#define LENS_OTHERWISE 1.0 /* dioptres */

const char *camera_control_name(enum camera_control_id id)
{
	static const char *const names[CAMERA_CONTROLS] = {
		[CAMERA_AE_ENABLE] = "AeEnable",
		[CAMERA_AWB_ENABLE] = "AwbEnable",
		[CAMERA_NOISE_REDUCTION_MODE] = "NoiseReductionMode",
		[CAMERA_EXPOSURE_TIME] = "ExposureTime",
		[CAMERA_FRAME_DURATION_LIMITS] = "FrameDurationLimits",
		[CAMERA_ANALOGUE_GAIN] = "AnalogueGain",
		[CAMERA_COLOUR_GAINS] = "ColourGains",
		[CAMERA_SATURATION] = "Saturation",
		[CAMERA_CONTRAST] = "Contrast",
		[CAMERA_SCALER_CROP] = "ScalerCrop",
		[CAMERA_AF_MODE] = "AfMode",
		[CAMERA_AF_TRIGGER] = "AfTrigger",
		[CAMERA_AF_METERING] = "AfMetering",
		[CAMERA_AF_WINDOWS] = "AfWindows",
		[CAMERA_LENS_POSITION] = "LensPosition",
	};

	return names[id];
}

/* ---- parts of the picture ---- */

static int camera_flag(const cJSON *settings)
{
	return (int)json_number(settings, "orientation_flag", 1);
}

static int camera_even(int size)
{
	return size < 2 ? 2 : size / 2 * 2;
}

struct camera_part camera_crop(const cJSON *settings, int width, int height)
{
	double wide = json_number(settings, "crop_width", 0);
	double high = json_number(settings, "crop_height", 0);
	bool turned = camera_flag(settings) >= 5;
	struct camera_part part = {
		.width = camera_even((int)(width * (1 - (turned ? high : wide) / 100))),
		.height = camera_even((int)(height * (1 - (turned ? wide : high) / 100))),
	};

	part.x = (width - part.width) / 2;
	part.y = (height - part.height) / 2;
	return part;
}

/* Turns a part of the upright picture into the sensor's coordinates, by the EXIF
 * orientation flag. */
static struct camera_part camera_unturn(struct camera_part part, int flag, int width,
					int height)
{
	struct camera_part raw = part;

	if (flag >= 5)
		raw = (struct camera_part){part.y, part.x, part.height, part.width};
	if (flag == 2 || flag == 3 || flag == 7 || flag == 8)
		raw.x = width - raw.x - raw.width;
	if (flag == 3 || flag == 4 || flag == 6 || flag == 7)
		raw.y = height - raw.y - raw.height;
	return raw;
}

static int camera_window(const cJSON *settings, const struct camera_facts *facts,
			 struct camera_part *out, struct err *err)
{
	const cJSON *window = cJSON_GetObjectItemCaseSensitive(settings, "AF_window");
	int width = facts->sensor_width, height = facts->sensor_height;
	struct camera_part part;

	if (!cJSON_IsArray(window)) {
		part.width = width * AF_SHARE / 100;
		part.height = height * AF_SHARE / 100;
		part.x = (width - part.width) / 2;
		part.y = (height - part.height) / 2;
		*out = part;
		return 0;
	}
	part = (struct camera_part){cJSON_GetArrayItem(window, 0)->valueint,
				    cJSON_GetArrayItem(window, 1)->valueint,
				    cJSON_GetArrayItem(window, 2)->valueint,
				    cJSON_GetArrayItem(window, 3)->valueint};
	part = camera_unturn(part, camera_flag(settings), width, height);
	if (part.width < 1 || part.height < 1 || part.x < 0 || part.y < 0 ||
	    part.x > width - part.width || part.y > height - part.height) {
		bool turned = camera_flag(settings) >= 5;

		return err_code(
			err, -EINVAL, "invalid_args",
			"AF_window (x, y, width, height) must lie within the upright "
			"picture of %d by %d",
			turned ? height : width, turned ? width : height);
	}
	*out = part;
	return 0;
}

void camera_picture_size(const cJSON *settings, const struct camera_facts *facts,
			 int *width, int *height)
{
	const cJSON *size =
		cJSON_GetObjectItemCaseSensitive(settings, "photo_resolution");
	bool chosen = cJSON_IsArray(size);
	struct camera_part crop;

	*width = chosen ? cJSON_GetArrayItem(size, 0)->valueint : facts->width;
	*height = chosen ? cJSON_GetArrayItem(size, 1)->valueint : facts->height;
	if (!facts->has[CAMERA_SCALER_CROP])
		return;
	crop = camera_crop(settings, *width, *height);
	*width = crop.width;
	*height = crop.height;
}

/* ---- the list ---- */

struct camera_list {
	struct camera_control *out;
	int count;
};

static void camera_add(struct camera_list *list, enum camera_control_id id, double first,
		       double second)
{
	list->out[list->count++] = (struct camera_control){id, {first, second}};
}

static void camera_add_part(struct camera_list *list, enum camera_control_id id,
			    const struct camera_part *part)
{
	list->out[list->count++] = (struct camera_control){
		id, {part->x, part->y, part->width, part->height}};
}

/* Exposure, gain and colours, from the settings or left to the camera (measure). */
static void camera_add_light(struct camera_list *list, const cJSON *settings,
			     bool measure)
{
	camera_add(list, CAMERA_AE_ENABLE, measure, 0);
	camera_add(list, CAMERA_AWB_ENABLE, measure, 0);
	camera_add(list, CAMERA_NOISE_REDUCTION_MODE, 0, 0);
	camera_add(list, CAMERA_FRAME_DURATION_LIMITS, SHORTEST_FRAME_US,
		   LONGEST_FRAME_US);
	camera_add(list, CAMERA_ANALOGUE_GAIN, json_number(settings, "gain", 1), 0);
	camera_add(list, CAMERA_SATURATION, json_number(settings, "saturation", 1), 0);
	camera_add(list, CAMERA_CONTRAST, json_number(settings, "contrast", 1), 0);
	if (measure)
		return;
	camera_add(list, CAMERA_EXPOSURE_TIME,
		   (double)llround(json_number(settings, "shutter", 0) * 1000), 0);
	camera_add(list, CAMERA_COLOUR_GAINS, json_number(settings, "awbg_red", 1),
		   json_number(settings, "awbg_blue", 1));
}

static int camera_add_focus(struct camera_list *list, const cJSON *settings,
			    const struct camera_facts *facts, enum camera_use use,
			    struct err *err)
{
	struct camera_part window = {0};
	int ret;

	if (!json_bool(settings, "AF", false)) {
		camera_add(list, CAMERA_AF_MODE, AF_MANUAL, 0);
		camera_add(list, CAMERA_LENS_POSITION,
			   json_number(settings, "manual_focus", LENS_OTHERWISE), 0);
		return 0;
	}
	ret = camera_window(settings, facts, &window, err);
	if (ret < 0)
		return ret;
	camera_add(list, CAMERA_AF_METERING, AF_BY_WINDOWS, 0);
	camera_add_part(list, CAMERA_AF_WINDOWS, &window);
	camera_add(list, CAMERA_AF_MODE, use == CAMERA_PHOTO ? AF_AUTO : AF_CONTINUOUS,
		   0);
	if (use == CAMERA_PHOTO)
		camera_add(list, CAMERA_AF_TRIGGER, AF_START, 0);
	return 0;
}

int camera_controls(const cJSON *settings, const struct camera_facts *facts,
		    enum camera_use use, struct camera_control out[CAMERA_CONTROLS],
		    struct err *err)
{
	struct camera_list list = {.out = out};
	struct camera_part crop =
		camera_crop(settings, facts->sensor_width, facts->sensor_height);
	int ret;

	camera_add_light(&list, settings, use == CAMERA_MEASURE);
	camera_add_part(&list, CAMERA_SCALER_CROP, &crop);
	ret = camera_add_focus(&list, settings, facts, use, err);
	return ret < 0 ? ret : list.count;
}
