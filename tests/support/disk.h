/* A disk of the test's own, small enough to be filled: a tmpfs, so only root can have it.
 */
#ifndef TESTS_SUPPORT_DISK_H
#define TESTS_SUPPORT_DISK_H

#include <limits.h>
#include <stdbool.h>

struct disk {
	char path[PATH_MAX]; /* where it is mounted; empty: nowhere */
};

/* May this process mount anything? */
bool disk_possible(void);

/* Mounts it on path, an existing folder.  Only this process and the programs that it
 * starts see it, so nothing is left behind by a test that was killed.  Call it from the
 * main thread. 0 or a negative errno. */
int disk_mount(struct disk *disk, const char *path, int kib);
void disk_unmount(struct disk *disk); /* one that is not mounted is fine */

/* Fills it up to its last byte, or frees all that was filled. */
int disk_fill(struct disk *disk);
int disk_clear(struct disk *disk);

/* How much is free, in KiB. */
int disk_free_kib(const struct disk *disk);

int disk_read_only(struct disk *disk, bool read_only);

#endif
