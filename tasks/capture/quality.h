/* Measures of a photo: sharpness and exposure.
 *
 * Luma is that of ITU-R BT.601 (0.299 red + 0.587 green + 0.114 blue), 0 to 255.  Pixels
 * brighter than QUALITY_DARK belong to the object; in a photo with next to none of them,
 * all pixels count.  Pure functions; any thread; some milliseconds a megapixel. */
#ifndef TASKS_CAPTURE_QUALITY_H
#define TASKS_CAPTURE_QUALITY_H

#include <cjson/cJSON.h>

struct frame;

#define QUALITY_DARK 24
#define QUALITY_BINS 16

struct quality {
	/* Variance of the Laplacian of luma (the four neighbours less four times the
	 * pixel) on the object.  It grows with detail, so compare it only between photos
	 * of one scan. */
	double sharpness;
	double clipped;			/* share of the pixels with a channel at 255 */
	double histogram[QUALITY_BINS]; /* share of all pixels by luma, dark to bright */
};

void quality_measure(const struct frame *frame, struct quality *quality);

/* Adds "sharpness", "clipped" and "histogram" to object. */
void quality_put(const struct quality *quality, cJSON *object);

#endif
