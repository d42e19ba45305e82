#include "tasks/stack/jpeg_encode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/parallel.h"
#include "tasks/capture/jpeg.h"

/* The picture is coded in strips of whole rows of blocks, each a JPEG of its own on one
 * processor.  The format has a mark for a place where a decoder may begin anew, after a
 * fixed number of blocks: there the strips are joined. */
#define STRIPS 8
#define MOST_RESTART 65535
#define BAND_ROWS (4 * DCTSIZE)
#define SOI_SIZE 2
#define EOI_SIZE 2
#define HEIGHT_IN_SOF 5 /* bytes from its mark */

struct strip {
	unsigned char *jpeg;
	unsigned long size;
	size_t scan;		   /* where its coded pixels begin */
	char why[JMSG_LENGTH_MAX]; /* it failed; empty when not */
};

struct packing {
	const struct ycc_image *image;
	const struct pack_options *options;
	bool has_tags;
	int block_rows, block_columns; /* of MCUs in the picture */
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

static void plan_strips(struct packing *p)
{
	const struct layout *layout = &p->image->layout;
	int most_rows;

	p->block_rows = parts_of(layout->height, most_down(layout) * DCTSIZE);
	p->block_columns = parts_of(layout->width, most_across(layout) * DCTSIZE);
	most_rows = MOST_RESTART / p->block_columns;
	p->rows_per_strip = parts_of(p->block_rows, STRIPS);
	if (p->rows_per_strip > most_rows)
		p->rows_per_strip = most_rows;
	p->count = parts_of(p->block_rows, p->rows_per_strip);
}

/* The same steps as the frames have: what was copied from one loses nothing. */
static void set_coarseness(struct jpeg_compress_struct *info,
			   const struct pack_options *options)
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

static void describe(struct jpeg_compress_struct *info, const struct packing *p,
		     int number)
{
	const struct layout *layout = &p->image->layout;
	int rows = p->rows_per_strip * most_down(layout) * DCTSIZE;
	int first = number * rows;

	info->image_width = (JDIMENSION)layout->width;
	info->image_height =
		(JDIMENSION)(layout->height - first < rows ? layout->height - first
							   : rows);
	info->input_components = layout->channels;
	info->in_color_space = layout->channels == 1 ? JCS_GRAYSCALE : JCS_YCbCr;
	jpeg_set_defaults(info);
	set_coarseness(info, p->options);
	for (int c = 0; c < layout->channels; c++) {
		info->comp_info[c].h_samp_factor =
			most_across(layout) / layout->across[c];
		info->comp_info[c].v_samp_factor = most_down(layout) / layout->down[c];
	}
	info->raw_data_in = TRUE;
	info->write_JFIF_header = !p->has_tags; /* a file is JFIF or Exif */
	info->restart_interval = (unsigned)(p->rows_per_strip * p->block_columns);
}

/* The planes have rows and columns beyond the picture for whole blocks; there the edge
 * goes on, which costs the fewest bytes. */
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

static void write_bands(struct jpeg_compress_struct *info, const struct packing *p,
			int number)
{
	const struct ycc_image *image = p->image;
	int down = most_down(&image->layout), count = down * DCTSIZE;
	int first = number * p->rows_per_strip * count;
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

/* Item i of the loop: one strip. */
static void pack_strip(void *context, int i)
{
	struct packing *p = context;
	struct strip *strip = &p->strips[i];
	struct jpeg_compress_struct info = {0};
	struct jpeg_failure failure;

	info.err = jpeg_failure_catch(&failure);
	if (setjmp(failure.jump)) {
		memcpy(strip->why, failure.text, sizeof(strip->why));
	} else {
		jpeg_create_compress(&info);
		jpeg_mem_dest(&info, &strip->jpeg, &strip->size);
		describe(&info, p, i);
		jpeg_start_compress(&info, TRUE);
		write_bands(&info, p, i);
		jpeg_finish_compress(&info);
	}
	jpeg_destroy_compress(&info);
}

/* ---- joining ---- */

static size_t length_of(const unsigned char *segment)
{
	return 2 + (size_t)segment[2] * 256 + segment[3];
}

/* Finds where the pixels begin, and writes the whole picture's height into the header. */
static void open_header(struct strip *strip, int height)
{
	size_t at = SOI_SIZE;

	while (strip->jpeg[at + 1] != 0xda) {	   /* SOS */
		if (strip->jpeg[at + 1] == 0xc0) { /* SOF0 */
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

/* SOI, the tags, the first strip's header, the strips with marks in between, EOI. */
static size_t join(const struct packing *p, unsigned char *jpeg)
{
	const struct strip *first = p->strips;
	unsigned char *at = append(jpeg, first->jpeg, SOI_SIZE);

	if (p->has_tags)
		at = append(at, p->options->tags->bytes, p->options->tags->size);
	at = append(at, first->jpeg + SOI_SIZE, first->scan - SOI_SIZE);
	for (int i = 0; i < p->count; i++) {
		const struct strip *strip = &p->strips[i];

		at = append(at, strip->jpeg + strip->scan,
			    strip->size - strip->scan - EOI_SIZE);
		*at++ = 0xff;
		*at++ = (unsigned char)(i < p->count - 1 ? 0xd0 + i % 8 : 0xd9);
	}
	return (size_t)(at - jpeg);
}

static int join_strips(struct packing *p, void **jpeg, size_t *size, struct err *err)
{
	size_t room = EOI_SIZE + (p->has_tags ? p->options->tags->size : 0);
	unsigned char *bytes;

	for (int i = 0; i < p->count; i++) {
		if (p->strips[i].why[0])
			return err_set(err, -EIO, "the stack could not be encoded: %s",
				       p->strips[i].why);
		open_header(&p->strips[i], p->image->layout.height);
		room += p->strips[i].size;
	}
	bytes = malloc(room);
	if (!bytes)
		return err_set(err, -ENOMEM, "out of memory");
	*size = join(p, bytes);
	*jpeg = bytes;
	return 0;
}

int pack(const struct ycc_image *image, const struct pack_options *options, void **jpeg,
	 size_t *size, struct err *err)
{
	struct packing p = {.image = image,
			    .options = options,
			    .has_tags = options->tags && options->tags->size > 0};
	int ret;

	plan_strips(&p);
	p.strips = calloc((size_t)p.count, sizeof(*p.strips));
	if (!p.strips)
		return err_set(err, -ENOMEM, "out of memory");
	extend(image);
	ret = parallel_for(p.count, pack_strip, &p, options->cancel);
	if (ret == 0)
		ret = join_strips(&p, jpeg, size, err);
	for (int i = 0; i < p.count; i++)
		free(p.strips[i].jpeg);
	free(p.strips);
	return ret;
}
