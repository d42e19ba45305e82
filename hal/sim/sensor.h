/* The sensor: turns light into bytes and adds noise. */
#ifndef HAL_SIM_SENSOR_H
#define HAL_SIM_SENSOR_H

#include <stdint.h>

struct sensor {
	float exposure; /* factor of the light */
	float gain;	/* at least 1; affects the noise only */
	float stray;	/* stray light */
	uint32_t seed[2];
	uint8_t gamma[1025]; /* from the square root of the light * 1024 to a byte */
};

void sensor_set(struct sensor *sensor, double exposure, double gain, double light,
		uint64_t seed);

/* Turns n values of light into n bytes.  first is the index of the first value on the
 * sensor, so that a pixel keeps its noise whatever is cropped around it.  Overwrites
 * light. */
void sensor_row(const struct sensor *sensor, float *light, int n, uint64_t first,
		uint8_t *bytes);

#endif
