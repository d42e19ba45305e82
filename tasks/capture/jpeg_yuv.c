/* Feeds YUV planes to libjpeg in bands of whole blocks. */
#include "tasks/capture/jpeg_yuv.h"

#include <string.h>

/* The rows that libjpeg takes in one call. */
struct band {
	const struct frame *frame;
	JSAMPARRAY planes[3];
	int width[3];  /* values per row of the picture */
	int padded[3]; /* the same, rounded up to whole blocks */
};

void jpeg_yuv_prepare(struct jpeg_compress_struct *info, const struct frame *frame)
{
	info->raw_data_in = TRUE;
	info->comp_info[0].h_samp_factor = 2;
	info->comp_info[0].v_samp_factor = frame->yuv->rows_by;
	for (int i = 1; i < 3; i++) {
		info->comp_info[i].h_samp_factor = 1;
		info->comp_info[i].v_samp_factor = 1;
	}
}

static void band_allocate(struct band *band, struct jpeg_compress_struct *info)
{
	for (int i = 0; i < 3; i++) {
		const jpeg_component_info *plane = &info->comp_info[i];

		band->width[i] = i ? (band->frame->width + 1) / 2 : band->frame->width;
		band->padded[i] = (int)plane->width_in_blocks * DCTSIZE;
		band->planes[i] = info->mem->alloc_sarray(
			(j_common_ptr)info, JPOOL_IMAGE, (JDIMENSION)band->padded[i],
			(JDIMENSION)(plane->v_samp_factor * DCTSIZE));
	}
}

/* Repeats the last value up to the end of the block. */
static void band_pad(const struct band *band, int plane, int row)
{
	JSAMPROW values = band->planes[plane][row];
	int width = band->width[plane];

	memset(values + width, values[width - 1], (size_t)(band->padded[plane] - width));
}

static int band_least(int a, int b)
{
	return a < b ? a : b;
}

/* Fills the band from row first on, repeating the picture's last row below it. */
static void band_fill(const struct band *band, int first)
{
	const struct yuv *yuv = band->frame->yuv;
	int bottom = band->frame->height - 1;

	for (int i = 0; i < yuv->rows_by * DCTSIZE; i++) {
		yuv->light(yuv, band_least(first + i, bottom), band->planes[0][i]);
		band_pad(band, 0, i);
	}
	for (int i = 0; i < DCTSIZE; i++) {
		yuv->colours(yuv,
			     band_least(first / yuv->rows_by + i, bottom / yuv->rows_by),
			     band->planes[1][i], band->planes[2][i]);
		band_pad(band, 1, i);
		band_pad(band, 2, i);
	}
}

void jpeg_yuv_write(struct jpeg_compress_struct *info, const struct frame *frame)
{
	const int rows = frame->yuv->rows_by * DCTSIZE;
	struct band band = {.frame = frame};

	band_allocate(&band, info);
	for (int y = 0; y < frame->height; y += rows) {
		band_fill(&band, y);
		jpeg_write_raw_data(info, band.planes, (JDIMENSION)rows);
	}
}
