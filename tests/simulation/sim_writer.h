/* Takes photos with the agent's own writer, onto the simulated drive, and remembers which
 * were reported: these must be whole after any power cut.  What else lies there is whole
 * or not there at all. */
#ifndef TESTS_SIMULATION_SIM_WRITER_H
#define TESTS_SIMULATION_SIM_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/support/prng.h"

struct studio;

/* Once; used for one history after the other. */
struct studio *studio_new(void);

/* A new history: an empty drive, nothing reported. */
void studio_begin(struct studio *studio, uint64_t seed);

/* One or two photos, both in the writer's hands at once; cut: the power goes in their
 * midst, by lot.  How many it reported. */
int studio_shoot(struct studio *studio, struct prng *prng, bool cut);

/* The process is gone, nothing was in work. */
void studio_process_gone(struct studio *studio);

/* The power was cut: says broken() when a photo is not what it was reported to be. */
void studio_power_cut(struct studio *studio, struct prng *prng);

#endif
