/* One history: the agent's core between a simulated clock, disk, broker, workers and
 * client, all driven by one seed. */
#ifndef TESTS_SIMULATION_WORLD_H
#define TESTS_SIMULATION_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Once, before the first history. */
void world_prepare(void);

struct outcome_of_history {
	const char *broken; /* the promise that was broken first, NULL: none */
	int64_t events;	    /* that the core has handled */
};

/* Plays the history of that seed.  The text is valid until the next one. */
struct outcome_of_history world_play(uint64_t seed);

/* Plays the history that these bytes tell: commands of any form among all else that may
 * happen. */
struct outcome_of_history world_play_bytes(const uint8_t *bytes, size_t size);

#endif
