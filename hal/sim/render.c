/* Renders the object: rays per block of pixels, shading, lens and sensor. */
#include "hal/sim/render.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "agent/base/parallel.h"
#include "agent/base/simd.h"
#include "hal/sim/lens.h"
#include "hal/sim/scene.h"
#include "hal/sim/sensor.h"

#define FOCAL_PER_WIDTH .754  /* the Arducam IMX519's lens */
#define APERTURE_MM 2.4	      /* of the same */
#define FOCAL_MM 4.28	      /* of the same */
#define MEASURED_DIOPTRES 9.6 /* where it was focused when FOCAL_PER_WIDTH was found */

#define BLOCK 8 /* side of the pixel block that shares one cone-marching ray */
#define TILE 64 /* side of the tile that one thread renders: SCENE_BATCH blocks */
#define BAND 16 /* rows that one thread develops at a time */

#define MOST_STEPS 96
#define STRIDE .6f /* fraction of the distance: the relief makes it too long at times */
#define TOUCH 1.3f /* a ray hits when it is this many beam radii away */
#define RAY_BEAM .27f	/* a ray's beam radius in pixels */
#define BLOCK_BEAM 5.7f /* a block's: its half diagonal */

/* The ring light: strength at 1 scan radius, and the fraction that arrives from all
 * sides. */
#define RING .72f
#define AMBIENT .06f
#define ROOM_LIGHT .5f	  /* of the walls */
#define ROOM_AMBIENT .25f /* of the room on the object */

/* The camera's position and axes, in scan radii. */
struct viewpoint {
	float eye[3], forward[3], right[3], up[3];
};

/* The state of rendering one photo. */
struct shot {
	const struct render_view *view;
	struct viewpoint object; /* the camera relative to the object, which turns */
	struct viewpoint room;	 /* and relative to the room, which does not */
	float focal;		 /* pixels */
	int left, top;		 /* pixels cropped away there */
	int tiles_wide;		 /* tiles in a row */
	struct lens lens;
	struct sensor sensor;
};

/* Rays that have not hit anything yet, packed for loops. */
struct rays {
	struct scene_points way; /* unit directions */
	float t[SCENE_BATCH];	 /* distance so far */
	float end[SCENE_BATCH];	 /* distance at which they have passed the object */
	int who[SCENE_BATCH];	 /* the pixel or block of each */
	int n;
};

/* Where rays hit the object, and the pixel or block of each. */
struct hits {
	struct scene_points at, way;
	float t[SCENE_BATCH];
	int who[SCENE_BATCH];
	int n;
};

double render_focal_px(int full_width)
{
	return FOCAL_PER_WIDTH * full_width;
}

/* Thin lens: 1 / focal = 1 / distance + 1 / image distance. */
double render_breathing(double focus_dioptres)
{
	if (focus_dioptres <= 0)
		return 1;
	return (1 - FOCAL_MM * MEASURED_DIOPTRES / 1000) /
	       (1 - FOCAL_MM * focus_dioptres / 1000);
}

int render_cropped(int full, double crop)
{
	const int even = (int)(full * (1 - crop)) / 2 * 2;

	return even < 2 ? 2 : even;
}

static int groups(int n)
{
	return (n + SCENE_LANES - 1) / SCENE_LANES;
}

/* The unit direction through the point (x, y) of the cropped picture, in pixels. */
static void look(const struct shot *shot, const struct viewpoint *vp, float x, float y,
		 struct scene_points *way, int i)
{
	const struct render_view *view = shot->view;
	const float u = (x + (float)shot->left - .5f * (float)view->width) / shot->focal;
	const float v = (.5f * (float)view->height - y - (float)shot->top) / shot->focal;
	const float scale = 1 / sqrtf(1 + u * u + v * v);

	way->x[i] = (vp->forward[0] + u * vp->right[0] + v * vp->up[0]) * scale;
	way->y[i] = (vp->forward[1] + u * vp->right[1] + v * vp->up[1]) * scale;
	way->z[i] = (vp->forward[2] + u * vp->right[2] + v * vp->up[2]) * scale;
}

/* Adds the ray through (x, y), unless it misses the object by more than its beam. */
static bool aim(const struct shot *shot, float x, float y, float beam, struct rays *rays,
		int who)
{
	const float *eye = shot->object.eye;
	const float bound = SCENE_BOUND + beam;
	const int n = rays->n;
	float along, inside;

	look(shot, &shot->object, x, y, &rays->way, n);
	along = -(rays->way.x[n] * eye[0] + rays->way.y[n] * eye[1] +
		  rays->way.z[n] * eye[2]);
	inside = along * along - 1 + bound * bound;
	if (inside <= 0)
		return false;

	rays->t[n] = along - sqrtf(inside);
	rays->end[n] = along + sqrtf(inside);
	rays->who[n] = who;
	rays->n++;
	return true;
}

