/* Encodes and decodes JPEG photos with libjpeg. */
#include "tasks/capture/photo.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hal/frame.h"
#include "tasks/capture/exif.h"
#include "tasks/capture/jpeg.h"
#include "tasks/capture/jpeg_yuv.h"

#define PREVIEW_QUALITY 80
#define SMALL_CHANGE 65536 /* headers, tables and the EXIF block */

static void compress_rows(struct jpeg_compress_struct *info, const struct frame *frame,
			  int quality)
{
	unsigned char exif[EXIF_MAX];
	size_t exif_size = exif_write(frame, exif);

	info->image_width = (JDIMENSION)frame->width;
	info->image_height = (JDIMENSION)frame->height;
	info->input_components = 3;
	info->in_color_space = JCS_RGB;
	jpeg_set_defaults(info);
	jpeg_set_quality(info, quality, TRUE);
	info->write_JFIF_header = FALSE; /* a file is either JFIF or Exif */
	if (frame->yuv)
		jpeg_yuv_prepare(info, frame);
	jpeg_start_compress(info, TRUE);
	if (exif_size)
		jpeg_write_marker(info, JPEG_APP0 + 1, exif, (unsigned)exif_size);
	if (frame->yuv)
		jpeg_yuv_write(info, frame);
	while (info->next_scanline < info->image_height) {
		JSAMPROW row = frame->rgb +
			       (size_t)info->next_scanline * (size_t)frame->width * 3;

		jpeg_write_scanlines(info, &row, 1);
	}
	jpeg_finish_compress(info);
}

/* Compresses into *bytes, which has room for *size and is replaced by libjpeg when that
 * is not enough. */
static int compress(const struct frame *frame, int quality, unsigned char **bytes,
		    unsigned long *size, struct err *err)
{
	struct jpeg_compress_struct info;
	struct jpeg_failure failure;

	info.err = jpeg_failure_catch(&failure);
	if (setjmp(failure.jump)) {
		jpeg_destroy_compress(&info);
		return err_set(err, -EIO, "the photo could not be encoded: %s",
			       failure.text);
	}
	jpeg_create_compress(&info);
	jpeg_mem_dest(&info, bytes, size);
	compress_rows(&info, frame, quality);
	jpeg_destroy_compress(&info);
	return 0;
}

static int encode(const struct frame *frame, int quality, void **jpeg, size_t *size,
		  struct err *err)
{
	/* Room for the worst case; pages that are never written cost nothing. */
	unsigned long room =
		(unsigned long)frame->width * (unsigned long)frame->height * 3 +
		SMALL_CHANGE;
	unsigned char *bytes = malloc(room), *used = bytes, *fitting;
	int ret;

	if (!bytes)
		return err_set(err, -ENOMEM, "out of memory");
	ret = compress(frame, quality, &used, &room, err);
	if (used != bytes)
		free(bytes);
	if (ret < 0) {
		free(used);
		return ret;
	}
	fitting = realloc(used, room);
	*jpeg = fitting ? fitting : used;
	*size = room;
	return 0;
}

int photo_encode(const struct frame *frame, void **jpeg, size_t *size, struct err *err)
{
	return encode(frame, frame->jpeg_quality, jpeg, size, err);
}

int photo_preview(const struct frame *frame, void **jpeg, size_t *size, struct err *err)
{
	struct frame *small = photo_fit(frame, PHOTO_PREVIEW_SIDE);
	int quality = PREVIEW_QUALITY, ret;

	if (!small)
		return err_set(err, -ENOMEM, "out of memory");
	ret = encode(small, quality, jpeg, size, err);
	while (ret == 0 && *size > PHOTO_PREVIEW_BYTES && quality > 10) {
		free(*jpeg);
		quality -= 20;
		ret = encode(small, quality, jpeg, size, err);
	}
	frame_free(small);
	return ret;
}

static int orientation_of(const struct jpeg_decompress_struct *info)
{
	for (jpeg_saved_marker_ptr m = info->marker_list; m; m = m->next)
		if (m->marker == JPEG_APP0 + 1)
			return exif_orientation(m->data, m->data_length);
	return 1;
}

/* libjpeg can scale by eighths while decoding: chooses the smallest sufficient scale. */
static void choose_scale(struct jpeg_decompress_struct *info, int max_side)
{
	unsigned side = info->image_width > info->image_height ? info->image_width
							       : info->image_height;

	info->scale_denom = 8;
	for (info->scale_num = 1; info->scale_num < 8; info->scale_num++)
		if (side * info->scale_num / 8 >= (unsigned)max_side)
			break;
}

/* Sets *out as soon as there is a frame to free. */
static void decompress_rows(struct jpeg_decompress_struct *info, int max_side,
			    struct frame **out)
{
	struct frame *frame;

	jpeg_save_markers(info, JPEG_APP0 + 1, 0xffff);
	jpeg_read_header(info, TRUE);
	info->out_color_space = JCS_RGB;
	choose_scale(info, max_side);
	jpeg_start_decompress(info);
	*out = frame = frame_new((int)info->output_width, (int)info->output_height);
	if (!frame)
		return;
	frame->orientation = orientation_of(info);
	while (info->output_scanline < info->output_height) {
		JSAMPROW row = frame->rgb +
			       (size_t)info->output_scanline * (size_t)frame->width * 3;

		jpeg_read_scanlines(info, &row, 1);
	}
	jpeg_finish_decompress(info);
}

