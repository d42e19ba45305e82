/* A disk that can lose its power: the files of SQLite in memory, behind a VFS that is the
 * default of this process.
 *
 * Nothing written is lost when the process is killed; a power cut loses what was not
 * synced (sim_file.h). */
#ifndef TESTS_SIMULATION_DISK_H
#define TESTS_SIMULATION_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/store/disk_reserve.h"
#include "tests/support/prng.h"

#define DISK_FOLDER "/sim"	 /* the folder of the agent's database */
#define DISK_COPY_FOLDER "/copy" /* the target of disk_copy() */

/* Makes the VFS the default.  To be called once, before any other call of SQLite. */
void disk_register(void);

/* Formats the disk, empty or with what disk_keep_template() saved; seed starts SQLite's
 * random numbers and those of the disk. */
void disk_format(uint64_t seed, bool from_template);
void disk_keep_template(void);

/* The process that has files open is gone: these handles change nothing any more, and may
 * be closed at any later time. */
void disk_kill(void);

/* The same, and what was not synced is kept or lost at random. */
void disk_power_cut(struct prng *prng);

/* Cuts the power before the write or sync that follows the given number of calls; -1:
 * does not.  Every call fails from then on, until disk_power_cut(). */
void disk_cut_power_after(int calls);
bool disk_power_lost(void); /* whether it is off */

/* No file can grow any more (SQLITE_FULL), or files can grow again. */
void disk_set_full(bool full);
bool disk_full(void);

/* The agent's disk reserve: room for a few more turns. */
struct disk_reserve disk_reserve(void);

/* Copies what would be left after a power cut now that loses everything unsynced. */
void disk_copy(void);

/* The number of bytes that disk_copy() copies. */
int64_t disk_bytes(void);

#endif
