#include "tests/support/prng.h"

struct dice dice_of(uint64_t seed)
{
	return (struct dice){.state = seed};
}

struct dice dice_of_bytes(const uint8_t *bytes, size_t size)
{
	return (struct dice){.state = 1, .told = bytes, .told_size = size};
}

/* As many bytes as there are sides for. */
static uint64_t take_told(struct dice *dice, int sides)
{
	uint64_t value = 0;

	for (int most = sides - 1; most > 0 && dice->told_size; most /= 256) {
		value = value * 256 + *dice->told++;
		dice->told_size--;
	}
	return value;
}

/* splitmix64: neighbouring seeds give throws that have nothing in common. */
static uint64_t next(struct dice *dice)
{
	uint64_t z = (dice->state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

int dice_throw(struct dice *dice, int sides)
{
	uint64_t value = dice->told_size ? take_told(dice, sides) : next(dice);

	return (int)(value % (uint64_t)sides);
}

int dice_between(struct dice *dice, int low, int high)
{
	return low + dice_throw(dice, high - low + 1);
}

bool dice_chance(struct dice *dice, int percent)
{
	return dice_throw(dice, 100) < percent;
}
