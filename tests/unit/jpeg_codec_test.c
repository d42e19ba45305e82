/* Tests decoding a JPEG to its channels, and encoding them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hal/frame.h"
#include "tasks/capture/photo.h"
#include "tasks/stack/jpeg_encode.h"
#include "tasks/stack/jpeg_decode.h"

struct jpeg {
	void *bytes;
	size_t size;
};

static struct frame *make_waves(int width, int height)
{
	struct frame *frame = frame_new(width, height);

	assert_non_null(frame);
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++) {
			uint8_t *p = frame->rgb + (y * width + x) * 3;

			p[0] = (uint8_t)(x * 255 / width);
			p[1] = (uint8_t)(y * 255 / height);
			p[2] = (uint8_t)((x / 8 + y / 8) % 2 * 60 + 90);
		}
	frame->orientation = 6;
	frame->jpeg_quality = 92;
	return frame;
}

static struct jpeg make_jpeg(int width, int height)
{
	struct frame *frame = make_waves(width, height);
	struct jpeg jpeg;

	assert_int_equal(photo_encode(frame, &jpeg.bytes, &jpeg.size, NULL), 0);
	frame_free(frame);
	return jpeg;
}

static struct ycc_image decode_image(const struct jpeg *jpeg,
				     struct coarseness *coarseness)
{
	struct ycc_image image;
	struct layout layout;
	struct err err;

	assert_int_equal(
		jpeg_decode_layout(jpeg->bytes, jpeg->size, &layout, coarseness, &err),
		0);
	assert_int_equal(ycc_image_make(&image, &layout), 0);
	assert_int_equal(jpeg_decode(jpeg->bytes, jpeg->size, &image, NULL, &err), 0);
	return image;
}

static void a_jpegs_layout_is_read_from_its_header(void **state)
{
	struct jpeg jpeg = make_jpeg(333, 221);
	struct layout layout;

	(void)state;
	assert_int_equal(jpeg_decode_layout(jpeg.bytes, jpeg.size, &layout, NULL, NULL),
			 0);

	assert_int_equal(layout.width, 333);
	assert_int_equal(layout.height, 221);
	assert_int_equal(layout.channels, 3);
	assert_int_equal(layout.across[1], 2);
	assert_int_equal(layout_width(&layout, 1), 167);
	free(jpeg.bytes);
}

static void sum_rows(void *context, const struct plane *rows, int y)
{
	uint64_t *sum = context;

	(void)y;
	for (int i = 0; i < rows->height; i++)
		for (int x = 0; x < rows->width; x++)
			*sum += plane_row(rows, i)[x];
}

static void decoding_in_bands_gives_the_whole_picture(void **state)
{
	struct jpeg jpeg = make_jpeg(333, 221);
	struct ycc_image image = decode_image(&jpeg, NULL);
	uint64_t whole = 0, bands = 0;
	struct luma_sink sink = {sum_rows, &bands};

	(void)state;
	sum_rows(&whole, &image.planes[0], 0);
	assert_int_equal(jpeg_decode(jpeg.bytes, jpeg.size, NULL, &sink, NULL), 0);

	assert_true(whole > 0 && whole == bands);
	ycc_image_free(&image);
	free(jpeg.bytes);
}

static void a_torn_jpeg_is_refused(void **state)
{
	struct jpeg jpeg = make_jpeg(333, 221);
	struct err err = {0};

	(void)state;
	for (size_t part = 1; part < 10; part++) {
		int ret =
			jpeg_decode(jpeg.bytes, jpeg.size * part / 10, NULL, NULL, &err);

		assert_int_equal(ret, -EBADMSG);
		assert_non_null(strstr(err.text, "not a whole JPEG"));
	}
	free(jpeg.bytes);
}

static void a_file_that_is_no_jpeg_is_refused(void **state)
{
	char text[1000];
	struct layout layout;
	struct err err = {0};

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(jpeg_decode_layout(text, sizeof(text), &layout, NULL, &err),
			 -EBADMSG);
}

/* The mean difference of two pictures over all channels. */
static double difference_of(const struct ycc_image *a, const struct ycc_image *b)
{
	double sum = 0;

	for (int c = 0; c < a->layout.channels; c++)
		for (int y = 0; y < a->planes[c].height; y++)
			for (int x = 0; x < a->planes[c].width; x++)
				sum += abs(plane_row(&a->planes[c], y)[x] -
					   plane_row(&b->planes[c], y)[x]);
	return sum / (double)layout_bytes(&a->layout);
}

/* Odd sizes, a single row of blocks, less than a block. */
static const int sizes[][2] = {{333, 221}, {640, 480}, {1000, 16}, {17, 900}, {3, 3}};

