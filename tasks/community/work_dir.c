/* Creates, writes to and removes working folders. */
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

struct work_dir {
	struct folder *parent, *folder;
	char name[NAME_LENGTH];
};

int work_dir_open(struct work_dir **out, struct community_config *config,
		  const char *task, struct err *err)
{
	struct work_dir *dir = calloc(1, sizeof(*dir));
	char path[PATH_MAX];
	int ret;

	if (!dir)
		return err_set(err, -ENOMEM, "out of memory");
	/* A task's id never begins with a dot, so the names cannot collide. */
	if (task)
		snprintf(dir->name, sizeof(dir->name), "%.128s", task);
	else
		snprintf(dir->name, sizeof(dir->name), ".describe-%u",
			 atomic_fetch_add(&config->scratch_number, 1));
	ret = folder_open(&dir->parent, config->work_dirs, err);
	if (ret == 0 && !folder_has(dir->parent, dir->name))
		ret = folder_make(dir->parent, dir->name, err);
	if (ret == 0) {
		snprintf(path, sizeof(path), "%s/%s", folder_path(dir->parent),
			 dir->name);
		ret = folder_open(&dir->folder, path, err);
	}
	if (ret < 0) {
		work_dir_close(dir, true);
		return ret;
	}
	*out = dir;
	return 0;
}

void work_dir_close(struct work_dir *dir, bool keep)
{
	struct err err;

	if (!dir)
		return;
	folder_close(dir->folder);
	if (!keep && folder_remove(dir->parent, dir->name, &err) < 0)
		log_warn("a working folder stays behind: %s", err.text);
	folder_close(dir->parent);
	free(dir);
}

const char *work_dir_path(const struct work_dir *dir)
{
	return folder_path(dir->folder);
}

bool work_dir_name_valid(const char *name)
{
	size_t length = name ? strlen(name) : 0;

	return length > 0 && length <= 128 && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234567"
			    "89._-") == length;
}

int work_dir_write(struct work_dir *dir, const char *name, const void *bytes, size_t size,
		   struct err *err)
{
	return folder_write(dir->folder, name, bytes, size, err);
}