/* The points at distance t from eye. */
SIMD_CLONES void render_advance(const float eye[3],
				const struct scene_points *restrict way,
				const float *restrict t, struct scene_points *restrict at,
				int count)
{
	for (int i = 0; i < count * SCENE_LANES; i++) {
		at->x[i] = eye[0] + way->x[i] * t[i];
		at->y[i] = eye[1] + way->y[i] * t[i];
		at->z[i] = eye[2] + way->z[i] * t[i];
	}
}

typedef void measure_fn(const struct scene_points *p, float *distance, int groups);

/* Marches rays of a beam width (relative to their length) until they hit what measure()
 * measures; rays that miss are dropped. */
static void march(const struct shot *shot, struct rays *rays, float beam,
		  measure_fn *measure, struct hits *hits)
{
	struct scene_points at;
	float distance[SCENE_BATCH];

	hits->n = 0;
	for (int step = 0; rays->n > 0 && step < MOST_STEPS; step++) {
		/* A ray that still skims the surface at the end has all but hit it. */
		const float touch = step < MOST_STEPS - 1 ? TOUCH : 3 * TOUCH;
		int kept = 0;

		render_advance(shot->object.eye, &rays->way, rays->t, &at,
			       groups(rays->n));
		measure(&at, distance, groups(rays->n));
		for (int i = 0; i < rays->n; i++) {
			const float wide = beam * rays->t[i];
			const float next = rays->t[i] + STRIDE * (distance[i] - wide / 3);

			if (distance[i] < touch * wide) {
				hits->way.x[hits->n] = rays->way.x[i];
				hits->way.y[hits->n] = rays->way.y[i];
				hits->way.z[hits->n] = rays->way.z[i];
				hits->t[hits->n] = rays->t[i];
				hits->who[hits->n++] = rays->who[i];
			} else if (next < rays->end[i]) {
				rays->way.x[kept] = rays->way.x[i];
				rays->way.y[kept] = rays->way.y[i];
				rays->way.z[kept] = rays->way.z[i];
				rays->end[kept] = rays->end[i];
				rays->who[kept] = rays->who[i];
				rays->t[kept++] = next;
			}
		}
		rays->n = kept;
	}
}

/* Refines march()'s hits onto the surface itself by one step and a secant, so that photos
 * from all angles show the same surface. */
static void settle(const struct shot *shot, struct hits *hits)
{
	struct scene_points at;
	float before[SCENE_BATCH], after[SCENE_BATCH];

	render_advance(shot->object.eye, &hits->way, hits->t, &at, groups(hits->n));
	scene_distance(&at, before, groups(hits->n));
	for (int i = 0; i < hits->n; i++)
		hits->t[i] += before[i];
	render_advance(shot->object.eye, &hits->way, hits->t, &at, groups(hits->n));
	scene_distance(&at, after, groups(hits->n));
	for (int i = 0; i < hits->n; i++) {
		const float gained = before[i] - after[i];

		if (gained > .2f * before[i] && before[i] > 0)
			hits->t[i] += after[i] * before[i] / gained;
	}
	render_advance(shot->object.eye, &hits->way, hits->t, &hits->at, groups(hits->n));
}

/* 1 + the radius of the circle of confusion at `depth` scan radii in front of the lens:
 * similar triangles with the aperture. */
static uint16_t confusion(const struct shot *shot, float depth)
{
	const struct render_view *view = shot->view;
	const double dioptres =
		1 / (depth * view->radius_mm) - view->focus_dioptres / 1000;
	const double pixels = APERTURE_MM / 2 * shot->focal * fabs(dioptres);

	if (view->focus_dioptres <= 0)
		return 1;
	return (uint16_t)(1 + fmin(pixels * BLUR_PIXEL, UINT16_MAX - 1));
}

static uint16_t fixed(float light)
{
	return (uint16_t)fminf(light * LIGHT_ONE + .5f, UINT16_MAX);
}

static size_t pixel_index(const struct shot *shot, int x, int y)
{
	return (size_t)y * (size_t)shot->lens.level[0].width + (size_t)x;
}

