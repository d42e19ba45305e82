/* Finds the crop of photos, for tests/image/run-stack.
 *
 *     crop THRESHOLD PHOTO.jpg...
 *
 * Prints one line per photo: "x y width height crop_width crop_height outlines". */
#include <stdio.h>
#include <stdlib.h>

#include "hal/frame.h"
#include "tasks/crop/crop.h"
#include "tasks/capture/photo.h"

#define SIDE_MAX 20000
#define FILE_MAX (64 << 20)

static int read_photo(const char *path, struct frame **frame, struct err *err)
{
	FILE *file = fopen(path, "rb");
	char *bytes = file ? malloc(FILE_MAX) : NULL;
	int ret = -1;

	if (bytes)
		ret = photo_decode(bytes, fread(bytes, 1, FILE_MAX, file), SIDE_MAX,
				   frame, err);
	free(bytes);
	if (file)
		fclose(file);
	return ret;
}

static int look_at(const char *path, int threshold)
{
	struct frame *frame, *upright;
	struct err err = {0};
	struct crop crop;
	int ret = read_photo(path, &frame, &err);

	if (ret < 0) {
		fprintf(stderr, "crop: %s: %s\n", path, err.text);
		return ret;
	}
	upright = photo_upright(frame);
	frame_free(frame);
	ret = upright ? crop_find(upright, threshold, &crop, NULL, &err) : -1;
	frame_free(upright);
	if (ret == 0)
		printf("%d %d %d %d %d %d %zu\n", crop.x, crop.y, crop.width, crop.height,
		       crop.crop_width, crop.crop_height, crop.outlines);
	return ret;
}

int main(int argc, char **argv)
{
	int ret = argc > 2 ? 0 : -1;

	for (int i = 2; ret == 0 && i < argc; i++)
		ret = look_at(argv[i], atoi(argv[1]));
	return ret < 0;
}
