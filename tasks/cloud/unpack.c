/* Checks and writes each entry of an archive. */
#include "tasks/cloud/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/module.h"
#include "agent/base/utf8.h"
#include "tasks/project/folder.h"
#include "tasks/modules/archive.h"

#define NAME_MAX_BYTES 400
#define PATH 900

/* ---- names ---- */

static bool has_control(const char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name < ' ' || *name == 127 || *name == '\\')
			return true;
	return false;
}

/* Is one component empty, "." or ".."? */
static bool has_bad_component(const char *name)
{
	while (*name) {
		size_t length = strcspn(name, "/");

		if (length == 0 || (length == 1 && name[0] == '.') ||
		    (length == 2 && name[0] == '.' && name[1] == '.'))
			return true;
		name += length;
		name += *name == '/';
	}
	return false;
}

/* Sets path to the entry's path below the folder; refuses names that lead elsewhere. */
static int make_path(const struct unpack *u, const char *name, char path[PATH],
		     struct err *err)
{
	size_t length = strlen(name);

	if (length == 0 || length > NAME_MAX_BYTES || !utf8_valid(name, length) ||
	    has_control(name) || has_bad_component(name)) {
		char shown[81];

		snprintf(shown, sizeof(shown), "%.80s", name);
		utf8_trim(shown);
		return err_code(err, -EBADMSG, "task_failed",
				"the archive wants to write to '%s': it is refused as a "
				"whole",
				has_control(shown) ? "a strange name" : shown);
	}
	snprintf(path, PATH, "%s/%s", u->into, name);
	while ((length = strlen(path)) && path[length - 1] == '/')
		path[length - 1] = '\0';
	return 0;
}

static int count_entry(struct unpack *u, struct err *err)
{
	if (++u->entries <= u->most_files)
		return 0;
	return err_code(err, -EBADMSG, "task_failed",
			"the archive holds more than %zu files: it is refused as a whole",
			u->most_files);
}

/* ---- the entries ---- */

static int on_folder(void *context, const char *name, struct err *err)
{
	struct unpack *u = context;
	char path[PATH];
	int ret = count_entry(u, err);

	if (ret == 0)
		ret = make_path(u, name, path, err);
	return ret < 0 ? ret : folder_make_all(u->folder, path, err);
}

static int make_parent(const struct unpack *u, const char *path, struct err *err)
{
	char parent[PATH];

	snprintf(parent, sizeof(parent), "%s", path);
	*strrchr(parent, '/') = '\0';
	return folder_make_all(u->folder, parent, err);
}

static int check_room(const struct unpack *u, struct err *err)
{
	if (folder_bytes_free(u->folder) > u->spare)
		return 0;
	return err_code(
		err, -ENOSPC, "storage_full",
		"the disk is too full to unpack the model: make room, then restart "
		"the task");
}

static int on_file(void *context, const char *name, struct err *err)
{
	struct unpack *u = context;
	char path[PATH];
	int ret = count_entry(u, err);

	if (ret == 0)
		ret = make_path(u, name, path, err);
	if (ret == 0)
		ret = check_room(u, err);
	if (ret == 0)
		ret = make_parent(u, path, err);
	if (ret < 0)
		return ret;
	u->fd = folder_open_file(u->folder, path, O_WRONLY | O_CREAT | O_EXCL, err);
	return u->fd < 0 ? u->fd : 0;
}

static int write_all(const struct unpack *u, const char *bytes, size_t size,
		     struct err *err)
{
	while (size > 0) {
		ssize_t n = write(u->fd, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == ENOSPC || errno == EDQUOT))
			return err_code(
				err, -ENOSPC, "storage_full",
				"the disk is full: make room, then restart the task");
		if (n < 0)
			return err_code(err, -errno, "storage_error",
					"the model cannot be written: %s",
					strerror(errno));
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

static int on_bytes(void *context, const void *bytes, size_t size, struct err *err)
{
	struct unpack *u = context;

	u->stopped = u->host->gate(u->run);
	if (u->stopped)
		return u->stopped;
	u->bytes += (int64_t)size;
	if (u->bytes > u->most_bytes)
		return err_code(
			err, -EBADMSG, "task_failed",
			"the archive unpacks to more than %.0f MB: it is refused as "
			"a whole",
			(double)u->most_bytes / 1e6);
	return write_all(u, bytes, size, err);
}

static int on_end(void *context, struct err *err)
{
	struct unpack *u = context;
	char message[64];
	int ret = close(u->fd);

	u->fd = -1;
	if (ret < 0)
		return err_code(err, -errno, "storage_error",
				"the model cannot be written: %s", strerror(errno));
	u->files++;
	snprintf(message, sizeof(message), "Unpacking, %zu files so far", u->files);
	u->host->progress(u->run, 0, 0, message);
	return 0;
}

int unpack_all(struct unpack *u, struct err *err)
{
	const struct archive_extractor extractor = {
		.context = u,
		.folder = on_folder,
		.file = on_file,
		.bytes = on_bytes,
		.end = on_end,
	};
	const void *table = NULL;
	const struct archive_module *module;
	int ret = module_load(&table, "archive", err), fd;

	if (ret < 0)
		return ret;
	module = table;
	ret = folder_make(u->folder, u->into, err);
	if (ret < 0)
		return ret;
	fd = folder_open_file(u->folder, u->archive, O_RDONLY, err);
	if (fd < 0)
		return fd;
	u->fd = -1;
	ret = module->unpack(fd, &extractor, err);
	if (u->fd >= 0)
		close(u->fd);
	close(fd);
	return ret ? ret : folder_sync(u->folder, err);
}
