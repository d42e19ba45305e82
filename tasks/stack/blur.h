/* A box blur over a map of numbers.  Pure. */
#ifndef TASKS_STACK_BLUR_H
#define TASKS_STACK_BLUR_H

/* Each number of map, width by height, becomes the mean of those at most radius away,
 * both ways; what is outside the map counts as 0.  scratch has the map's size. */
void blur_box(float *map, int width, int height, int radius, float *scratch);

#endif
