/* The owl as a distance field, with its relief and its paint. */
#include "hal/sim/scene.h"

#include <math.h>

#include "agent/base/simd.h"
#include "hal/sim/noise.h"

#define WITHIN(groups) ((groups)*SCENE_LANES)

struct ball {
	float x, y, z;	  /* middle */
	float rx, ry, rz; /* half axes */
	float blend;	  /* width of the seam to the part that it grows on */
};

/* The owl; parts with y above 0 come in pairs. */
static const struct ball body = {0, 0, -.085f, .185f, .195f, .255f, 0};
static const struct ball head = {.02f, 0, .16f, .15f, .17f, .135f, .07f};
static const struct ball ear = {0, .115f, .275f, .035f, .035f, .085f, .04f};
static const struct ball wing = {-.03f, .175f, -.08f, .13f, .055f, .20f, .015f};
static const struct ball tail = {-.16f, 0, -.24f, .06f, .08f, .13f, .03f};
static const struct ball eye = {.135f, .072f, .185f, .05f, .05f, .05f, .012f};
static const struct ball beak = {.172f, 0, .135f, .035f, .022f, .05f, .012f};
static const struct ball foot = {.13f, .075f, -.315f, .065f, .05f, .035f, .012f};

struct disc {
	float radius, low, high;
};

static const struct disc plinth = {.19f, -.362f, -.332f};
static const struct disc table = {.21f, -.388f, -.362f};
static const struct disc spindle = {.05f, -.44f, -.388f};

#define PLINTH_BLEND .03f
#define RELIEF .022f /* an upper bound of the relief */
#define FACE .098f   /* radius of the ring of feathers around each eye */

struct rgb {
	float r, g, b;
};

static const struct rgb cream = {.76f, .67f, .50f};
static const struct rgb rust = {.52f, .23f, .09f};
static const struct rgb brown = {.22f, .11f, .05f};
static const struct rgb cobalt = {.06f, .17f, .45f};
static const struct rgb ink = {.035f, .03f, .03f};
static const struct rgb white = {.84f, .82f, .74f};
static const struct rgb amber = {.86f, .50f, .03f};
static const struct rgb ochre = {.60f, .34f, .07f};
static const struct rgb slate = {.27f, .29f, .30f};

SIMD_INLINE float smaller(float a, float b)
{
	return a < b ? a : b;
}

SIMD_INLINE float larger(float a, float b)
{
	return a > b ? a : b;
}

SIMD_INLINE float clamp01(float x)
{
	return smaller(larger(x, 0), 1);
}

/* The distance of an ellipsoid, exact at its surface (I. Quilez, "ellipsoid - SDF",
 * 2008). */
SIMD_INLINE float ball_distance(struct ball b, float x, float y, float z)
{
	const float ux = (x - b.x) / b.rx, uy = (y - b.y) / b.ry, uz = (z - b.z) / b.rz;
	const float vx = ux / b.rx, vy = uy / b.ry, vz = uz / b.rz;
	const float k0 = sqrtf(ux * ux + uy * uy + uz * uz);
	const float k1 = sqrtf(vx * vx + vy * vy + vz * vz);

	return k0 * (k0 - 1) / larger(k1, 1e-4f);
}

SIMD_INLINE float disc_distance(struct disc c, float axis, float z)
{
	const float side = axis - c.radius;
	const float end = fabsf(z - (c.low + c.high) / 2) - (c.high - c.low) / 2;
	const float so = larger(side, 0), eo = larger(end, 0);

	return sqrtf(so * so + eo * eo) + smaller(larger(side, end), 0);
}

/* The smaller of two distances with a fillet of width k between them (the polynomial
 * smooth minimum, I. Quilez, 2013). */
SIMD_INLINE float joined(float a, float b, float k)
{
	const float h = larger(k - fabsf(a - b), 0);

	return smaller(a, b) - h * h / (4 * k);
}

SIMD_INLINE float grown(float d, struct ball b, float x, float y, float z)
{
	return joined(d, ball_distance(b, x, y, z), b.blend);
}

