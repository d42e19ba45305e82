/* Chance that can be repeated: the same seed gives the same throws. */
#ifndef TESTS_SUPPORT_PRNG_H
#define TESTS_SUPPORT_PRNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
	uint64_t state;
	/* What the next throws are made of, before the seed's come. */
	const uint8_t *told;
	size_t told_size;
};

struct dice dice_of(uint64_t seed);

/* The throws that these bytes tell (they stay the caller's), then those of a seed. */
struct dice dice_of_bytes(const uint8_t *bytes, size_t size);

/* 0 to sides - 1 */
int dice_throw(struct dice *dice, int sides);

/* low to high, both included */
int dice_between(struct dice *dice, int low, int high);

/* True in that many of a hundred throws. */
bool dice_chance(struct dice *dice, int percent);

#endif
