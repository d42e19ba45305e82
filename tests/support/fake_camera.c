/* A camera module for tests: the id of each camera selects its behaviour. */
#include "hal/linux/camera_module.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WIDTH 64
#define HEIGHT 48

struct camera_device {
	char id[CAMERA_ID];
};

static const struct camera_identity plugged_in[] = {
	{"good", "imx519"},   {"hangs", "imx519"},    {"breaks once", "Odd Model/1"},
	{"blind", "blindly"}, {"settles", "settler"},
};

static int fake_list(struct camera_identity *found, size_t room, struct err *err)
{
	size_t count = sizeof(plugged_in) / sizeof(plugged_in[0]);

	(void)err;
	for (size_t i = 0; i < count && i < room; i++)
		found[i] = plugged_in[i];
	return (int)count;
}

static int fake_open(struct camera_device **out, const char *id,
		     struct camera_facts *facts, struct err *err)
{
	struct camera_device *device;

	if (strncmp(id, "/absent", 7) == 0)
		return err_code(err, -ENODEV, "hardware_fault", "it is not plugged in");
	device = calloc(1, sizeof(*device));
	if (!device)
		return err_set(err, -ENOMEM, "out of memory");
	snprintf(device->id, sizeof(device->id), "%s", id);
	*facts = (struct camera_facts){WIDTH, HEIGHT, WIDTH, HEIGHT, {false}};
	if (strcmp(id, "settles") == 0)
		facts->has[CAMERA_AE_ENABLE] = facts->has[CAMERA_AWB_ENABLE] = true;
	*out = device;
	return 0;
}

static void fake_close(struct camera_device *device)
{
	free(device);
}

/* Hangs as a driver does: no call returns for a while. */
static void fake_hang(void)
{
	nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
}

static int fake_paint(struct camera_picture *picture)
{
	*picture = (struct camera_picture){
		.layout = CAMERA_BGR888,
		.width = WIDTH,
		.height = HEIGHT,
		.stride = {WIDTH * 3},
		.size = (size_t)WIDTH * HEIGHT * 3,
		.metadata = {-1, -1, -1, -1, -1, -1, -1},
	};
	picture->bytes = malloc(picture->size);
	if (!picture->bytes)
		return -ENOMEM;
	for (size_t i = 0; i < picture->size; i++)
		picture->bytes[i] =
			(uint8_t)(i / 3 % WIDTH); /* a pixel encodes its column */
	return 0;
}

static int fake_shoot(struct camera_device *device, const struct camera_order *order,
		      struct camera_picture *out, struct err *err)
{
	static int broken, pictures;

	if (order->abandoned(order))
		return err_set(err, -ECANCELED, "nobody wants the photo");
	if (strcmp(device->id, "hangs") == 0)
		fake_hang();
	if (strcmp(device->id, "breaks once") == 0 && !broken++)
		return err_code(err, -ENODEV, "hardware_fault", "it was unplugged");
	if (fake_paint(out) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	if (strcmp(device->id, "settles") == 0) {
		out->metadata.exposure_us = pictures < 4 ? 1000.0 * ++pictures : 5000;
		out->metadata.red = 1.5;
		out->metadata.blue = 2.5;
	}
	return 0;
}

const struct camera_module module_camera = {fake_list, fake_open, fake_close, fake_shoot};
