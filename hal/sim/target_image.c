/* Reads a JPEG and scales it into a frame. */
#include "hal/sim/target_image.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

struct target_image {
	struct frame *image;
};

/* libjpeg reports a fatal error by a function that must not return. */
struct target_image_failure {
	struct jpeg_error_mgr mgr;
	jmp_buf jump;
	char text[JMSG_LENGTH_MAX];
};

static void target_image_jump(j_common_ptr info)
{
	struct target_image_failure *failure = (struct target_image_failure *)info->err;

	failure->mgr.format_message(info, failure->text);
	longjmp(failure->jump, 1);
}

/* Stores the frame in target first, so that it can be freed after a longjmp(). */
static int target_image_read_rows(struct target_image *target,
				  struct jpeg_decompress_struct *info)
{
	struct frame *image;

	jpeg_read_header(info, TRUE);
	if (info->image_width > TARGET_IMAGE_SIDE ||
	    info->image_height > TARGET_IMAGE_SIDE)
		return -EFBIG;
	info->out_color_space = JCS_RGB;
	jpeg_start_decompress(info);
	target->image = image =
		frame_new((int)info->output_width, (int)info->output_height);
	if (!image)
		return -ENOMEM;
	while (info->output_scanline < info->output_height) {
		JSAMPROW row = image->rgb +
			       (size_t)info->output_scanline * (size_t)image->width * 3;

		jpeg_read_scanlines(info, &row, 1);
	}
	jpeg_finish_decompress(info);
	return 0;
}

static int target_image_read(struct target_image *target, FILE *file, const char *path,
			     struct err *err)
{
	struct jpeg_decompress_struct info;
	struct target_image_failure failure;
	int ret;

	info.err = jpeg_std_error(&failure.mgr);
	failure.mgr.error_exit = target_image_jump;
	if (setjmp(failure.jump)) {
		jpeg_destroy_decompress(&info);
		return err_code(err, -EBADMSG, "invalid_args", "sim.show_image: %s: %s",
				path, failure.text);
	}
	jpeg_create_decompress(&info);
	jpeg_stdio_src(&info, file);
	ret = target_image_read_rows(target, &info);
	jpeg_destroy_decompress(&info);
	if (ret == -EFBIG)
		return err_code(err, ret, "invalid_args",
				"sim.show_image: %s: a side must be at most %d pixels",
				path, TARGET_IMAGE_SIDE);
	return ret < 0 ? err_set(err, ret, "out of memory") : 0;
}

int target_image_open(struct target_image **out, const char *path, struct err *err)
{
	struct target_image *target = calloc(1, sizeof(*target));
	FILE *file = NULL;
	int ret;

	if (!target)
		return err_set(err, -ENOMEM, "out of memory");
	file = fopen(path, "rbe");
	if (file)
		ret = target_image_read(target, file, path, err);
	else
		ret = err_code(err, -errno, "invalid_args", "sim.show_image: %s: %s",
			       path, strerror(errno));
	if (file)
		fclose(file);
	if (ret < 0) {
		target_image_close(target);
		return ret;
	}
	*out = target;
	return 0;
}

void target_image_close(struct target_image *target)
{
	if (!target)
		return;
	frame_free(target->image);
	free(target);
}

void target_image_show(const struct target_image *target, struct frame *frame)
{
	const struct frame *image = target->image;
	double across = (double)frame->width / image->width;
	double down = (double)frame->height / image->height;
	double scale = across < down ? across : down;
	int width = (int)(image->width * scale), height = (int)(image->height * scale);
	int left = (frame->width - width) / 2, top = (frame->height - height) / 2;

	memset(frame->rgb, 0, (size_t)frame->width * (size_t)frame->height * 3);
	for (int y = 0; y < height; y++) {
		size_t from = (size_t)((int64_t)y * image->height / height) *
			      (size_t)image->width;
		size_t to = (size_t)(top + y) * (size_t)frame->width + (size_t)left;

		for (int x = 0; x < width; x++) {
			size_t column = (size_t)((int64_t)x * image->width / width);

			memcpy(frame->rgb + (to + (size_t)x) * 3,
			       image->rgb + (from + column) * 3, 3);
		}
	}
}
