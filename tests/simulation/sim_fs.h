/* The drive that photos are written to: files and folders in memory, behind the system
 * calls of tasks/project/folder.c and agent/base/file.c, which the linker hands over
 * (--wrap).  Paths below DRIVE_FOLDER are here, all others go to the real ones.
 *
 * A file's bytes are lost as sectors.h says; a name that was made, taken away or given to
 * another file is lost by itself unless its folder was synced since.  The calls
 * themselves write less than they were asked to, are interrupted, and fail to sync, by
 * lot. */
#ifndef TESTS_SIMULATION_SIM_FS_H
#define TESTS_SIMULATION_SIM_FS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/support/prng.h"

#define SIM_FS_FOLDER "/photos"

/* Empty; its lots begin with seed. */
void sim_fs_format(uint64_t seed);

/* The power goes before the changing call after calls of them; -1: it stays. */
void sim_fs_cut_power_after(int calls);
bool sim_fs_power_lost(void); /* has it gone */

/* What was not synced is kept or lost at random; the power is back.  Nobody has a file
 * open any more. */
void sim_fs_power_cut(struct prng *prng);

/* Writes fail with ENOSPC, in the middle of a file too. */
void sim_fs_set_full(bool full);

#endif
