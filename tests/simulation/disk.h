/* A disk that can lose its power: the files of SQLite in memory, behind a VFS that is the
 * default one of this process.
 *
 * When the process is killed nothing written is lost; at a power cut what was not synced
 * is (sectors.h). */
#ifndef TESTS_SIMULATION_DISK_H
#define TESTS_SIMULATION_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/store/disk_reserve.h"
#include "tests/support/prng.h"

#define DISK_FOLDER "/sim"	 /* where the agent's database is */
#define DISK_COPY_FOLDER "/copy" /* where disk_copy() puts it */

/* Makes the VFS the default one.  Once, before any other call of SQLite. */
void disk_register(void);

/* An empty disk, or one that holds what disk_keep_template() found; SQLite's random
 * numbers and the disk's own begin with seed. */
void disk_format(uint64_t seed, bool from_template);
void disk_keep_template(void);

/* The process that has files open is gone: they change nothing any more, and are closed
 * whenever somebody gets round to it. */
void disk_kill(void);

/* The same, and what was not synced is kept or lost at random. */
void disk_power_cut(struct prng *prng);

/* The power goes before the write or sync after calls of them; -1: it stays.  From then
 * on every call fails, until disk_power_cut(). */
void disk_cut_power_after(int calls);
bool disk_power_lost(void); /* has it gone */

/* From now on no file grows (SQLITE_FULL), or files grow again. */
void disk_set_full(bool full);
bool disk_full(void);

/* The agent's reserve: room for a few turns more. */
struct reserve disk_reserve(void);

/* What would be left if the power went now and took all that was not synced. */
void disk_copy(void);

/* Bytes that a copy has to copy. */
int64_t disk_bytes(void);

#endif
