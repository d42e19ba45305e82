/* Takes photos with the agent's photo writer on the simulated file system, and remembers
 * which were reported: these must be complete after any power cut.  Any other photo is
 * complete or does not exist. */
#ifndef TESTS_SIMULATION_SIM_WRITER_H
#define TESTS_SIMULATION_SIM_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/support/prng.h"

struct sim_writer;

/* Called once; all histories use it, one after another. */
struct sim_writer *sim_writer_new(void);

/* Begins a history: an empty file system, nothing reported. */
void sim_writer_begin(struct sim_writer *sim, uint64_t seed);

/* Takes one or two photos at the same time; cut: the power may be cut in between. Returns
 * how many were reported. */
int sim_writer_take_photos(struct sim_writer *sim, struct prng *prng, bool cut);

/* The process is gone; no photo was being taken. */
void sim_writer_process_gone(struct sim_writer *sim);

/* The power was cut: a photo that does not match its report is a violation. */
void sim_writer_power_cut(struct sim_writer *sim, struct prng *prng);

#endif