/* Writes light and blur of hits into the block at (x, y). */
static void shade(const struct shot *shot, const struct hits *hits, int x, int y)
{
	const struct render_view *view = shot->view;
	const struct light_image *image = &shot->lens.level[0];
	const float ring = RING * (float)view->light;
	const float lamp = view->room_lit ? ROOM_AMBIENT : 0;
	struct scene_points normal;
	struct scene_paint paint;
	float open[SCENE_BATCH], footprint[SCENE_BATCH] = {0}, facing[SCENE_BATCH];

	scene_normal(&hits->at, &normal, groups(hits->n));
	scene_openness(&hits->at, &normal, open, groups(hits->n));
	for (int i = 0; i < hits->n; i++) {
		facing[i] =
			-(normal.x[i] * hits->way.x[i] + normal.y[i] * hits->way.y[i] +
			  normal.z[i] * hits->way.z[i]);
		facing[i] = fminf(fmaxf(facing[i], 0), 1);
		footprint[i] = hits->t[i] / (shot->focal * fmaxf(facing[i], .35f));
	}
	scene_paint(&hits->at, footprint, &paint, groups(hits->n));

	for (int i = 0; i < hits->n; i++) {
		const size_t pixel = pixel_index(shot, x + hits->who[i] % BLOCK,
						 y + hits->who[i] / BLOCK);
		const float at_lens = ring / (hits->t[i] * hits->t[i]);
		const float cavity = .35f + .65f * open[i];
		const float matt =
			cavity * (at_lens * (AMBIENT + (1 - AMBIENT) * facing[i]) + lamp);
		const float shine = at_lens * paint.gloss[i] * powf(facing[i], 110);
		const float axis = shot->object.forward[0] * hits->way.x[i] +
				   shot->object.forward[1] * hits->way.y[i] +
				   shot->object.forward[2] * hits->way.z[i];

		image->rgb[3 * pixel] = fixed(matt * paint.red[i] + shine);
		image->rgb[3 * pixel + 1] = fixed(matt * paint.green[i] + shine);
		image->rgb[3 * pixel + 2] = fixed(matt * paint.blue[i] + shine);
		image->blur[pixel] = confusion(shot, hits->t[i] * axis);
	}
}

static void trace_block(const struct shot *shot, int x, int y, float start)
{
	const struct light_image *image = &shot->lens.level[0];
	const float beam = RAY_BEAM / shot->focal;
	struct rays rays = {0};
	struct hits hits = {0};

	for (int i = 0; i < BLOCK * BLOCK; i++) {
		const int px = x + i % BLOCK, py = y + i / BLOCK;

		if (px >= image->width || py >= image->height ||
		    !aim(shot, (float)px + .5f, (float)py + .5f, 0, &rays, i))
			continue;
		if (rays.t[rays.n - 1] < start)
			rays.t[rays.n - 1] = start;
	}
	march(shot, &rays, beam, scene_distance, &hits);
	if (hits.n == 0)
		return;
	settle(shot, &hits);
	shade(shot, &hits, x, y);
}

/* Draws the room into each pixel of a row of the tile that is still empty. */
static void trace_room_row(const struct shot *shot, int x, int y)
{
	const struct light_image *image = &shot->lens.level[0];
	struct scene_points way = {0};
	float light[SCENE_BATCH], distance[SCENE_BATCH];
	int who[SCENE_BATCH], n = 0;

	for (int px = x; px < x + TILE && px < image->width; px++) {
		if (image->blur[pixel_index(shot, px, y)])
			continue;
		look(shot, &shot->room, (float)px + .5f, (float)y + .5f, &way, n);
		who[n++] = px;
	}
	scene_room(shot->room.eye, &way, light, distance, groups(n));
	for (int i = 0; i < n; i++) {
		const size_t pixel = pixel_index(shot, who[i], y);

		for (int k = 0; k < 3; k++)
			image->rgb[3 * pixel + (size_t)k] = fixed(ROOM_LIGHT * light[i]);
		image->blur[pixel] = confusion(shot, distance[i]);
	}
}

