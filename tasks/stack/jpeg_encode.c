/* Encodes an image in strips of whole rows of blocks, one JPEG per strip, in parallel.
 * The strips are joined at restart markers, which the format allows after every fixed
 * number of blocks. */
#include "tasks/stack/jpeg_encode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/parallel.h"
#include "tasks/capture/jpeg.h"

#define STRIPS 8
#define MOST_RESTART 65535
#define BAND_ROWS (4 * DCTSIZE)
#define SOI_SIZE 2
#define EOI_SIZE 2
#define HEIGHT_IN_SOF 5 /* offset from the marker */

#define MARK 0xff
#define SOF0 0xc0
#define RST0 0xd0
#define EOI 0xd9
#define SOS 0xda
#define APP1 0xe1 /* EXIF */
#define APP2 0xe2 /* ICC profile */

/* ---- segments ---- */

static size_t length_of(const unsigned char *segment)
{
	return 2 + (size_t)segment[2] * 256 + segment[3];
}

/* The segment at this offset if it is complete and precedes the image data, else NULL. */
static const unsigned char *segment_at(const unsigned char *jpeg, size_t size, size_t at)
{
	const unsigned char *segment = jpeg + at;

	if (at + 4 > size || segment[0] != MARK || segment[1] == SOS ||
	    length_of(segment) < 4 || at + length_of(segment) > size)
		return NULL;
	return segment;
}

static size_t copy_segments(const unsigned char *jpeg, size_t size, unsigned char *to)
{
	const unsigned char *segment;
	size_t copied = 0;

	for (size_t at = SOI_SIZE; (segment = segment_at(jpeg, size, at));
	     at += length_of(segment))
		if (segment[1] == APP1 || segment[1] == APP2) {
			if (to)
				memcpy(to + copied, segment, length_of(segment));
			copied += length_of(segment);
		}
	return copied;
}

int tags_copy(struct tags *tags, const void *jpeg, size_t size)
{
	*tags = (struct tags){.size = copy_segments(jpeg, size, NULL)};
	if (!tags->size)
		return 0;
	tags->bytes = malloc(tags->size);
	if (!tags->bytes)
		return -ENOMEM;
	copy_segments(jpeg, size, tags->bytes);
	return 0;
}

void tags_free(struct tags *tags)
{
	free(tags->bytes);
	*tags = (struct tags){0};
}

/* ---- strips ---- */

struct strip {
	unsigned char *jpeg;
	unsigned long size;
	size_t scan;		   /* offset of the image data */
	char why[JMSG_LENGTH_MAX]; /* why it failed, or "" */
};

struct encoder {
	const struct ycc_image *image;
	const struct jpeg_encode_options *options;
	bool has_tags;
	int block_rows, block_columns; /* of MCUs in the image */
	int rows_per_strip, count;     /* MCU rows in a strip; strips */
	struct strip *strips;
};

static int most_down(const struct layout *layout)
{
	int most = 1;

	for (int c = 0; c < layout->channels; c++)
		most = layout->down[c] > most ? layout->down[c] : most;
	return most;
}

static int most_across(const struct layout *layout)
{
	int most = 1;

	for (int c = 0; c < layout->channels; c++)
		most = layout->across[c] > most ? layout->across[c] : most;
	return most;
}

static int parts_of(int whole, int part)
{
	return (whole + part - 1) / part;
}

static void plan_strips(struct encoder *e)
{
	const struct layout *layout = &e->image->layout;
	int most_rows;

	e->block_rows = parts_of(layout->height, most_down(layout) * DCTSIZE);
	e->block_columns = parts_of(layout->width, most_across(layout) * DCTSIZE);
	most_rows = MOST_RESTART / e->block_columns;
	e->rows_per_strip = parts_of(e->block_rows, STRIPS);
	if (e->rows_per_strip > most_rows)
		e->rows_per_strip = most_rows;
	e->count = parts_of(e->block_rows, e->rows_per_strip);
}

/* Uses the quantization of the frames, so that copied areas lose nothing. */
static void set_coarseness(struct jpeg_compress_struct *info,
			   const struct jpeg_encode_options *options)
{
	unsigned steps[DCTSIZE2];

	jpeg_set_quality(info, options->quality > 0 ? options->quality : 90, TRUE);
	if (options->quality > 0)
		return;
	for (int c = 0; c < info->num_components; c++) {
		for (int i = 0; i < DCTSIZE2; i++)
			steps[i] = options->coarseness->steps[c][i];
		jpeg_add_quant_table(info, c, steps, 100, TRUE);
		info->comp_info[c].quant_tbl_no = c;
	}
}

static void describe(struct jpeg_compress_struct *info, const struct encoder *e,
		     int number)
{
	const struct layout *layout = &e->image->layout;
	int rows = e->rows_per_strip * most_down(layout) * DCTSIZE;
	int first = number * rows;

	info->image_width = (JDIMENSION)layout->width;
	info->image_height =
		(JDIMENSION)(layout->height - first < rows ? layout->height - first
							   : rows);
	info->input_components = layout->channels;
	info->in_color_space = layout->channels == 1 ? JCS_GRAYSCALE : JCS_YCbCr;
	jpeg_set_defaults(info);
	set_coarseness(info, e->options);
	for (int c = 0; c < layout->channels; c++) {
		info->comp_info[c].h_samp_factor =
			most_across(layout) / layout->across[c];
		info->comp_info[c].v_samp_factor = most_down(layout) / layout->down[c];
	}
	info->raw_data_in = TRUE;
	info->write_JFIF_header = !e->has_tags; /* a file is JFIF or Exif */
	info->restart_interval = (unsigned)(e->rows_per_strip * e->block_columns);
}