/* Trunk and limbs: everything that has feathers. */
SIMD_INLINE float feathered_distance(float x, float y, float z)
{
	float d = ball_distance(body, x, y, z);

	d = grown(d, head, x, y, z);
	d = grown(d, ear, x, y, z);
	d = grown(d, wing, x, y, z);
	return grown(d, tail, x, y, z);
}

SIMD_INLINE float owl_distance(float x, float y, float z)
{
	float d = feathered_distance(x, y, z);

	d = grown(d, eye, x, y, z);
	d = grown(d, beak, x, y, z);
	return grown(d, foot, x, y, z);
}

SIMD_INLINE float stand_distance(float axis, float z)
{
	return smaller(disc_distance(table, axis, z), disc_distance(spindle, axis, z));
}

/* The shape without its relief. */
SIMD_INLINE float form_distance(float x, float y, float z)
{
	const float axis = sqrtf(x * x + y * y);
	const float owl = joined(owl_distance(x, fabsf(y), z),
				 disc_distance(plinth, axis, z), PLINTH_BLEND);

	return smaller(owl, stand_distance(axis, z));
}

/* One tooth of a row of feathers: up slowly, down fast, round at both ends so that the
 * normal turns over a few pixels. */
SIMD_INLINE float tooth(float phase)
{
	const float f = phase - (float)noise_floor(phase);
	const float up = f * (1 / .62f), down = (1 - f) * (1 / .38f);
	const float ramp = smaller(up, down);

	return ramp * ramp * (3 - 2 * ramp);
}

/* What the potter's hands and tools left on the shape: never above RELIEF. */
SIMD_INLINE float relief(float x, float y, float z)
{
	const float soft = noise_value(11 * x, 11 * y, 11 * z);
	const float rough = noise_value(22 * x + 13 * y, 22 * y - 13 * x, 26 * z);
	const float rows = tooth(16 * z + soft + 4 * fabsf(y));
	const float on_owl = clamp01((z + .30f) * 14);
	const float toes = tooth((fabsf(y) - foot.y) * 26 + .85f);
	const float on_feet =
		clamp01((.016f - ball_distance(foot, x, fabsf(y), z)) * 60) *
		clamp01((x - .10f) * 30);
	const float on_head = clamp01((z - .07f) * 14);
	const float on_eyes = clamp01(1.6f - ball_distance(eye, x, fabsf(y), z) * 60);

	const float plumes =
		.007f * soft + .004f * rough + .009f * (1 - .7f * on_head) * rows;

	return on_owl * (1 - .9f * on_eyes) * plumes +
	       (1 - on_owl) * on_feet * .007f * toes;
}

SIMD_CLONES void scene_clearance(const struct scene_points *p, float *distance,
				 int groups)
{
	for (int i = 0; i < WITHIN(groups); i++)
		distance[i] = form_distance(p->x[i], p->y[i], p->z[i]) - RELIEF;
}

SIMD_CLONES void scene_distance(const struct scene_points *p, float *distance, int groups)
{
	for (int i = 0; i < WITHIN(groups); i++)
		distance[i] = form_distance(p->x[i], p->y[i], p->z[i]) -
			      relief(p->x[i], p->y[i], p->z[i]);
}

/* The corners of a tetrahedron: four distances give the gradient. */
static const float corner[4][3] = {{1, -1, -1}, {-1, -1, 1}, {-1, 1, -1}, {1, 1, 1}};

SIMD_CLONES void scene_normal(const struct scene_points *p, struct scene_points *normal,
			      int groups)
{
	static const float width = .0009f;
	const int n = WITHIN(groups);
	struct scene_points at;
	float d[4][SCENE_BATCH];

	for (int k = 0; k < 4; k++) {
		for (int i = 0; i < n; i++) {
			at.x[i] = p->x[i] + width * corner[k][0];
			at.y[i] = p->y[i] + width * corner[k][1];
			at.z[i] = p->z[i] + width * corner[k][2];
		}
		scene_distance(&at, d[k], groups);
	}
	for (int i = 0; i < n; i++) {
		const float x = d[0][i] - d[1][i] - d[2][i] + d[3][i];
		const float y = d[2][i] - d[0][i] - d[1][i] + d[3][i];
		const float z = d[1][i] - d[0][i] - d[2][i] + d[3][i];
		const float scale = 1 / sqrtf(x * x + y * y + z * z + 1e-20f);

		normal->x[i] = x * scale;
		normal->y[i] = y * scale;
		normal->z[i] = z * scale;
	}
}

