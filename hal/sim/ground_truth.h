/* Where the simulated rig's axes really are, which only hal/sim may know.
 *
 * Kept in <state_dir>/sim/truth, mapped into memory: the motors of a real rig do not move
 * back when the program is killed either. */
#ifndef HAL_SIM_GROUND_TRUTH_H
#define HAL_SIM_GROUND_TRUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

#define TRUTH_AXES 16

struct truth;

/* Opens path or makes it; a damaged file is moved aside.  names and counts (steps from 0
 * degrees) are n axes as they stand in a rig that nobody has moved. */
int truth_open(struct truth **out, const char *path, const char *const *names,
	       const int64_t *counts, size_t n, struct err *err);
void truth_close(struct truth *truth); /* NULL is fine */

/* Has this call of truth_open() made the file? */
bool truth_is_new(const struct truth *truth);

/* By number of axis.  One thread moves an axis, any may look. */
int64_t truth_count(const struct truth *truth, size_t axis);
void truth_step(struct truth *truth, size_t axis, int sign);

/* The number of this photo, from 1, growing over restarts. */
uint64_t truth_next_shutter(struct truth *truth);

#endif
