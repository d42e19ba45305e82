#include "hal/linux/camera_yuv.h"

#include <stdlib.h>
#include <string.h>

#include "hal/linux/camera_pixels.h"

struct camera_yuv {
	struct yuv yuv;
	struct camera_picture picture;
	struct camera_part part;
	uint8_t light[256], colour[256]; /* to full range */
};

static const uint8_t *yuv_row(const struct camera_yuv *camera, int plane, int y)
{
	const struct camera_picture *picture = &camera->picture;

	return picture->bytes + picture->offset[plane] +
	       (size_t)y * picture->stride[plane];
}

static void yuv_pick(const uint8_t *from, int step, const uint8_t map[256], int count,
		     uint8_t *to)
{
	for (int i = 0; i < count; i++, from += step)
		to[i] = map[*from];
}

static void yuv_light(const struct yuv *yuv, int y, uint8_t *light)
{
	const struct camera_yuv *camera = (const struct camera_yuv *)yuv;
	const struct camera_part *part = &camera->part;
	int step = camera->picture.layout == CAMERA_YUYV ? 2 : 1;
	const uint8_t *row = yuv_row(camera, 0, part->y + y);

	yuv_pick(row + part->x * step, step, camera->light, part->width, light);
}

static void yuv_colours(const struct yuv *yuv, int y, uint8_t *u, uint8_t *v)
{
	const struct camera_yuv *camera = (const struct camera_yuv *)yuv;
	const struct camera_part *part = &camera->part;
	int row = part->y / yuv->rows_by + y, count = (part->width + 1) / 2, step;
	const uint8_t *first, *second;

	switch (camera->picture.layout) {
	case CAMERA_YUV420:
		step = 1;
		first = yuv_row(camera, 1, row) + part->x / 2;
		second = yuv_row(camera, 2, row) + part->x / 2;
		break;
	case CAMERA_NV12:
		step = 2;
		first = yuv_row(camera, 1, row) + part->x;
		second = first + 1;
		break;
	default: /* CAMERA_YUYV */
		step = 4;
		first = yuv_row(camera, 0, row) + part->x * 2 + 1;
		second = first + 2;
	}
	yuv_pick(first, step, camera->colour, count, u);
	yuv_pick(second, step, camera->colour, count, v);
}

static void yuv_free(struct yuv *yuv)
{
	struct camera_yuv *camera = (struct camera_yuv *)yuv;

	free(camera->picture.bytes);
	free(camera);
}

/* value - from, stretched from a range to 255, and to - where nought lies then. */
static uint8_t yuv_stretch(int value, int from, int range, int to)
{
	int off = (value - from) * 255 * 2;
	int full = to + (off + (off < 0 ? -range : range)) / (2 * range);

	return (uint8_t)(full < 0 ? 0 : full > 255 ? 255 : full);
}

static void yuv_map(struct camera_yuv *camera)
{
	bool full = camera->picture.full_range;

	for (int i = 0; i < 256; i++) {
		camera->light[i] = full ? (uint8_t)i : yuv_stretch(i, 16, 219, 0);
		camera->colour[i] = full ? (uint8_t)i : yuv_stretch(i, 128, 224, 128);
	}
}

struct yuv *camera_yuv(struct camera_picture *picture, const struct camera_part *part)
{
	struct camera_yuv *camera;

	if (!camera_pixels_are_yuv(picture->layout))
		return NULL;
	camera = calloc(1, sizeof(*camera));
	if (!camera)
		return NULL;
	camera->yuv = (struct yuv){picture->layout == CAMERA_YUYV ? 1 : 2, yuv_light,
				   yuv_colours, yuv_free};
	camera->picture = *picture;
	camera->part = camera_pixels_part(picture, part);
	yuv_map(camera);
	picture->bytes = NULL;
	return &camera->yuv;
}