SIMD_CLONES void scene_openness(const struct scene_points *p,
				const struct scene_points *normal, float *open,
				int groups)
{
	static const float reach[2] = {.02f, .06f};
	const int n = WITHIN(groups);
	struct scene_points at;
	float d[2][SCENE_BATCH];

	for (int k = 0; k < 2; k++) {
		for (int i = 0; i < n; i++) {
			at.x[i] = p->x[i] + reach[k] * normal->x[i];
			at.y[i] = p->y[i] + reach[k] * normal->y[i];
			at.z[i] = p->z[i] + reach[k] * normal->z[i];
		}
		scene_distance(&at, d[k], groups);
	}
	for (int i = 0; i < n; i++) {
		const float near = clamp01(d[0][i] / reach[0]);
		const float far = clamp01(d[1][i] / reach[1]);

		open[i] = .5f * near + .5f * far;
	}
}

SIMD_INLINE struct rgb blended(struct rgb a, struct rgb b, float t)
{
	return (struct rgb){noise_mix(a.r, b.r, t), noise_mix(a.g, b.g, t),
			    noise_mix(a.b, b.b, t)};
}

/* 0 below, 1 above the edge, over the width of a pixel: sharp and yet not jagged. */
SIMD_INLINE float above(float value, float edge, float width)
{
	return clamp01((value - edge) / larger(width, 1e-4f) + .5f);
}

/* Round brush dots: at most one per cell of a grid with scale cells per unit.  1 in a
 * dot, 0 elsewhere; the fraction `share` of the cells has one. */
SIMD_INLINE float dots(float x, float y, float z, float scale, float share, float pixel)
{
	const float sx = x * scale, sy = y * scale, sz = z * scale;
	const int ix = noise_floor(sx), iy = noise_floor(sy), iz = noise_floor(sz);
	const uint32_t cell =
		noise_corner(noise_hash((uint32_t)ix), noise_hash((uint32_t)iy),
			     noise_hash((uint32_t)iz));
	const uint32_t place = noise_hash(cell);
	const float size = .26f + .16f * clamp01(.5f + .5f * noise_signed(place << 20));
	const float room = (.5f - size) / 128;
	const float dx = sx - (float)ix - .5f - room * (float)((int)(place >> 24) - 128);
	const float dy =
		sy - (float)iy - .5f - room * (float)((int)(place >> 16 & 255) - 128);
	const float dz =
		sz - (float)iz - .5f - room * (float)((int)(place >> 8 & 255) - 128);
	const float away = sqrtf(dx * dx + dy * dy + dz * dz);
	const float here = .5f + .5f * noise_signed(cell) < share ? 1.f : 0.f;

	return here * above(size, away, scale * pixel);
}

/* The plumage: large fields, brush strokes over them, dots over all.  Nothing is
 * mirrored, so that the left side never looks like the right one. */
SIMD_INLINE struct rgb plumage(float x, float y, float z, float pixel)
{
	const float warp = noise_gradient(34 * x, 34 * y, 34 * z);
	const float wx = x + .004f * warp, wy = y - .004f * warp, wz = z + .003f * warp;
	const float field = noise_gradient(9 * x, 9 * y, 9 * z) + .35f * warp;
	const float stroke = noise_gradient(52 * wx, 52 * wy, 15 * wz);
	const float second = noise_gradient(71 * wy, 71 * wz, 71 * wx);
	const float front = x + .10f * z - .035f + .02f * field;
	const float is_front = above(front, 0, pixel);
	const float patch = above(field, .08f, 12 * pixel);
	const float streak = above(stroke, .22f, 50 * pixel);
	const float blot = above(second, .30f, 75 * pixel);
	struct rgb belly = blended(cream, rust, .8f * patch);
	struct rgb back = blended(brown, cobalt, patch);

	belly = blended(belly, brown, .75f * streak);
	belly = blended(belly, white, .7f * blot);
	back = blended(back, rust, .8f * streak);
	back = blended(back, cream, .85f * blot);
	return blended(back, belly, is_front);
}

