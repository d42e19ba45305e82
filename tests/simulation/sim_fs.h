/* The file system for photos: files and folders in memory, behind the system calls of
 * tasks/project/folder.c and agent/base/file.c, which the linker redirects (--wrap).
 * Paths below SIM_FS_FOLDER are here, all others go to the real calls.
 *
 * The bytes of a file are lost as sim_file.h describes.  A name that was created, removed
 * or given to another file is independently lost unless its folder was synced.  At
 * random, calls write less than asked, are interrupted or fail to sync. */
#ifndef TESTS_SIMULATION_SIM_FS_H
#define TESTS_SIMULATION_SIM_FS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/support/prng.h"

#define SIM_FS_FOLDER "/photos"

/* Makes it empty; seed starts its random numbers. */
void sim_fs_format(uint64_t seed);

/* Cuts the power before the changing call that follows the given number of them; -1: does
 * not. */
void sim_fs_cut_power_after(int calls);
bool sim_fs_power_lost(void); /* whether it is off */

/* Keeps or loses at random what was not synced, and turns the power on.  No file is open
 * any more. */
void sim_fs_power_cut(struct prng *prng);

/* Makes writes fail with ENOSPC, even in the middle of a file. */
void sim_fs_set_full(bool full);

#endif
