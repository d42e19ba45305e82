#include "settings/device.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings/json_file.h"
#include "settings/validate.h"

#define SUFFIX ".json"

/* Is this a config that a plain name can mean? */
static int is_config(const struct dirent *entry)
{
	char name[sizeof(entry->d_name)];
	size_t length = strlen(entry->d_name);
	size_t suffix = strlen(SUFFIX);

	if (length <= suffix || strcmp(entry->d_name + length - suffix, SUFFIX) != 0)
		return 0;
	memcpy(name, entry->d_name, length - suffix);
	name[length - suffix] = '\0';
	return rule_plain(name);
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

/* Appends ", name", or "name" to an empty list; what does not fit is left out. */
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

int device_read(cJSON **out, const char *name, const char *const *folders,
		struct err *err)
{
	if (rule_path(name))
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
