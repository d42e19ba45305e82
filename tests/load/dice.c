#include "tests/load/dice.h"

struct dice dice_of(uint64_t seed)
{
	return (struct dice){.state = seed};
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
	return (int)(next(dice) % (uint64_t)sides);
}

int dice_between(struct dice *dice, int low, int high)
{
	return low + dice_throw(dice, high - low + 1);
}

bool dice_chance(struct dice *dice, int percent)
{
	return dice_throw(dice, 100) < percent;
}
