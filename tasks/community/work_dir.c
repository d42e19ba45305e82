#include "tasks/community/work_dir.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "tasks/project/folder.h"

#define NAME_LENGTH 160

struct workroom {
	struct folder *parent, *folder;
	char name[NAME_LENGTH];
};

static bool has(const struct folder *folder, const char *name)
{
	return folder_has(folder, name);
}

int workroom_open(struct workroom **out, struct community *community, const char *task,
		  struct err *err)
{
	struct workroom *room = calloc(1, sizeof(*room));
	char path[PATH_MAX];
	int ret;

	if (!room)
		return err_set(err, -ENOMEM, "out of memory");
	/* A task's id never begins with a dot. */
	if (task)
		snprintf(room->name, sizeof(room->name), "%.128s", task);
	else
		snprintf(room->name, sizeof(room->name), ".describe-%u",
			 atomic_fetch_add(&community->scratch, 1));
	ret = folder_open(&room->parent, community->work, err);
	if (ret == 0 && !has(room->parent, room->name))
		ret = folder_make(room->parent, room->name, err);
	if (ret == 0) {
		snprintf(path, sizeof(path), "%s/%s", folder_path(room->parent),
			 room->name);
		ret = folder_open(&room->folder, path, err);
	}
	if (ret < 0) {
		workroom_close(room, true);
		return ret;
	}
	*out = room;
	return 0;
}

void workroom_close(struct workroom *room, bool keep)
{
	struct err err;

	if (!room)
		return;
	folder_close(room->folder);
	if (!keep && folder_remove(room->parent, room->name, &err) < 0)
		log_warn("a working folder stays behind: %s", err.text);
	folder_close(room->parent);
	free(room);
}

const char *workroom_path(const struct workroom *room)
{
	return folder_path(room->folder);
}

bool workroom_name_valid(const char *name)
{
	size_t length = name ? strlen(name) : 0;

	return length > 0 && length <= 128 && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234567"
			    "89._-") == length;
}

int workroom_write(struct workroom *room, const char *name, const void *bytes,
		   size_t size, struct err *err)
{
	return folder_write(room->folder, name, bytes, size, err);
}