/* One cone per block finds which blocks see the object and how far away it is. */
static void trace_tile(void *context, int tile)
{
	const struct shot *shot = context;
	const struct light_image *image = &shot->lens.level[0];
	const int x = tile % shot->tiles_wide * TILE, y = tile / shot->tiles_wide * TILE;
	const float beam = BLOCK_BEAM / shot->focal;
	struct rays cones = {0};
	struct hits blocks = {0};

	for (int i = 0; i < SCENE_BATCH; i++) {
		const int middle_x = x + i % BLOCK * BLOCK + BLOCK / 2;
		const int middle_y = y + i / BLOCK * BLOCK + BLOCK / 2;

		aim(shot, (float)middle_x, (float)middle_y, beam * 1.6f, &cones, i);
	}
	march(shot, &cones, beam, scene_clearance, &blocks);
	for (int i = 0; i < blocks.n; i++)
		trace_block(shot, x + blocks.who[i] % BLOCK * BLOCK,
			    y + blocks.who[i] / BLOCK * BLOCK, blocks.t[i]);
	for (int row = y; shot->view->room_lit && row < y + TILE && row < image->height;
	     row++)
		trace_room_row(shot, x, row);
}

/* The conversion of a shot into the sensor's bytes. */
struct development {
	const struct shot *shot;
	uint8_t *rgb;
	atomic_bool failed; /* memory ran out */
};

static void develop_band(void *context, int band)
{
	struct development *d = context;
	const struct shot *shot = d->shot;
	const struct light_image *image = &shot->lens.level[0];
	const size_t values = 3 * (size_t)image->width;
	float *row = malloc(values * sizeof(*row));

	if (!row) {
		atomic_store(&d->failed, true);
		return;
	}
	for (int y = band * BAND; y < (band + 1) * BAND && y < image->height; y++) {
		const uint64_t first =
			((uint64_t)(y + shot->top) * (uint64_t)shot->view->width +
			 (uint64_t)shot->left) *
			3;

		lens_row(&shot->lens, y, row);
		sensor_row(&shot->sensor, row, (int)values, first,
			   d->rgb + (size_t)y * values);
	}
	free(row);
}

/* The camera's position and axes at the azimuth phi around the object. */
static void set_viewpoint(struct viewpoint *vp, double theta, double phi)
{
	const double st = sin(theta), ct = cos(theta), sp = sin(phi), cp = cos(phi);
	const double eye[3] = {st * cp, st * sp, ct};
	const double up[3] = {-ct * cp, -ct * sp, st};
	const double right[3] = {-sp, cp, 0};

	for (int k = 0; k < 3; k++) {
		vp->eye[k] = (float)eye[k];
		vp->forward[k] = (float)-eye[k];
		vp->up[k] = (float)up[k];
		vp->right[k] = (float)right[k];
	}
}

/* The largest possible circle of confusion, in pixels: at either end of the object. */
static double most_blur(const struct shot *shot)
{
	const uint16_t near = confusion(shot, 1 - SCENE_BOUND);
	const uint16_t far = confusion(shot, shot->view->room_lit ? 10 : 1 + SCENE_BOUND);

	return (double)(near > far ? near : far) / BLUR_PIXEL;
}

static void set_up(struct shot *shot, const struct render_view *view)
{
	const double turn = fmod(view->phi_deg, 360) * M_PI / 180;
	const double tilt = view->theta_deg * M_PI / 180;

	shot->view = view;
	shot->focal = (float)(view->focal_px > 0 ? view->focal_px
						 : render_focal_px(view->width));
	set_viewpoint(&shot->object, tilt, turn);
	set_viewpoint(&shot->room, tilt, 0);
	sensor_set(&shot->sensor, view->exposure, view->gain, view->light, view->seed);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): written through the development */
int render_photo(const struct render_view *view, uint8_t *rgb, struct cancel *cancel)
{
	struct shot shot = {0};
	struct light_image *image = &shot.lens.level[0];
	struct development development = {.shot = &shot, .rgb = rgb};
	int width, height, ret;

	if (view->width < 2 || view->height < 2 || !(view->radius_mm > 0))
		return -EINVAL;
	width = render_cropped(view->width, view->crop_width);
	height = render_cropped(view->height, view->crop_height);
	set_up(&shot, view);
	shot.left = (view->width - width) / 2;
	shot.top = (view->height - height) / 2;
	shot.tiles_wide = (width + TILE - 1) / TILE;

	ret = light_image_open(image, width, height);
	if (ret < 0)
		return ret;
	ret = parallel_for(shot.tiles_wide * ((height + TILE - 1) / TILE), trace_tile,
			   &shot, cancel);
	if (ret == 0)
		ret = lens_focus(&shot.lens, most_blur(&shot), cancel);
	if (ret == 0)
		ret = parallel_for((height + BAND - 1) / BAND, develop_band, &development,
				   cancel);
	if (ret == 0 && atomic_load(&development.failed))
		ret = -ENOMEM;
	lens_close(&shot.lens);
	light_image_close(image);
	return ret;
}
