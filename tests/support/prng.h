/* A repeatable pseudorandom number generator: the same seed gives the same numbers. */
#ifndef TESTS_SUPPORT_PRNG_H
#define TESTS_SUPPORT_PRNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prng {
	uint64_t state;
	/* Used before the numbers of the seed. */
	const uint8_t *bytes;
	size_t bytes_size;
};

struct prng prng_seeded(uint64_t seed);

/* Takes its numbers from these bytes (which stay the caller's), then from a fixed seed.
 */
struct prng prng_from_bytes(const uint8_t *bytes, size_t size);

/* 0 to limit - 1 */
int prng_below(struct prng *prng, int limit);

/* low to high, both included */
int prng_between(struct prng *prng, int low, int high);

/* True in percent of a hundred calls, on average. */
bool prng_chance(struct prng *prng, int percent);

#endif
