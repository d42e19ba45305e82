/* Tests the conversion of camera settings to controls. */
#include "hal/linux/camera_control.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hal/sim/render.h"

#define ROOM 1024

/* An imx519, which has all controls. */
static const struct camera_facts imx519 = {.width = 4656,
					   .height = 3496,
					   .sensor_width = 4656,
					   .sensor_height = 3496,
					   .has = {[CAMERA_SCALER_CROP] = true}};

static int values_of(enum camera_control_id id)
{
	switch (id) {
	case CAMERA_SCALER_CROP:
	case CAMERA_AF_WINDOWS:
		return 4;
	case CAMERA_COLOUR_GAINS:
	case CAMERA_FRAME_DURATION_LIMITS:
		return 2;
	default:
		return 1;
	}
}

/* " AeEnable=0 ColourGains=1.8,2": the controls for settings (' for "). */
static int list(const char *settings, enum camera_use use, char text[ROOM],
		struct err *err)
{
	struct camera_control controls[CAMERA_CONTROLS];
	char json[ROOM];
	size_t used = 0;
	cJSON *parsed;
	int count;

	snprintf(json, sizeof(json), "%s", settings);
	for (char *c = json; *c; c++)
		if (*c == '\'')
			*c = '"';
	parsed = cJSON_Parse(json);
	assert_non_null(parsed);
	count = camera_controls(parsed, &imx519, use, controls, err);
	cJSON_Delete(parsed);
	text[0] = '\0';
	for (int i = 0; i < count; i++) {
		used += (size_t)snprintf(text + used, ROOM - used,
					 " %s=", camera_control_name(controls[i].id));
		for (int j = 0; j < values_of(controls[i].id); j++)
			used += (size_t)snprintf(text + used, ROOM - used, "%s%.10g",
						 j ? "," : "", controls[i].value[j]);
	}
	return count;
}

struct row {
	const char *settings;
	enum camera_use use;
	const char
		*expected; /* a part of the list; with a leading ! it must not be in it */
};

static const struct row rows[] = {
	/* exposure, gain and colours are taken from the settings, never automatic */
	{"{}", CAMERA_PHOTO, " AeEnable=0 AwbEnable=0 NoiseReductionMode=0 "},
	{"{'shutter':50}", CAMERA_PHOTO, " ExposureTime=50000 "},
	{"{'shutter':0.0014}", CAMERA_PHOTO, " ExposureTime=1 "},
	{"{'shutter':435918.849}", CAMERA_PHOTO, " ExposureTime=435918849 "},
	{"{'shutter':50}", CAMERA_PHOTO, " FrameDurationLimits=100,1000000000 "},
	{"{'gain':2.5}", CAMERA_PHOTO, " AnalogueGain=2.5 "},
	{"{'saturation':0.5,'contrast':1.5}", CAMERA_PHOTO,
	 " Saturation=0.5 Contrast=1.5 "},
	{"{'awbg_red':1.8,'awbg_blue':2}", CAMERA_PREVIEW, " ColourGains=1.8,2 "},
	/* except when calibrating */
	{"{'gain':2.5}", CAMERA_MEASURE, " AeEnable=1 AwbEnable=1 "},
	{"{'gain':2.5}", CAMERA_MEASURE, " AnalogueGain=2.5 "},
	{"{'shutter':50}", CAMERA_MEASURE, "! ExposureTime"},
	{"{'awbg_red':1.8}", CAMERA_MEASURE, "! ColourGains"},
	/* crop: in the middle, of even size, sides swapped for a rotated camera */
	{"{'crop_width':10,'crop_height':20,'orientation_flag':1}", CAMERA_PHOTO,
	 " ScalerCrop=233,350,4190,2796 "},
	{"{'crop_width':10,'crop_height':20,'orientation_flag':8}", CAMERA_PHOTO,
	 " ScalerCrop=466,175,3724,3146 "},
	{"{'crop_width':0,'crop_height':0}", CAMERA_PHOTO, " ScalerCrop=0,0,4656,3496 "},
	{"{'crop_width':100,'crop_height':100}", CAMERA_PHOTO,
	 " ScalerCrop=2327,1747,2,2 "},
	/* focus by hand */
	{"{'AF':false,'manual_focus':12}", CAMERA_PHOTO, " AfMode=0 LensPosition=12"},
	{"{'AF':false,'manual_focus':null}", CAMERA_PREVIEW, " AfMode=0 LensPosition=1"},
	{"{'AF':false}", CAMERA_PHOTO, "! AfWindows"},
	/* by itself: before each photo, all the time in a preview */
	{"{'AF':true}", CAMERA_PHOTO,
	 " AfMetering=1 AfWindows=2095,1573,465,349 AfMode=1 AfTrigger=0"},
	{"{'AF':true}", CAMERA_PREVIEW, " AfMode=2"},
	{"{'AF':true}", CAMERA_PREVIEW, "! AfTrigger"},
	{"{'AF':true,'manual_focus':12}", CAMERA_PHOTO, "! LensPosition"},
	/* a window of the upright picture, as the sensor sees it */
	{"{'AF':true,'AF_window':[10,20,300,400],'orientation_flag':1}", CAMERA_PHOTO,
	 " AfWindows=10,20,300,400 "},
	{"{'AF':true,'AF_window':[10,20,300,400],'orientation_flag':2}", CAMERA_PHOTO,
	 " AfWindows=4346,20,300,400 "},
	{"{'AF':true,'AF_window':[10,20,300,400],'orientation_flag':3}", CAMERA_PHOTO,
	 " AfWindows=4346,3076,300,400 "},
	{"{'AF':true,'AF_window':[10,20,300,400],'orientation_flag':4}", CAMERA_PHOTO,
	 " AfWindows=10,3076,300,400 "},
	{"{'AF':true,'AF_window':[10,20,300,400],'orientation_flag':5}", CAMERA_PHOTO,
	 " AfWindows=20,10,400,300 "},
	{"{'AF':true,'AF_window':[10,20,300,400],'orientation_flag':6}", CAMERA_PHOTO,
	 " AfWindows=20,3186,400,300 "},
	{"{'AF':true,'AF_window':[10,20,300,400],'orientation_flag':7}", CAMERA_PHOTO,
	 " AfWindows=4236,3186,400,300 "},
	{"{'AF':true,'AF_window':[10,20,300,400],'orientation_flag':8}", CAMERA_PHOTO,
	 " AfWindows=4236,10,400,300 "},
};