static void channels_survive_encoding_and_decoding(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct jpeg jpeg = make_jpeg(sizes[i][0], sizes[i][1]), again;
		struct coarseness coarseness;
		struct ycc_image image = decode_image(&jpeg, &coarseness), back;
		struct jpeg_encode_options options = {.coarseness = &coarseness};

		assert_int_equal(
			jpeg_encode(&image, &options, &again.bytes, &again.size, NULL),
			0);

		back = decode_image(&again, NULL);
		assert_true(layout_equal(&back.layout, &image.layout));
		assert_true(difference_of(&image, &back) < 1);
		ycc_image_free(&back);
		ycc_image_free(&image);
		free(jpeg.bytes);
		free(again.bytes);
	}
}

/* As other cameras may write them: across and down, how many luma pixels a sample of
 * chroma covers; 0 for a grey picture. */
static const int samplings[][2] = {{1, 1}, {2, 1}, {1, 2}, {4, 1}, {0, 0}};

static struct ycc_image make_sampled(int across, int down)
{
	struct layout layout = {
		200, 150, across ? 3 : 1, {1, across, across}, {1, down, down}};
	struct ycc_image image;

	assert_int_equal(ycc_image_make(&image, &layout), 0);
	for (int c = 0; c < layout.channels; c++)
		for (int y = 0; y < image.planes[c].height; y++)
			for (int x = 0; x < image.planes[c].width; x++)
				plane_row(&image.planes[c], y)[x] =
					(uint8_t)(60 + (x + 2 * y + 40 * c) / 4);
	return image;
}

static void other_chroma_subsampling_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samplings) / sizeof(samplings[0]); i++) {
		struct ycc_image image = make_sampled(samplings[i][0], samplings[i][1]);
		struct jpeg_encode_options options = {.quality = 95};
		struct ycc_image back;
		struct jpeg jpeg;

		assert_int_equal(
			jpeg_encode(&image, &options, &jpeg.bytes, &jpeg.size, NULL), 0);

		back = decode_image(&jpeg, NULL);
		assert_true(layout_equal(&back.layout, &image.layout));
		assert_true(difference_of(&image, &back) < 1);
		ycc_image_free(&back);
		ycc_image_free(&image);
		free(jpeg.bytes);
	}
}

static void libjpeg_reads_the_joined_strips(void **state)
{
	struct jpeg jpeg = make_jpeg(640, 480), again;
	struct ycc_image image = decode_image(&jpeg, NULL);
	struct jpeg_encode_options options = {.quality = 95};
	struct frame *frame;
	struct err err = {0};

	(void)state;
	assert_int_equal(jpeg_encode(&image, &options, &again.bytes, &again.size, NULL),
			 0);

	assert_int_equal(photo_decode(again.bytes, again.size, 640, &frame, &err), 0);
	assert_int_equal(frame->width, 640);
	assert_int_equal(frame->height, 480);
	frame_free(frame);
	ycc_image_free(&image);
	free(jpeg.bytes);
	free(again.bytes);
}

static void exif_tags_are_copied(void **state)
{
	struct jpeg jpeg = make_jpeg(64, 48), again;
	struct ycc_image image = decode_image(&jpeg, NULL);
	struct jpeg_encode_options options = {.quality = 90};
	struct frame *frame;
	struct tags tags;

	(void)state;
	assert_int_equal(tags_copy(&tags, jpeg.bytes, jpeg.size), 0);
	assert_true(tags.size > 0);
	options.tags = &tags;
	assert_int_equal(jpeg_encode(&image, &options, &again.bytes, &again.size, NULL),
			 0);

	assert_int_equal(photo_decode(again.bytes, again.size, 64, &frame, NULL), 0);
	assert_int_equal(frame->orientation, 6);
	frame_free(frame);
	tags_free(&tags);
	ycc_image_free(&image);
	free(jpeg.bytes);
	free(again.bytes);
}

static void damaged_exif_tags_are_not_copied(void **state)
{
	unsigned char bytes[] = {0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff, 1, 2};
	struct tags tags;

	(void)state;
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		assert_int_equal(tags_copy(&tags, bytes, size), 0);
		assert_int_equal(tags.size, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_jpegs_layout_is_read_from_its_header),
		cmocka_unit_test(decoding_in_bands_gives_the_whole_picture),
		cmocka_unit_test(a_torn_jpeg_is_refused),
		cmocka_unit_test(a_file_that_is_no_jpeg_is_refused),
		cmocka_unit_test(channels_survive_encoding_and_decoding),
		cmocka_unit_test(other_chroma_subsampling_is_read),
		cmocka_unit_test(libjpeg_reads_the_joined_strips),
		cmocka_unit_test(exif_tags_are_copied),
		cmocka_unit_test(damaged_exif_tags_are_not_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
