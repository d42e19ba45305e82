/* The sensor: turns light into bytes and adds its noise. */
#ifndef HAL_SIM_SENSOR_H
#define HAL_SIM_SENSOR_H

#include <stdint.h>

struct sensor {
	float exposure; /* what the light is multiplied by */
	float gain;	/* at least 1; of the noise only */
	float stray;	/* light that is everywhere */
	uint32_t seed[2];
	uint8_t gamma[1025]; /* square root of the light * 1024 to a byte */
};

void sensor_set(struct sensor *sensor, double exposure, double gain, double light,
		uint64_t seed);

/* n values of light to n bytes.  first numbers the first value among all of the sensor,
 * so that a place keeps its noise whatever is cropped away around it.  Overwrites light.
 */
void sensor_row(const struct sensor *sensor, float *light, int n, uint64_t first,
		uint8_t *bytes);

#endif
