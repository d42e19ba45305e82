#include "settings/overrides.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "settings/json_file.h"

static int apply(cJSON *document, const cJSON *changes, struct err *err)
{
	const cJSON *change;

	cJSON_ArrayForEach(change, changes) {
		const char *name;
		cJSON *section = document_section(document, change->string, &name);
		cJSON *value;

		/* A person may have written the dotted key itself. */
		cJSON_DeleteItemFromObjectCaseSensitive(document, change->string);
		cJSON_DeleteItemFromObjectCaseSensitive(section, name);
		if (cJSON_IsNull(change))
			continue;
		value = cJSON_Duplicate(change, true);
		if (!value || !cJSON_AddItemToObject(section, name, value)) {
			cJSON_Delete(value);
			return err_set(err, -ENOMEM, "out of memory");
		}
	}
	return 0;
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		length -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write_all(fd, text, strlen(text));
	if (close(fd) < 0 && ret == 0)
		ret = -errno;
	return ret;
}

/* Makes the new name last, as far as the file system lets folders be synchronised. */
static int sync_folder_of(const char *path)
{
	char copy[PATH_MAX];
	int fd, ret;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
	close(fd);
	return ret;
}

static int replace(const char *path, const char *text)
{
	char fresh[PATH_MAX + sizeof(".new")];
	int ret;

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	ret = write_file(fresh, text);
	if (ret == 0 && rename(fresh, path) < 0)
		ret = -errno;
	if (ret < 0) {
		unlink(fresh);
		return ret;
	}
	return sync_folder_of(path);
}

static int store(const char *path, const cJSON *document, struct err *err)
{
	char *text = cJSON_Print(document);
	int ret;

	if (!text)
		return err_set(err, -ENOMEM, "out of memory");
	ret = replace(path, text);
	free(text);
	if (ret < 0)
		return err_code(err, ret,
				ret == -ENOSPC ? "storage_full" : "storage_error",
				"%s: %s", path, strerror(-ret));
	return 0;
}

int own_change(const char *path, const cJSON *changes, struct err *err)
{
	cJSON *document = NULL;
	int ret = document_read(&document, path, err);

	if (ret == -ENOENT) {
		document = cJSON_CreateObject();
		ret = document ? 0 : err_set(err, -ENOMEM, "out of memory");
	}
	if (ret == 0)
		ret = apply(document, changes, err);
	if (ret == 0)
		ret = store(path, document, err);
	cJSON_Delete(document);
	return ret;
}
