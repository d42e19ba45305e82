/* Chance that can be repeated: the same seed gives the same throws. */
#ifndef TESTS_LOAD_DICE_H
#define TESTS_LOAD_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

struct dice dice_of(uint64_t seed);

/* 0 to sides - 1 */
int dice_throw(struct dice *dice, int sides);

/* low to high, both included */
int dice_between(struct dice *dice, int low, int high);

/* True in that many of a hundred throws. */
bool dice_chance(struct dice *dice, int percent);

#endif
