/* The true positions of the simulated rig's axes, which only hal/sim may know.
 *
 * Kept in <state_dir>/sim/truth, mapped into memory: like the motors of a real rig, they
 * do not move back when the program is killed. */
#ifndef HAL_SIM_GROUND_TRUTH_H
#define HAL_SIM_GROUND_TRUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

#define GROUND_TRUTH_AXES 16

struct ground_truth;

/* Opens path or creates it; a damaged file is moved aside.  names and counts (steps from
 * 0 degrees) are the n axes of a rig that nobody has moved. */
int ground_truth_open(struct ground_truth **out, const char *path,
		      const char *const *names, const int64_t *counts, size_t n,
		      struct err *err);
void ground_truth_close(struct ground_truth *truth); /* NULL is fine */

/* Whether ground_truth_open() created the file. */
bool ground_truth_is_new(const struct ground_truth *truth);

/* By index of the axis.  One thread moves an axis, any thread may read. */
int64_t ground_truth_count(const struct ground_truth *truth, size_t axis);
void ground_truth_step(struct ground_truth *truth, size_t axis, int sign);

/* The number of the next photo, from 1, growing over restarts. */
uint64_t ground_truth_next_shutter(struct ground_truth *truth);

#endif
