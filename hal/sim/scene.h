/* The object in front of the simulated camera, as functions of points: distance to its
 * surface, normal, colour.
 *
 * Lengths are in scan radii, z is up, the owl looks along x; everything is within
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

/* A cheap lower bound of the distance to the surface: the shape without its relief. */
void scene_clearance(const struct scene_points *p, float *distance, int groups);

/* The distance to the surface; it may be twice too long where the relief is steep. */
void scene_distance(const struct scene_points *p, float *distance, int groups);

/* Unit normals at points on the surface, averaged over a width that is the same for every
 * view. */
void scene_normal(const struct scene_points *p, struct scene_points *normal, int groups);

/* Ambient occlusion, 0..1: how open the surface is to light; dark where parts touch. */
void scene_openness(const struct scene_points *p, const struct scene_points *normal,
		    float *open, int groups);

struct scene_paint {
	float red[SCENE_BATCH], green[SCENE_BATCH],
		blue[SCENE_BATCH]; /* albedo, linear */
	float gloss[SCENE_BATCH];  /* strength of a highlight */
};

/* The paint at points on the surface.  footprint is the size of a pixel there; smaller
 * detail is left out. */
void scene_paint(const struct scene_points *p, const float *footprint,
		 struct scene_paint *paint, int groups);

/* The brightness of the room's walls where rays from `from` meet them, and their
 * distance.  Coordinates are in the room's frame, which does not turn with the object. */
void scene_room(const float from[3], const struct scene_points *direction, float *light,
		float *distance, int groups);

#endif
