/* The object in front of the simulated camera, as numbers at points: how far its surface
 * is, which way it faces, what colour it has.
 *
 * Lengths are in scan radii, z is up, x is where the owl looks; everything lies within
 * SCENE_BOUND of the origin.  All functions take arrays of groups * SCENE_LANES points,
 * so that they run as vector code; they are pure and may be called from any thread. */
#ifndef HAL_SIM_SCENE_H
#define HAL_SIM_SCENE_H

#define SCENE_LANES 8
#define SCENE_BATCH 64 /* most points in one call */
#define SCENE_BOUND 0.46f

struct scene_points {
	float x[SCENE_BATCH], y[SCENE_BATCH], z[SCENE_BATCH];
};

/* A lower bound of the distance to the surface, cheap: the form without its relief. */
void scene_clearance(const struct scene_points *p, float *distance, int groups);

/* The distance to the surface; where the relief is steep it may be up to twice too long.
 */
void scene_distance(const struct scene_points *p, float *distance, int groups);

/* Unit normals at points on the surface, over a width that is the same for every view. */
void scene_normal(const struct scene_points *p, struct scene_points *normal, int groups);

/* 0..1: how open the surface is to light at p; dark where parts touch. */
void scene_openness(const struct scene_points *p, const struct scene_points *normal,
		    float *open, int groups);

struct scene_paint {
	float red[SCENE_BATCH], green[SCENE_BATCH],
		blue[SCENE_BATCH]; /* albedo, linear */
	float gloss[SCENE_BATCH];  /* strength of a highlight */
};

/* The paint at points on the surface; footprint is the size of a pixel there, and detail
 * below it is left out. */
void scene_paint(const struct scene_points *p, const float *footprint,
		 struct scene_paint *paint, int groups);

/* The brightness of the room's walls where rays from (x, y, z) meet them, and how far
 * that is. x, y and z are in the room's own frame, which does not turn with the object.
 */
void scene_room(const float from[3], const struct scene_points *direction, float *light,
		float *distance, int groups);

#endif
