/* Writes and reads EXIF blocks with libexif. */
#include "tasks/capture/exif.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libexif/exif-data.h>

#include "agent/base/clock.h"
#include "hal/frame.h"

#define FILM_WIDTH 36.0 /* mm */
#define ORDER EXIF_BYTE_ORDER_INTEL
#define CHARSET 8 /* bytes before a comment's text */

/* An entry without memory is left out: the photo matters more than its block. */
static void add(ExifData *data, ExifIfd ifd, ExifTag tag, ExifFormat format, size_t count,
		const void *bytes)
{
	size_t size = count * exif_format_get_size(format);
	ExifMem *mem = exif_mem_new_default();
	ExifEntry *entry = mem ? exif_entry_new_mem(mem) : NULL;

	if (entry)
		entry->data = exif_mem_alloc(mem, (ExifLong)size);
	if (entry && entry->data) {
		memcpy(entry->data, bytes, size);
		entry->tag = tag;
		entry->format = format;
		entry->components = count;
		entry->size = (unsigned)size;
		exif_content_add_entry(data->ifd[ifd], entry);
	}
	if (entry)
		exif_entry_unref(entry);
	if (mem)
		exif_mem_unref(mem);
}

static void add_short(ExifData *data, ExifIfd ifd, ExifTag tag, double value)
{
	unsigned char bytes[2];

	exif_set_short(bytes, ORDER, (ExifShort)fmin(fmax(round(value), 0), UINT16_MAX));
	add(data, ifd, tag, EXIF_FORMAT_SHORT, 1, bytes);
}

static void add_ratio(ExifData *data, ExifTag tag, double value, uint32_t below)
{
	double above = fmin(fmax(round(value * below), 0), UINT32_MAX);
	unsigned char bytes[8];

	exif_set_rational(bytes, ORDER, (ExifRational){(uint32_t)above, below});
	add(data, EXIF_IFD_EXIF, tag, EXIF_FORMAT_RATIONAL, 1, bytes);
}

static void add_text(ExifData *data, ExifIfd ifd, ExifTag tag, const char *text)
{
	add(data, ifd, tag, EXIF_FORMAT_ASCII, strlen(text) + 1, text);
}

static void add_comment(ExifData *data, const char *text)
{
	char comment[CHARSET + sizeof(((struct frame *)0)->comment)] = "ASCII\0\0";
	int length = snprintf(comment + CHARSET, sizeof(comment) - CHARSET, "%s", text);

	if (length > 0)
		add(data, EXIF_IFD_EXIF, EXIF_TAG_USER_COMMENT, EXIF_FORMAT_UNDEFINED,
		    CHARSET + (size_t)length, comment);
}

/* "2026:11:24 03:12:00" */
static void date_text(int64_t wall_ms, char text[CLOCK_TEXT])
{
	clock_text(wall_ms, text);
	text[4] = text[7] = ':';
	text[10] = ' ';
	text[19] = '\0';
}

static void add_time(ExifData *data, int64_t wall_ms)
{
	char date[CLOCK_TEXT];

	date_text(wall_ms, date);
	add_text(data, EXIF_IFD_0, EXIF_TAG_DATE_TIME, date);
	add_text(data, EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_ORIGINAL, date);
	add_text(data, EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_DIGITIZED, date);
	add_text(data, EXIF_IFD_EXIF, EXIF_TAG_OFFSET_TIME, "+00:00");
	add_text(data, EXIF_IFD_EXIF, EXIF_TAG_OFFSET_TIME_ORIGINAL, "+00:00");
}

static void add_lens(ExifData *data, const struct frame *frame)
{
	int side = frame->width > frame->height ? frame->width : frame->height;

	if (frame->focal_mm > 0)
		add_ratio(data, EXIF_TAG_FOCAL_LENGTH, frame->focal_mm, 1000);
	if (frame->focal_px > 0)
		add_short(data, EXIF_IFD_EXIF, EXIF_TAG_FOCAL_LENGTH_IN_35MM_FILM,
			  frame->focal_px * FILM_WIDTH / side);
}

static void fill(ExifData *data, const struct frame *frame)
{
	exif_data_set_byte_order(data, ORDER);
	exif_data_set_data_type(data, EXIF_DATA_TYPE_COMPRESSED);
	add_text(data, EXIF_IFD_0, EXIF_TAG_MODEL, frame->camera);
	add_short(data, EXIF_IFD_0, EXIF_TAG_ORIENTATION, frame->orientation);
	add_text(data, EXIF_IFD_0, EXIF_TAG_SOFTWARE, "openscan-agent " OPENSCAN_VERSION);
	add_time(data, frame->taken_at_ms);
	add_ratio(data, EXIF_TAG_EXPOSURE_TIME, frame->shutter_ms / 1000, 1000000);
	add_short(data, EXIF_IFD_EXIF, EXIF_TAG_ISO_SPEED_RATINGS, frame->gain * 100);
	add_lens(data, frame);
	add_comment(data, frame->comment);
	add_short(data, EXIF_IFD_EXIF, EXIF_TAG_PIXEL_X_DIMENSION, frame->width);
	add_short(data, EXIF_IFD_EXIF, EXIF_TAG_PIXEL_Y_DIMENSION, frame->height);
	exif_data_fix(data); /* adds the entries that the format requires */
}

size_t exif_write(const struct frame *frame, unsigned char bytes[EXIF_MAX])
{
	ExifData *data = exif_data_new();
	unsigned char *block = NULL;
	unsigned size = 0;

	if (!data)
		return 0;
	fill(data, frame);
	exif_data_save_data(data, &block, &size);
	exif_data_unref(data);
	if (!block || size > EXIF_MAX)
		size = 0;
	if (size)
		memcpy(bytes, block, size);
	free(block);
	return size;
}

int exif_orientation(const unsigned char *bytes, size_t size)
{
	ExifData *data = size <= UINT16_MAX ? exif_data_new() : NULL;
	ExifEntry *entry;
	int flag = 1;

	if (!data)
		return 1;
	exif_data_unset_option(data, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
	exif_data_load_data(data, bytes, (unsigned)size);
	entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
	if (entry && entry->format == EXIF_FORMAT_SHORT && entry->size >= 2)
		flag = exif_get_short(entry->data, exif_data_get_byte_order(data));
	exif_data_unref(data);
	return flag >= 1 && flag <= 8 ? flag : 1;
}
