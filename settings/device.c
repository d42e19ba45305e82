/* Finds a device config by its name. */
#include "settings/device.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mqtt/topic.h"
#include "settings/json_file.h"

#define SUFFIX ".json"

/* Can this file be asked for by its plain name? */
static int is_config(const struct dirent *entry)
{
	char name[sizeof(entry->d_name)];
	size_t length = strlen(entry->d_name);
	size_t suffix = strlen(SUFFIX);

	if (length <= suffix || strcmp(entry->d_name + length - suffix, SUFFIX) != 0)
		return 0;
	memcpy(name, entry->d_name, length - suffix);
	name[length - suffix] = '\0';
	return topic_name_valid(name);
}

/* Is name one of the names in list ("a, b")? */
static bool holds(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = list; *at; at += strcspn(at, ","), at += strspn(at, ", ")) {
		if (strcspn(at, ",") == length && !strncmp(at, name, length))
			return true;
	}
	return false;
}

/* Appends the name of file to a list like "a, b", once and if it still fits. */
static void append(char *list, size_t size, const char *file)
{
	size_t used = strlen(list);
	char name[NAME_MAX + 1];

	snprintf(name, sizeof(name), "%.*s", (int)(strlen(file) - strlen(SUFFIX)), file);
	if (holds(list, name) || used + strlen(name) + sizeof(", ") > size)
		return;
	snprintf(list + used, size - used, "%s%s", used ? ", " : "", name);
}

static void list_folder(char *list, size_t size, const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, is_config, alphasort);

	for (int i = 0; i < n; i++) {
		append(list, size, entries[i]->d_name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

static int unknown(const char *name, const char *const *folders, struct err *err)
{
	char list[512] = "";

	for (; *folders; folders++)
		list_folder(list, sizeof(list), *folders);
	return err_code(err, -ENOENT, "not_found",
			"there is no device config '%s' (there are %s)", name,
			list[0] ? list : "none");
}

bool device_is_path(const char *name)
{
	size_t length = strlen(name), suffix = strlen(SUFFIX);

	return strchr(name, '/') ||
	       (length > suffix && !strcmp(name + length - suffix, SUFFIX));
}

int device_read(cJSON **out, const char *name, const char *const *folders,
		struct err *err)
{
	if (device_is_path(name))
		return json_file_read(out, name, err);

	for (size_t i = 0; folders[i]; i++) {
		char path[PATH_MAX];
		int ret;

		snprintf(path, sizeof(path), "%s/%s" SUFFIX, folders[i], name);
		ret = json_file_read(out, path, err);
		if (ret != -ENOENT)
			return ret;
	}
	return unknown(name, folders, err);
}
