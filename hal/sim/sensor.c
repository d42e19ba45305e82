/* Adds shot noise and read noise, and applies the gamma curve. */
#include "hal/sim/sensor.h"

#include <math.h>

#include "agent/base/simd.h"
#include "hal/sim/noise.h"

#define WELL 3000.f	 /* electrons of a fully exposed pixel at gain 1 */
#define READ .0016f	 /* deviation in the dark at gain 1, in full exposures */
#define STRAY .004f	 /* stray light, as a fraction of the ring light */
#define BELL_WIDTH 3.45f /* scales the deviation of noise_bell() to 1 */

void sensor_set(struct sensor *sensor, double exposure, double gain, double light,
		uint64_t seed)
{
	sensor->exposure = (float)exposure;
	sensor->gain = gain > 1 ? (float)gain : 1;
	sensor->stray = STRAY * (float)light;
	sensor->seed[0] = noise_hash((uint32_t)seed) ^ 0x51u;
	sensor->seed[1] = noise_hash((uint32_t)(seed >> 32) + sensor->seed[0]);
	for (int i = 0; i <= 1024; i++)
		sensor->gamma[i] = (uint8_t)lround(255 * pow(i / 1024., 2 / 2.2));
}

/* Shot noise: the variance of the electrons is their number. */
SIMD_CLONES void sensor_expose(const struct sensor *sensor, float *restrict light, int n,
			       uint32_t low, uint32_t high)
{
	const float exposure = sensor->exposure, gain = sensor->gain;
	const float stray = sensor->stray;
	const float shot = gain / WELL, dark = READ * READ * gain * gain;

	for (int i = 0; i < n; i++) {
		const float signal = (light[i] + stray) * exposure;
		const float width = sqrtf(signal * shot + dark) * BELL_WIDTH;
		const float noise = noise_bell(noise_hash((low + (uint32_t)i) ^ high));
		const float out = signal + width * noise;
		const float root = sqrtf(out > 0 ? out : 0);

		light[i] = root < 1 ? root : 1;
	}
}

void sensor_row(const struct sensor *sensor, float *light, int n, uint64_t first,
		uint8_t *bytes)
{
	const uint32_t high = sensor->seed[1] ^ noise_hash((uint32_t)(first >> 32));

	sensor_expose(sensor, light, n, (uint32_t)first + sensor->seed[0], high);
	for (int i = 0; i < n; i++)
		bytes[i] = sensor->gamma[(int)(light[i] * 1024)];
}