/* Repeats the edge in the rows and columns that pad the planes to whole blocks, which
 * costs the fewest bytes. */
static void extend(const struct ycc_image *image)
{
	for (int c = 0; c < image->layout.channels; c++) {
		const struct plane *plane = &image->planes[c];
		size_t width = (size_t)plane->width;
		int rows = (int)(plane->bytes / plane->stride);

		for (int y = 0; y < plane->height; y++)
			memset(plane_row(plane, y) + width,
			       plane_row(plane, y)[width - 1], plane->stride - width);
		for (int y = plane->height; y < rows; y++)
			memcpy(plane_row(plane, y), plane_row(plane, plane->height - 1),
			       plane->stride);
	}
}

static void write_bands(struct jpeg_compress_struct *info, const struct encoder *e,
			int number)
{
	const struct ycc_image *image = e->image;
	int down = most_down(&image->layout), count = down * DCTSIZE;
	int first = number * e->rows_per_strip * count;
	JSAMPROW rows[YCC_CHANNELS][BAND_ROWS];
	JSAMPARRAY channels[YCC_CHANNELS] = {rows[0], rows[1], rows[2]};

	for (int y = first; info->next_scanline < info->image_height; y += count) {
		for (int c = 0; c < image->layout.channels; c++) {
			int per = image->layout.down[c];

			for (int i = 0; i < count / per; i++)
				rows[c][i] = plane_row(&image->planes[c], y / per + i);
		}
		jpeg_write_raw_data(info, channels, (JDIMENSION)count);
	}
}

/* Encodes strip i; called by parallel_for(). */
static void encode_strip(void *context, int i)
{
	struct encoder *e = context;
	struct strip *strip = &e->strips[i];
	struct jpeg_compress_struct info = {0};
	struct jpeg_failure failure;

	info.err = jpeg_failure_catch(&failure);
	if (setjmp(failure.jump)) {
		memcpy(strip->why, failure.text, sizeof(strip->why));
	} else {
		jpeg_create_compress(&info);
		jpeg_mem_dest(&info, &strip->jpeg, &strip->size);
		describe(&info, e, i);
		jpeg_start_compress(&info, TRUE);
		write_bands(&info, e, i);
		jpeg_finish_compress(&info);
	}
	jpeg_destroy_compress(&info);
}

/* ---- joining ---- */

/* Finds the image data, and writes the height of the whole image into the header. */
static void fix_header(struct strip *strip, int height)
{
	size_t at = SOI_SIZE;

	while (strip->jpeg[at + 1] != SOS) {
		if (strip->jpeg[at + 1] == SOF0) {
			strip->jpeg[at + HEIGHT_IN_SOF] = (unsigned char)(height >> 8);
			strip->jpeg[at + HEIGHT_IN_SOF + 1] = (unsigned char)height;
		}
		at += length_of(strip->jpeg + at);
	}
	strip->scan = at + length_of(strip->jpeg + at);
}

static unsigned char *append(unsigned char *to, const void *bytes, size_t size)
{
	memcpy(to, bytes, size);
	return to + size;
}

/* Writes SOI, the tags, the first strip's header, the strips with restart markers in
 * between, and EOI. */
static size_t join(const struct encoder *e, unsigned char *jpeg)
{
	const struct strip *first = e->strips;
	unsigned char *at = append(jpeg, first->jpeg, SOI_SIZE);

	if (e->has_tags)
		at = append(at, e->options->tags->bytes, e->options->tags->size);
	at = append(at, first->jpeg + SOI_SIZE, first->scan - SOI_SIZE);
	for (int i = 0; i < e->count; i++) {
		const struct strip *strip = &e->strips[i];

		at = append(at, strip->jpeg + strip->scan,
			    strip->size - strip->scan - EOI_SIZE);
		*at++ = MARK;
		*at++ = (unsigned char)(i < e->count - 1 ? RST0 + i % 8 : EOI);
	}
	return (size_t)(at - jpeg);
}

static int join_strips(struct encoder *e, void **jpeg, size_t *size, struct err *err)
{
	size_t room = EOI_SIZE + (e->has_tags ? e->options->tags->size : 0);
	unsigned char *bytes;

	for (int i = 0; i < e->count; i++) {
		if (e->strips[i].why[0])
			return err_set(err, -EIO, "the stack could not be encoded: %s",
				       e->strips[i].why);
		fix_header(&e->strips[i], e->image->layout.height);
		room += e->strips[i].size;
	}
	bytes = malloc(room);
	if (!bytes)
		return err_set(err, -ENOMEM, "out of memory");
	*size = join(e, bytes);
	*jpeg = bytes;
	return 0;
}

int jpeg_encode(const struct ycc_image *image, const struct jpeg_encode_options *options,
		void **jpeg, size_t *size, struct err *err)
{
	struct encoder e = {.image = image,
			    .options = options,
			    .has_tags = options->tags && options->tags->size > 0};
	int ret;

	plan_strips(&e);
	e.strips = calloc((size_t)e.count, sizeof(*e.strips));
	if (!e.strips)
		return err_set(err, -ENOMEM, "out of memory");
	extend(image);
	ret = parallel_for(e.count, encode_strip, &e, options->cancel);
	if (ret == 0)
		ret = join_strips(&e, jpeg, size, err);
	for (int i = 0; i < e.count; i++)
		free(e.strips[i].jpeg);
	free(e.strips);
	return ret;
}
