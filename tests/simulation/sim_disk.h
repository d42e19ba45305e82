/* The bytes of one file on something that can lose its power.
 *
 * What was written is what the operating system shows; what was synced is what the medium
 * holds.  At a power cut each sector that was written and not synced is lost, kept or
 * torn into garbage by itself, and so is the length of the file. */
#ifndef TESTS_SIMULATION_SIM_DISK_H
#define TESTS_SIMULATION_SIM_DISK_H

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

struct sectors {
	struct content now, synced;
	struct range *dirty; /* written since the last sync */
	size_t dirty_count, dirty_room;
};

/* How a power cut treats what was not synced. */
enum mercy { ALL_LOST, ALL_KEPT, BY_LOT };
#define MERCIES 3

void content_copy(struct content *to, const struct content *from);

/* No bytes; the memory is kept for the next ones. */
void sectors_empty(struct sectors *sectors);
void sectors_free(struct sectors *sectors); /* what it holds, not itself */

/* New bytes between the old end and the new one are zero, as a file system makes them. */
void sectors_write(struct sectors *sectors, const void *bytes, size_t n, size_t at);
void sectors_resize(struct sectors *sectors, size_t size);
void sectors_sync(struct sectors *sectors);
void sectors_power_cut(struct sectors *sectors, struct prng *prng, enum mercy mercy);

/* The sync failed: nothing more is written, and the system forgets that there was more.
 */
void sectors_forget(struct sectors *sectors);

#endif