/* Dots in three sizes, of a colour that shows on c. */
SIMD_INLINE struct rgb dotted(struct rgb c, float x, float y, float z, float pixel)
{
	const float big =
		dots(x + .31f, .8f * y + .6f * z, .8f * z - .6f * y, 21, .30f, pixel);
	const float small =
		dots(.8f * x + .6f * z, y + .17f, .8f * z - .6f * x, 47, .34f, pixel);
	const float speck =
		dots(.6f * x - .8f * y, .8f * x + .6f * y, z + .23f, 105, .30f, pixel);
	const float dark = clamp01(.5f + 3 * (.75f - c.r - c.g - c.b));

	c = blended(c, blended(brown, white, dark), big);
	c = blended(c, blended(ink, cream, dark), small);
	return blended(c, ink, .85f * speck);
}

/* Eyes, the ring of feathers around them, beak and feet. */
SIMD_INLINE struct rgb featured(struct rgb c, float x, float y, float z, float pixel,
				float *gloss)
{
	const float side = fabsf(y);
	const float rest = feathered_distance(x, side, z);
	const float to_eye = ball_distance(eye, x, side, z);
	const float ex = x - eye.x, ey = side - eye.y, ez = z - eye.z;
	const float in_eye = above(rest - to_eye, .001f, pixel);
	const float from_eye = sqrtf(ey * ey + ez * ez + .15f * ex * ex);
	const float on_face = x > .05f ? above(FACE, from_eye, pixel) : 0.f;
	const float rim = x > .05f ? above(.0055f, fabsf(from_eye - FACE), pixel) : 0.f;
	const float ray =
		noise_gradient(26 * x, 90 * ey / (from_eye + .02f), 9 * ez + 60 * y);
	/* The pupil looks ahead and a little outwards. */
	const float gaze = (.95f * ex + .28f * ey + .10f * ez) / eye.rx;
	const float pupil = above(gaze, .80f, pixel / eye.rx);
	const float iris = above(gaze, .42f, pixel / eye.rx);
	const float ochre_part =
		smaller(ball_distance(beak, x, side, z), ball_distance(foot, x, side, z));
	const float in_ochre = above(rest - ochre_part, .001f, pixel);

	c = blended(c, blended(cream, rust, .55f * above(ray, .12f, 60 * pixel)),
		    on_face);
	c = blended(c, brown, rim);
	c = blended(c, blended(blended(ink, amber, iris), ink, pupil), in_eye);
	c = blended(c, ochre, in_ochre);
	*gloss = noise_mix(.10f, .55f, in_eye);
	return c;
}

/* The table: a mat printed with squares of random darkness and tint, on every side. */
SIMD_INLINE struct rgb mat(float x, float y, float z)
{
	const int ix = noise_floor(x * 28 + .37f), iy = noise_floor(y * 28 + .37f);
	const int iz = noise_floor(z * 28 + .30f);
	const uint32_t cell =
		noise_corner(noise_hash((uint32_t)ix), noise_hash((uint32_t)iy),
			     noise_hash((uint32_t)iz));
	const float grey = cell >> 31 ? .50f : .07f;

	return (struct rgb){grey * (1 + .25f * noise_signed(cell << 1)),
			    grey * (1 + .20f * noise_signed(cell << 9)),
			    grey * (1 + .25f * noise_signed(cell << 17))};
}

