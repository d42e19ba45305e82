/* Writes twenty pictures of the simulated camera, for tests/image/run-stack.
 *
 *     views FOLDER */
#include <stdio.h>
#include <stdlib.h>

#include "hal/frame.h"
#include "hal/sim/render.h"
#include "tasks/capture/photo.h"

#define VIEWS 20
#define WIDTH 820
#define HEIGHT 616

/* From all sides, from above and below, near and far, bright and dim. */
static struct render_view view_of(int i)
{
	return (struct render_view){
		.radius_mm = 130 + i % 4 * 25,
		.width = WIDTH,
		.height = HEIGHT,
		.seed = (unsigned)i + 1,
		.theta_deg = 20 + 5.5 * i,
		.phi_deg = 137.5 * i,
		.light = i % 3 ? 1 : .6,
		.exposure = 1,
		.gain = 1,
		.focus_dioptres = 9.6 - i % 5,
		.room_lit = i % 7 == 6,
	};
}

static int write_view(const char *folder, int i)
{
	struct render_view view = view_of(i);
	struct frame *frame = frame_new(WIDTH, HEIGHT);
	char path[4096];
	void *jpeg = NULL;
	size_t size = 0;
	FILE *file;
	int ret;

	if (!frame)
		return -1;
	frame->orientation = 1;
	frame->jpeg_quality = 92;
	ret = render_photo(&view, frame->rgb, NULL);
	if (ret == 0)
		ret = photo_encode(frame, &jpeg, &size, NULL);
	frame_free(frame);
	if (ret < 0)
		return ret;
	snprintf(path, sizeof(path), "%s/view%02d.jpg", folder, i);
	file = fopen(path, "wb");
	if (!file || fwrite(jpeg, 1, size, file) != size)
		ret = -1;
	if (file && fclose(file) != 0)
		ret = -1;
	free(jpeg);
	return ret;
}

int main(int argc, char **argv)
{
	int ret = argc == 2 ? 0 : -1;

	for (int i = 0; ret == 0 && i < VIEWS; i++)
		ret = write_view(argv[1], i);
	if (ret < 0)
		fprintf(stderr, "views: the pictures could not be written\n");
	return ret < 0;
}
