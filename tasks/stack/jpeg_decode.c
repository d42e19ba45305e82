/* Decodes JPEGs by libjpeg's raw data interface. */
#include "tasks/stack/jpeg_decode.h"

#include <errno.h>
#include <string.h>

#include "tasks/capture/jpeg.h"

#define BAND_ROWS (4 * DCTSIZE) /* the most rows per call of libjpeg */

/* How many luma samples one sample of the channel covers; 0 when not a whole number. */
static int cover(int most, int factor)
{
	return factor > 0 && most % factor == 0 ? most / factor : 0;
}

/* Returns NULL, or why this JPEG cannot be stacked. */
static const char *read_layout(struct jpeg_decompress_struct *info, struct layout *layout)
{
	*layout = (struct layout){.width = (int)info->image_width,
				  .height = (int)info->image_height,
				  .channels = info->num_components};
	if (info->jpeg_color_space != JCS_YCbCr &&
	    info->jpeg_color_space != JCS_GRAYSCALE)
		return "its colours are not luma and chroma";
	if (jpeg_has_multiple_scans(info))
		return "it is progressive";
	if (layout->width > JPEG_DECODE_SIDE_MAX ||
	    layout->height > JPEG_DECODE_SIDE_MAX ||
	    (int64_t)layout->width * layout->height > JPEG_DECODE_PIXELS_MAX)
		return "it is too large";
	for (int c = 0; c < layout->channels; c++) {
		const jpeg_component_info *channel = &info->comp_info[c];

		layout->across[c] =
			cover(info->max_h_samp_factor, channel->h_samp_factor);
		layout->down[c] = cover(info->max_v_samp_factor, channel->v_samp_factor);
		if (!layout->across[c] || !layout->down[c])
			return "its chroma is sampled oddly";
	}
	if (layout->across[0] != 1 || layout->down[0] != 1)
		return "its luma is sampled oddly";
	return NULL;
}

static int damaged(const struct jpeg_failure *failure, struct err *err)
{
	return err_set(err, -EBADMSG, "not a whole JPEG: %s", failure->text);
}

/* Reads the header.  The caller must destroy info even after an error. */
static int read_header(struct jpeg_decompress_struct *info, const void *jpeg, size_t size,
		       struct layout *layout, struct err *err)
{
	const char *why;

	jpeg_create_decompress(info);
	jpeg_mem_src(info, jpeg, size);
	jpeg_read_header(info, TRUE);
	why = read_layout(info, layout);
	return why ? err_set(err, -EBADMSG, "cannot be stacked: %s", why) : 0;
}

static void read_coarseness(const struct jpeg_decompress_struct *info,
			    struct coarseness *coarseness)
{
	for (int c = 0; c < info->num_components; c++) {
		const JQUANT_TBL *table =
			info->quant_tbl_ptrs[info->comp_info[c].quant_tbl_no];

		if (table)
			memcpy(coarseness->steps[c], table->quantval,
			       sizeof(coarseness->steps[c]));
	}
}

int jpeg_decode_layout(const void *jpeg, size_t size, struct layout *layout,
		       struct coarseness *coarseness, struct err *err)
{
	struct jpeg_decompress_struct info = {0};
	struct jpeg_failure failure;
	int ret;

	info.err = jpeg_failure_catch(&failure);
	if (setjmp(failure.jump)) {
		ret = damaged(&failure, err);
	} else {
		ret = read_header(&info, jpeg, size, layout, err);
		if (ret == 0 && coarseness)
			read_coarseness(&info, coarseness);
	}
	jpeg_destroy_decompress(&info);
	return ret;
}

/* Points rows at the destination of the next band: its place in the image, or the same
 * rows again when image holds a single band. */
static void set_rows(const struct ycc_image *image, bool is_band, int y,
		     JSAMPROW rows[YCC_CHANNELS][BAND_ROWS])
{
	for (int c = 0; c < image->layout.channels; c++) {
		int from = is_band ? 0 : y / image->layout.down[c];

		for (int i = 0; i < BAND_ROWS / image->layout.down[c]; i++)
			rows[c][i] = plane_row(&image->planes[c], from + i);
	}
}

static void pass_luma(const struct luma_sink *sink, const struct layout *layout,
		      const struct plane *luma, int from, int y, int count)
{
	struct plane rows = {plane_row(luma, from), layout->width, count, luma->stride,
			     0};

	if (rows.height > layout->height - y)
		rows.height = layout->height - y;
	if (sink)
		sink->write(sink->context, &rows, y);
}

static void read_bands(struct jpeg_decompress_struct *info, struct ycc_image *image,
		       bool is_band, const struct layout *layout,
		       const struct luma_sink *sink)
{
	int count = info->max_v_samp_factor * DCTSIZE;
	JSAMPROW rows[YCC_CHANNELS][BAND_ROWS];
	JSAMPARRAY channels[YCC_CHANNELS] = {rows[0], rows[1], rows[2]};

	info->raw_data_out = TRUE;
	info->do_fancy_upsampling = FALSE;
	info->out_color_space = info->jpeg_color_space;
	jpeg_start_decompress(info);
	for (int y = 0; y < layout->height; y += count) {
		set_rows(image, is_band, y, rows);
		jpeg_read_raw_data(info, channels, (JDIMENSION)count);
		pass_luma(sink, layout, &image->planes[0], is_band ? 0 : y, y, count);
	}
	jpeg_finish_decompress(info);
}

/* An image with the height of one band. */
static int make_band(struct ycc_image *band, const struct layout *layout, struct err *err)
{
	struct layout low = *layout;

	low.height = BAND_ROWS;
	return ycc_image_make(band, &low) < 0 ? err_set(err, -ENOMEM, "out of memory")
					      : 0;
}

/* State that must survive longjmp(). */
struct decoder {
	struct jpeg_decompress_struct info;
	struct jpeg_failure failure;
	struct layout layout;
	struct ycc_image band;
};

static int decode_into(struct decoder *d, const void *jpeg, size_t size,
		       struct ycc_image *image, const struct luma_sink *sink,
		       struct err *err)
{
	int ret = read_header(&d->info, jpeg, size, &d->layout, err);

	if (ret == 0 && image && !layout_equal(&image->layout, &d->layout))
		ret = err_set(err, -EBADMSG, "cannot be stacked: it is another picture");
	if (ret == 0 && !image)
		ret = make_band(&d->band, &d->layout, err);
	if (ret == 0)
		read_bands(&d->info, image ? image : &d->band, !image, &d->layout, sink);
	return ret;
}

int jpeg_decode(const void *jpeg, size_t size, struct ycc_image *image,
		const struct luma_sink *sink, struct err *err)
{
	struct decoder d = {0};
	int ret;

	d.info.err = jpeg_failure_catch(&d.failure);
	if (setjmp(d.failure.jump))
		ret = damaged(&d.failure, err);
	else
		ret = decode_into(&d, jpeg, size, image, sink, err);
	jpeg_destroy_decompress(&d.info);
	ycc_image_free(&d.band);
	return ret;
}