/* Everything but the grain. */
SIMD_INLINE struct rgb glazed(float x, float y, float z, float pixel, float *gloss)
{
	const float axis = sqrtf(x * x + y * y);
	const float to_owl = owl_distance(x, fabsf(y), z) - .012f;
	const float to_plinth = disc_distance(plinth, axis, z);
	const float to_stand = stand_distance(axis, z);
	const float on_plinth = above(to_owl - to_plinth, 0, pixel);
	const float on_stand = above(smaller(to_owl, to_plinth) - to_stand, 0, pixel);
	float shine;
	struct rgb c = plumage(x, y, z, pixel);
	struct rgb base = dotted(slate, x, y, z, pixel);

	c = dotted(c, x, y, z, pixel);
	c = featured(c, x, y, z, pixel, &shine);
	c = blended(c, base, on_plinth);
	c = blended(c, mat(x, y, z), on_stand);
	*gloss = shine * (1 - on_stand);
	return c;
}

/* 2 to the power of x, within 1 % for -2..2. */
SIMD_INLINE float exp2_near(float x)
{
	const float y = x * .173287f; /* ln 2 / 4 */
	const float e = 1 + y * (1 + y * (.5f + y * (1.f / 6)));

	return e * e * e * e;
}

/* Fired clay: octaves of noise down to the pixel.  Each fades out before it would alias,
 * and is turned against the one before so that their lattices never line up. */
SIMD_INLINE void add_grain(const struct scene_points *p, const float *footprint,
			   float *sum, int n)
{
	struct scene_points at = *p;
	float scale = 14;

	for (int i = 0; i < n; i++)
		sum[i] = 0;
	for (int octave = 0; octave < 9; octave++) {
		for (int i = 0; i < n; i++) {
			const float x = at.x[i], y = at.y[i], z = at.z[i];
			const float fade = clamp01(2 - 4 * scale * footprint[i]);

			sum[i] += fade * noise_value(scale * x, scale * y, scale * z);
			at.x[i] = .36f * x + .48f * y - .80f * z + .131f;
			at.y[i] = -.80f * x + .60f * y;
			at.z[i] = .48f * x + .64f * y + .60f * z;
		}
		scale *= 2.07f;
	}
}

SIMD_CLONES void scene_paint(const struct scene_points *p, const float *footprint,
			     struct scene_paint *paint, int groups)
{
	const int n = WITHIN(groups);
	float grain[SCENE_BATCH];

	add_grain(p, footprint, grain, n);
	for (int i = 0; i < n; i++) {
		const float tone = exp2_near(.34f * grain[i]);
		const struct rgb c =
			glazed(p->x[i], p->y[i], p->z[i], footprint[i], &paint->gloss[i]);

		paint->red[i] = smaller(c.r * tone, 1);
		paint->green[i] = smaller(c.g * tone, 1);
		paint->blue[i] = smaller(c.b * tone, 1);
	}
}

/* A box of 4 scan radii, papered. */
SIMD_CLONES void scene_room(const float from[3], const struct scene_points *direction,
			    float *light, float *distance, int groups)
{
	static const float half = 4;

	for (int i = 0; i < WITHIN(groups); i++) {
		const float dx = direction->x[i], dy = direction->y[i],
			    dz = direction->z[i];
		const float tx =
			(half - (dx < 0 ? -from[0] : from[0])) / larger(fabsf(dx), 1e-6f);
		const float ty =
			(half - (dy < 0 ? -from[1] : from[1])) / larger(fabsf(dy), 1e-6f);
		const float tz =
			(half - (dz < 0 ? -from[2] : from[2])) / larger(fabsf(dz), 1e-6f);
		const float t = smaller(tx, smaller(ty, tz));
		const float x = from[0] + t * dx, y = from[1] + t * dy,
			    z = from[2] + t * dz;
		const float paper = noise_gradient(2.1f * x, 2.1f * y, 2.1f * z) +
				    .6f * noise_value(7.3f * x, 7.3f * y, 7.3f * z) +
				    .5f * noise_value(23 * x, 23 * y, 23 * z);

		light[i] = .35f * exp2_near(.9f * paper);
		distance[i] = t;
	}
}
