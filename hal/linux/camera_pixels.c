/* Reads RGB, or light and colours, out of the pixel layouts that cameras have. */
#include "hal/linux/camera_pixels.h"

#include <stdlib.h>
#include <string.h>

/* ---- as RGB ---- */

/* The positions of red, green and blue within the bytes of a pixel. */
struct pixel_order {
	int bytes, red, green, blue;
};

static void pixels_of_bytes(const uint8_t *from, int width,
			    const struct pixel_order *order, uint8_t *rgb)
{
	for (int x = 0; x < width; x++, from += order->bytes, rgb += 3) {
		rgb[0] = from[order->red];
		rgb[1] = from[order->green];
		rgb[2] = from[order->blue];
	}
}

static uint8_t pixels_clip(int value)
{
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* BT.601, in 1/65536. */
static void pixels_of_yuv(int y, int u, int v, bool full_range, uint8_t *rgb)
{
	const int scale = full_range ? 65536 : 76309;	/* 255/219 */
	const int red = full_range ? 91881 : 104597;	/* 1.402 */
	const int blue = full_range ? 116130 : 132201;	/* 1.772 */
	const int green_u = full_range ? 22554 : 25675; /* 0.344 */
	const int green_v = full_range ? 46802 : 53279; /* 0.714 */
	int light = (y - (full_range ? 0 : 16)) * scale + 32768;

	u -= 128;
	v -= 128;
	rgb[0] = pixels_clip((light + red * v) >> 16);
	rgb[1] = pixels_clip((light - green_u * u - green_v * v) >> 16);
	rgb[2] = pixels_clip((light + blue * u) >> 16);
}

/* One row of a picture with u and v values `step` bytes apart, one per two pixels. */
static void pixels_of_planes(const uint8_t *y, int y_step, const uint8_t *u,
			     const uint8_t *v, int step, int width, bool full_range,
			     uint8_t *rgb)
{
	for (int x = 0; x < width; x++, y += y_step, rgb += 3)
		pixels_of_yuv(*y, u[x / 2 * step], v[x / 2 * step], full_range, rgb);
}

static void pixels_row(const struct camera_picture *picture, int x, int y, int width,
		       uint8_t *rgb)
{
	static const struct pixel_order orders[CAMERA_LAYOUTS] = {
		[CAMERA_RGB888] = {3, 2, 1, 0},
		[CAMERA_BGR888] = {3, 0, 1, 2},
		[CAMERA_XRGB8888] = {4, 2, 1, 0},
		[CAMERA_XBGR8888] = {4, 0, 1, 2},
	};
	const size_t column = (size_t)x, row = (size_t)y;
	const uint8_t *first =
		picture->bytes + picture->offset[0] + row * picture->stride[0];
	const uint8_t *second =
		picture->bytes + picture->offset[1] + row / 2 * picture->stride[1];
	const uint8_t *third =
		picture->bytes + picture->offset[2] + row / 2 * picture->stride[2];
	bool full = picture->full_range;

	switch (picture->layout) {
	case CAMERA_YUV420:
		pixels_of_planes(first + column, 1, second + column / 2,
				 third + column / 2, 1, width, full, rgb);
		break;
	case CAMERA_NV12:
		pixels_of_planes(first + column, 1, second + column, second + column + 1,
				 2, width, full, rgb);
		break;
	case CAMERA_YUYV:
		first += column * 2;
		pixels_of_planes(first, 2, first + 1, first + 3, 4, width, full, rgb);
		break;
	default:
		first += column * (size_t)orders[picture->layout].bytes;
		if (picture->layout == CAMERA_BGR888)
			memcpy(rgb, first, (size_t)width * 3);
		else
			pixels_of_bytes(first, width, &orders[picture->layout], rgb);
	}
}

bool camera_pixels_are_yuv(enum camera_layout layout)
{
	return layout == CAMERA_YUV420 || layout == CAMERA_NV12 || layout == CAMERA_YUYV;
}

struct camera_part camera_pixels_part(const struct camera_picture *picture,
				      const struct camera_part *part)
{
	struct camera_part even = *part;

	if (camera_pixels_are_yuv(picture->layout)) {
		even.x = part->x / 2 * 2;
		even.y = part->y / 2 * 2;
	}
	return even;
}

void camera_pixels(const struct camera_picture *picture, const struct camera_part *wanted,
		   uint8_t *rgb)
{
	struct camera_part part = camera_pixels_part(picture, wanted);

	for (int y = 0; y < part.height; y++)
		pixels_row(picture, part.x, part.y + y, part.width,
			   rgb + (size_t)y * (size_t)part.width * 3);
}

/* ---- as YUV ---- */

struct camera_yuv {
	struct yuv yuv;
	struct camera_picture picture;
	struct camera_part part;
	uint8_t light[256], colour[256]; /* tables to full range */
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

/* Stretches value - from from range to 255; zero becomes `to`. */
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
