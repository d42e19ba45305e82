/* Measures how long the simulated camera takes to render and encode a photo, and whether
 * its memory is returned.
 *
 *     camera
 *
 * A missed target is marked; the exit code is 0 all the same, because figures depend on
 * the machine. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hal/frame.h"
#include "hal/sim/render.h"
#include "tasks/capture/photo.h"
#include "tests/bench/figure.h"
#include "tests/bench/probe.h"
#include "tests/bench/sample.h"

struct size {
	const char *name;
	int width, height, photos;
	double target_ms;
};

static const struct size sizes[] = {
	{"a photo of 1640 x 1232, rendered", 1640, 1232, 20, 400},
	{"a photo of 4656 x 3496, rendered", 4656, 3496, 3, 4000},
};

/* From all sides, as in a scan. */
static struct render_view view_of(const struct size *size, int i)
{
	return (struct render_view){
		.theta_deg = 30 + 95.0 * i / size->photos,
		.phi_deg = 137.5 * i,
		.radius_mm = 130,
		.light = 1,
		.exposure = 1,
		.gain = 1,
		.focus_dioptres = 9.6,
		.width = size->width,
		.height = size->height,
		.seed = (uint64_t)i + 1,
	};
}

static int encode(struct frame *frame)
{
	void *jpeg = NULL;
	size_t bytes;
	int ret;

	frame->orientation = 1;
	frame->jpeg_quality = 90;
	ret = photo_encode(frame, &jpeg, &bytes, NULL);
	free(jpeg);
	return ret;
}

static double cpu_ms(void)
{
	struct probe probe;

	probe_take(&probe, getpid());
	return probe.cpu_ms;
}

struct costs {
	struct sample rendered, encoded;
	double cpu_ms; /* of all rendering */
};

/* Returns 0 on success. */
static int take_photo(const struct size *size, int i, struct costs *costs)
{
	struct render_view view = view_of(size, i);
	struct frame *frame = frame_new(size->width, size->height);
	double cpu = cpu_ms();
	int64_t since = now_ns();
	int ret = frame ? render_photo(&view, frame->rgb, NULL) : -1;

	sample_since(&costs->rendered, since);
	costs->cpu_ms += cpu_ms() - cpu;
	since = now_ns();
	if (ret == 0)
		ret = encode(frame);
	sample_since(&costs->encoded, since);
	frame_free(frame);
	return ret;
}

static int measure(struct figures *figures, const struct size *size)
{
	struct costs costs = {0};
	int ret = 0;

	for (int i = 0; i < size->photos && ret == 0; i++)
		ret = take_photo(size, i, &costs);
	figures_add(figures,
		    &(struct figure){size->name, "ms", sample_at(&costs.rendered, .5),
				     AIM_AT_MOST, size->target_ms, "on one core alone",
				     costs.cpu_ms / size->photos});
	figures_add(figures, &(struct figure){"    and encoded", "ms",
					      sample_at(&costs.encoded, .5), AIM_NONE, 0,
					      NULL, 0});
	sample_free(&costs.rendered);
	sample_free(&costs.encoded);
	return ret;
}

int main(void)
{
	static struct figures figures;
	struct probe before, after;
	int ret = 0;

	probe_take(&before, getpid());
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && ret == 0; i++)
		ret = measure(&figures, &sizes[i]);
	probe_take(&after, getpid());
	figures_add(&figures, &(struct figure){"resident after them", "MB", after.rss_mb,
					       AIM_AT_MOST, before.rss_mb + 8,
					       "before them", before.rss_mb});
	figures_print(&figures);
	return ret == 0 ? 0 : 1;
}
