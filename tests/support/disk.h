/* A disk for one test, small enough to be filled: a tmpfs, which needs root. */
#ifndef TESTS_SUPPORT_DISK_H
#define TESTS_SUPPORT_DISK_H

#include <limits.h>
#include <stdbool.h>

struct disk {
	char path[PATH_MAX]; /* where it is mounted; empty: not mounted */
};

/* Whether this process may mount anything. */
bool disk_possible(void);

/* Mounts it on path, an existing folder.  Only this process and the programs that it
 * starts see it, so a test that was killed leaves nothing behind.  To be called from the
 * main thread.  Returns 0 or a negative errno. */
int disk_mount(struct disk *disk, const char *path, int kib);
void disk_unmount(struct disk *disk); /* may be called when it is not mounted */

/* Fills it completely, or frees everything that was filled. */
int disk_fill(struct disk *disk);
int disk_clear(struct disk *disk);

/* The free space in KiB. */
int disk_free_kib(const struct disk *disk);

int disk_read_only(struct disk *disk, bool read_only);

#endif
