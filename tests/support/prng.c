/* The generator behind prng.h: splitmix64, or the bytes of a fuzzer. */
#include "tests/support/prng.h"

struct prng prng_seeded(uint64_t seed)
{
	return (struct prng){.state = seed};
}

struct prng prng_from_bytes(const uint8_t *bytes, size_t size)
{
	return (struct prng){.state = 1, .bytes = bytes, .bytes_size = size};
}

/* Takes as many bytes as a number below limit needs. */
static uint64_t take_bytes(struct prng *prng, int limit)
{
	uint64_t value = 0;

	for (int most = limit - 1; most > 0 && prng->bytes_size; most /= 256) {
		value = value * 256 + *prng->bytes++;
		prng->bytes_size--;
	}
	return value;
}

/* splitmix64: the numbers of neighbouring seeds are unrelated. */
static uint64_t next(struct prng *prng)
{
	uint64_t z = (prng->state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

int prng_below(struct prng *prng, int limit)
{
	uint64_t value = prng->bytes_size ? take_bytes(prng, limit) : next(prng);

	return (int)(value % (uint64_t)limit);
}

int prng_between(struct prng *prng, int low, int high)
{
	return low + prng_below(prng, high - low + 1);
}

bool prng_chance(struct prng *prng, int percent)
{
	return prng_below(prng, 100) < percent;
}
