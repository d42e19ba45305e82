/* Room on the disk that is kept for the day when it is full. */
#ifndef AGENT_STORE_DISK_RESERVE_H
#define AGENT_STORE_DISK_RESERVE_H

#include <stdbool.h>

#define RESERVE_PATH 4096

/* How the store asks for its reserve.  Without functions there is none. */
struct reserve {
	void *context;
	bool (*take)(void *context); /* true when the room is there, now or before */
	void (*give_up)(void *context);
};

struct reserve_file {
	char path[RESERVE_PATH];
};

/* A reserve of 4 MiB as the file "reserve" in folder; file must stay. */
struct reserve reserve_in(struct reserve_file *file, const char *folder);

#endif
