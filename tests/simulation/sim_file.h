/* The bytes of one file on a disk that can lose its power.
 *
 * The operating system shows what was written; the disk holds what was synced.  At a
 * power cut each sector that was written and not synced is independently lost, kept or
 * torn, and so is the new length of the file. */
#ifndef TESTS_SIMULATION_SIM_FILE_H
#define TESTS_SIMULATION_SIM_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "tests/support/prng.h"

#define SECTOR 512 /* bytes */

struct content {
	uint8_t *bytes;
	size_t size, room;
};

struct range {
	size_t from, to;
};

struct sim_file {
	struct content now, synced;
	struct range *dirty; /* written since the last sync */
	size_t dirty_count, dirty_room;
};

/* What a power cut does to unsynced sectors. */
enum power_cut_loss { LOSE_ALL, LOSE_NONE, LOSE_AT_RANDOM };
#define POWER_CUT_LOSSES 3

void content_copy(struct content *to, const struct content *from);

/* Makes it empty, but keeps its memory for later. */
void sim_file_empty(struct sim_file *file);
void sim_file_free(struct sim_file *file); /* its contents, not the struct */

/* Bytes between the old end and the new one are zero, as on a real file system. */
void sim_file_write(struct sim_file *file, const void *bytes, size_t n, size_t at);
void sim_file_resize(struct sim_file *file, size_t size);
void sim_file_sync(struct sim_file *file);
void sim_file_power_cut(struct sim_file *file, struct prng *prng,
			enum power_cut_loss power_cut_loss);

/* The sync failed: unsynced changes are never written, as on Linux. */
void sim_file_forget(struct sim_file *file);

#endif
