/* Takes photos with the agent's own writer, onto the simulated drive, and remembers which
 * were reported: these must be whole after any power cut.  What else lies there is whole
 * or not there at all. */
#ifndef TESTS_SIMULATION_SIM_WRITER_H
#define TESTS_SIMULATION_SIM_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/support/prng.h"

struct sim_writer;

/* Once; used for one history after the other. */
struct sim_writer *sim_writer_new(void);

/* A new history: an empty drive, nothing reported. */
void sim_writer_begin(struct sim_writer *sim, uint64_t seed);

/* One or two photos, both in the writer's hands at once; cut: the power goes in their
 * midst, by lot.  How many it reported. */
int sim_writer_take_photos(struct sim_writer *sim, struct prng *prng, bool cut);

/* The process is gone, nothing was in work. */
void sim_writer_process_gone(struct sim_writer *sim);

/* The power was cut: says broken() when a photo is not what it was reported to be. */
void sim_writer_power_cut(struct sim_writer *sim, struct prng *prng);

#endif
