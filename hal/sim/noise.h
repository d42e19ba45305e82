/* Position-based noise: the same point always gives the same number.
 *
 * Lattice noise computed from a hash instead of a table, so that a loop over many points
 * has neither branches nor memory accesses and compiles to vector code.  Everything is
 * inline for that reason.  Coordinates must stay within +-1e6. */
#ifndef HAL_SIM_NOISE_H
#define HAL_SIM_NOISE_H

#include <stdint.h>

#include "agent/base/simd.h"

/* Spreads every bit of i over the upper bits of the result. */
SIMD_INLINE uint32_t noise_hash(uint32_t i)
{
	i *= 0x9E3779B1u;
	i ^= i >> 15;
	i *= 0x85EBCA77u;
	i ^= i >> 13;
	return i * 0xC2B2AE3Du;
}

SIMD_INLINE int noise_floor(float x)
{
	int i = (int)x;

	return i - ((float)i > x);
}

/* The hash of a lattice point, from its coordinates after noise_hash(). */
SIMD_INLINE uint32_t noise_corner(uint32_t hx, uint32_t hy, uint32_t hz)
{
	return (hx ^ (hy >> 3) ^ (hz >> 7) ^ (hz << 11)) * 0x9E3779B1u;
}

/* -1..1 */
SIMD_INLINE float noise_signed(uint32_t hash)
{
	return (float)(int32_t)hash * 0x1p-31f;
}

SIMD_INLINE float noise_mix(float a, float b, float t)
{
	return a + (b - a) * t;
}

/* Value noise: -1..1, smooth, one bump per unit. */
SIMD_INLINE float noise_value(float x, float y, float z)
{
	const int ix = noise_floor(x), iy = noise_floor(y), iz = noise_floor(z);
	const float fx = x - (float)ix, fy = y - (float)iy, fz = z - (float)iz;
	const float wx = fx * fx * (3 - 2 * fx);
	const float wy = fy * fy * (3 - 2 * fy);
	const float wz = fz * fz * (3 - 2 * fz);
	const uint32_t x0 = noise_hash((uint32_t)ix), x1 = noise_hash((uint32_t)ix + 1);
	const uint32_t y0 = noise_hash((uint32_t)iy), y1 = noise_hash((uint32_t)iy + 1);
	const uint32_t z0 = noise_hash((uint32_t)iz), z1 = noise_hash((uint32_t)iz + 1);
	const float a = noise_mix(noise_signed(noise_corner(x0, y0, z0)),
				  noise_signed(noise_corner(x1, y0, z0)), wx);
	const float b = noise_mix(noise_signed(noise_corner(x0, y1, z0)),
				  noise_signed(noise_corner(x1, y1, z0)), wx);
	const float c = noise_mix(noise_signed(noise_corner(x0, y0, z1)),
				  noise_signed(noise_corner(x1, y0, z1)), wx);
	const float d = noise_mix(noise_signed(noise_corner(x0, y1, z1)),
				  noise_signed(noise_corner(x1, y1, z1)), wx);

	return noise_mix(noise_mix(a, b, wy), noise_mix(c, d, wy), wz);
}

/* The contribution of a lattice point's gradient to a point (x, y, z) away from it. */
SIMD_INLINE float noise_slope(uint32_t hash, float x, float y, float z)
{
	const float gx = (float)((int)(hash >> 22) - 512);
	const float gy = (float)((int)(hash >> 12 & 1023) - 512);
	const float gz = (float)((int)(hash >> 2 & 1023) - 512);

	return gx * x + gy * y + gz * z;
}

/* Gradient noise: about -1..1, rounder than value noise and 0 at the lattice points. */
SIMD_INLINE float noise_gradient(float x, float y, float z)
{
	const int ix = noise_floor(x), iy = noise_floor(y), iz = noise_floor(z);
	const float fx = x - (float)ix, fy = y - (float)iy, fz = z - (float)iz;
	const float wx = fx * fx * (3 - 2 * fx);
	const float wy = fy * fy * (3 - 2 * fy);
	const float wz = fz * fz * (3 - 2 * fz);
	const float gx = fx - 1, gy = fy - 1, gz = fz - 1;
	const uint32_t x0 = noise_hash((uint32_t)ix), x1 = noise_hash((uint32_t)ix + 1);
	const uint32_t y0 = noise_hash((uint32_t)iy), y1 = noise_hash((uint32_t)iy + 1);
	const uint32_t z0 = noise_hash((uint32_t)iz), z1 = noise_hash((uint32_t)iz + 1);
	const float a = noise_mix(noise_slope(noise_corner(x0, y0, z0), fx, fy, fz),
				  noise_slope(noise_corner(x1, y0, z0), gx, fy, fz), wx);
	const float b = noise_mix(noise_slope(noise_corner(x0, y1, z0), fx, gy, fz),
				  noise_slope(noise_corner(x1, y1, z0), gx, gy, fz), wx);
	const float c = noise_mix(noise_slope(noise_corner(x0, y0, z1), fx, fy, gz),
				  noise_slope(noise_corner(x1, y0, z1), gx, fy, gz), wx);
	const float d = noise_mix(noise_slope(noise_corner(x0, y1, z1), fx, gy, gz),
				  noise_slope(noise_corner(x1, y1, z1), gx, gy, gz), wx);

	return noise_mix(noise_mix(a, b, wy), noise_mix(c, d, wy), wz) * (1.f / 400);
}

/* -1..1 with a bell-shaped distribution around 0 and a deviation of 1/3.45: the sum of
 * the hash's four bytes. */
SIMD_INLINE float noise_bell(uint32_t hash)
{
	const uint32_t sum =
		(hash & 255) + (hash >> 8 & 255) + (hash >> 16 & 255) + (hash >> 24);

	return ((float)(int)sum - 510.f) * (1.f / 510);
}

#endif