static void settings_become_controls(void **state)
{
	char text[ROOM + 1];
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		bool absent = row->expected[0] == '!';

		assert_true(list(row->settings, row->use, text, NULL) > 0);
		strcat(text, " ");
		if (absent != !strstr(text, row->expected + absent)) {
			print_error("%s: \"%s\" in \"%s\"\n", row->settings,
				    row->expected, text);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

static void a_crop_outside_of_the_sensor_is_refused(void **state)
{
	char text[ROOM];
	struct err err;

	(void)state;
	assert_int_equal(
		list("{'AF':true,'AF_window':[3400,0,97,10],'orientation_flag':8}",
		     CAMERA_PHOTO, text, &err),
		-EINVAL);
	assert_string_equal(err.code, "invalid_args");
	assert_string_equal(err.text,
			    "AF_window (x, y, width, height) must lie within the "
			    "upright picture of 3496 by 4656");
	assert_int_equal(
		list("{'AF':true,'AF_window':[0,0,0,10]}", CAMERA_PHOTO, text, &err),
		-EINVAL);
	assert_true(list("{'AF':false,'AF_window':[9999,0,1,1]}", CAMERA_PHOTO, text,
			 &err) > 0);
}

static void assert_asked(const struct camera_facts *camera, const char *text, int wide,
			 int high)
{
	cJSON *settings = cJSON_Parse(text);
	int width, height;

	camera_picture_size(settings, camera, &width, &height);
	assert_int_equal(width, wide);
	assert_int_equal(height, high);
	cJSON_Delete(settings);
}

static void a_photo_has_the_size_of_the_crop(void **state)
{
	(void)state;
	assert_asked(&imx519, "{\"crop_width\":10,\"crop_height\":20}", 4190, 2796);
	assert_asked(&imx519,
		     "{\"crop_width\":10,\"crop_height\":20,"
		     "\"photo_resolution\":[2000,1500]}",
		     1800, 1200);
}

static void a_camera_that_cannot_crop_is_asked_for_the_whole_frame(void **state)
{
	const struct camera_facts vimc = {.width = 1920, .height = 1080};

	(void)state;
	assert_asked(&vimc, "{\"crop_width\":50,\"crop_height\":50}", 1920, 1080);
	assert_asked(&vimc,
		     "{\"crop_width\":50,\"crop_height\":50,"
		     "\"photo_resolution\":[320,240]}",
		     320, 240);
}

/* For any orientation both cut the same part out of the upright picture: the simulated
 * camera before it turns its picture, this one on the sensor. */
static void the_simulated_camera_crops_in_the_same_way(void **state)
{
	char text[128];

	(void)state;
	for (int flag = 1; flag <= 8; flag++) {
		int wide = render_cropped(flag < 5 ? 641 : 481, .3);
		int high = render_cropped(flag < 5 ? 481 : 641, .15);

		snprintf(text, sizeof(text),
			 "{\"crop_width\":30,\"crop_height\":15,"
			 "\"photo_resolution\":[641,481],\"orientation_flag\":%d}",
			 flag);
		assert_asked(&imx519, text, flag < 5 ? wide : high,
			     flag < 5 ? high : wide);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_become_controls),
		cmocka_unit_test(a_crop_outside_of_the_sensor_is_refused),
		cmocka_unit_test(a_photo_has_the_size_of_the_crop),
		cmocka_unit_test(a_camera_that_cannot_crop_is_asked_for_the_whole_frame),
		cmocka_unit_test(the_simulated_camera_crops_in_the_same_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