static int decompress(const void *jpeg, size_t size, int max_side, struct frame **out,
		      struct err *err)
{
	struct jpeg_decompress_struct info;
	struct jpeg_failure failure;

	*out = NULL;
	info.err = jpeg_failure_catch(&failure);
	if (setjmp(failure.jump)) {
		jpeg_destroy_decompress(&info);
		frame_free(*out);
		return err_set(err, -EBADMSG, "not a whole JPEG: %s", failure.text);
	}
	jpeg_create_decompress(&info);
	jpeg_mem_src(&info, jpeg, size);
	decompress_rows(&info, max_side, out);
	jpeg_destroy_decompress(&info);
	return *out ? 0 : err_set(err, -ENOMEM, "out of memory");
}

int photo_decode(const void *jpeg, size_t size, int max_side, struct frame **out,
		 struct err *err)
{
	struct frame *frame;
	int ret = decompress(jpeg, size, max_side, &frame, err);

	if (ret < 0)
		return ret;
	*out = photo_fit(frame, max_side);
	frame_free(frame);
	return *out ? 0 : err_set(err, -ENOMEM, "out of memory");
}

/* A new frame of another size, otherwise with the properties of frame. */
static struct frame *like(const struct frame *frame, int width, int height)
{
	struct frame *copy = frame_new(width, height);

	if (!copy)
		return NULL;
	copy->taken_at_ms = frame->taken_at_ms;
	copy->shutter_ms = frame->shutter_ms;
	copy->gain = frame->gain;
	copy->focal_px = frame->focal_px * width / frame->width;
	copy->orientation = frame->orientation;
	copy->jpeg_quality = frame->jpeg_quality;
	memcpy(copy->camera, frame->camera, sizeof(copy->camera));
	return copy;
}

/* The mean of the pixels from column x0 and row y0 up to x1 and y1. */
static void average(const struct frame *frame, int x0, int x1, int y0, int y1,
		    uint8_t *pixel)
{
	uint32_t sum[3] = {0}, count = (uint32_t)((x1 - x0) * (y1 - y0));

	for (int y = y0; y < y1; y++) {
		const uint8_t *p =
			frame->rgb + ((size_t)y * (size_t)frame->width + (size_t)x0) * 3;

		for (int x = x0; x < x1; x++, p += 3)
			for (int c = 0; c < 3; c++)
				sum[c] += p[c];
	}
	for (int c = 0; c < 3; c++)
		pixel[c] = (uint8_t)((sum[c] + count / 2) / count);
}

static int at_least_one(int64_t size)
{
	return size < 1 ? 1 : (int)size;
}

struct frame *photo_fit(const struct frame *frame, int max_side)
{
	int side = frame->width > frame->height ? frame->width : frame->height;
	int width = frame->width, height = frame->height;
	struct frame *small;

	if (side > max_side) {
		width = at_least_one(((int64_t)width * max_side + side / 2) / side);
		height = at_least_one(((int64_t)height * max_side + side / 2) / side);
	}
	small = like(frame, width, height);
	if (!small)
		return NULL;
	for (int y = 0; y < height; y++) {
		int y0 = (int)((int64_t)y * frame->height / height);
		int y1 = (int)((int64_t)(y + 1) * frame->height / height);
		uint8_t *row = small->rgb + (size_t)y * (size_t)width * 3;

		for (int x = 0; x < width; x++)
			average(frame, (int)((int64_t)x * frame->width / width),
				(int)((int64_t)(x + 1) * frame->width / width), y0, y1,
				row + x * 3);
	}
	return small;
}

/* The stored pixel that becomes pixel x, y of the upright picture, by the EXIF
 * orientation flag. */
static void source_of(const struct frame *frame, int x, int y, int *from_x, int *from_y)
{
	int right = frame->width - 1, bottom = frame->height - 1;
	int flag = frame->orientation;
	int u = flag >= 5 ? y : x, v = flag >= 5 ? x : y;

	*from_x = flag == 2 || flag == 3 || flag == 7 || flag == 8 ? right - u : u;
	*from_y = flag == 3 || flag == 4 || flag == 6 || flag == 7 ? bottom - v : v;
}

struct frame *photo_upright(const struct frame *frame)
{
	bool turned = frame->orientation >= 5;
	int width = turned ? frame->height : frame->width;
	int height = turned ? frame->width : frame->height;
	struct frame *upright = like(frame, width, height);
	uint8_t *pixel;

	if (!upright)
		return NULL;
	pixel = upright->rgb;
	upright->orientation = 1;
	for (int y = 0; y < height; y++) {
		for (int x = 0; x < width; x++, pixel += 3) {
			int from_x, from_y;

			source_of(frame, x, y, &from_x, &from_y);
			memcpy(pixel,
			       frame->rgb + ((size_t)from_y * (size_t)frame->width +
					     (size_t)from_x) *
						    3,
			       3);
		}
	}
	return upright;
}
