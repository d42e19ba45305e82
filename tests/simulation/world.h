/* One history: the agent's core with a simulated clock, disk, broker, workers and
 * clients, all driven by one seed. */
#ifndef TESTS_SIMULATION_WORLD_H
#define TESTS_SIMULATION_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Called once, before the first history. */
void world_prepare(void);

struct outcome_of_history {
	const char *violation; /* the first violation, NULL: none */
	int64_t events;	       /* handled by the core */
};

/* Plays the history of a seed.  The text is valid until the next call. */
struct outcome_of_history world_play(uint64_t seed);

/* Plays the history that these bytes choose, which may send commands with random
 * bodies. */
struct outcome_of_history world_play_bytes(const uint8_t *bytes, size_t size);

#endif
