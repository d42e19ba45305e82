/* Disk space that is kept for the time when the disk is full. */
#ifndef AGENT_STORE_DISK_RESERVE_H
#define AGENT_STORE_DISK_RESERVE_H

#include <stdbool.h>

#define RESERVE_PATH 4096

/* How the store gets at its reserve.  Without functions there is none. */
struct disk_reserve {
	void *context;
	bool (*acquire)(void *context); /* true if it exists, now or before */
	void (*release)(void *context);
};

struct disk_reserve_file {
	char path[RESERVE_PATH];
};

/* A reserve of 4 MiB, the file "reserve" in folder.  file must outlive it. */
struct disk_reserve disk_reserve_in(struct disk_reserve_file *file, const char *folder);

#endif
