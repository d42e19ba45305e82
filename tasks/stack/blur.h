/* A box blur of a map of numbers.  Pure. */
#ifndef TASKS_STACK_BLUR_H
#define TASKS_STACK_BLUR_H

/* Replaces each number of map, width by height, by the mean of those at most radius away
 * in both directions; outside the map they count as 0.  scratch has the map's size. */
void blur_box(float *map, int width, int height, int radius, float *scratch);

#endif
