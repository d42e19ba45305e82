/* Caches descriptions as JSON files, one per plugin file. */
#include "tasks/community/description_cache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/json.h"
#include "agent/base/log.h"
#include "tasks/project/folder.h"

/* A byte of a description may take six bytes in a JSON string. */
#define ENTRY_MAX (6 * PLUGIN_DESCRIPTION_MAX + 4 * PATH_MAX)
#define NAME_SIZE (SHA256_HEX + 5)

static const char *entry_name(const char *path, char name[NAME_SIZE])
{
	char hex[SHA256_HEX];

	json_sha256(path, strlen(path), hex);
	snprintf(name, NAME_SIZE, "%s.json", hex);
	return name;
}

static struct folder *open_cache(const struct community_config *config)
{
	struct folder *folder;
	struct err err;

	if (folder_open(&folder, config->cache_dir, &err) == 0)
		return folder;
	log_warn("descriptions of community tasks: %s", err.text);
	return NULL;
}

/* The entry if it matches the current version of the file, else NULL. */
static cJSON *read_entry(const struct folder *folder, const struct plugin *plugin)
{
	char name[NAME_SIZE], *bytes;
	struct err err;
	size_t size;
	cJSON *entry;
	int ret = folder_read(folder, entry_name(plugin->path, name), ENTRY_MAX, &bytes,
			      &size, &err);

	if (ret < 0) {
		if (ret != -ENOENT)
			log_warn("%s", err.text);
		return NULL;
	}
	entry = cJSON_ParseWithLength(bytes, size);
	free(bytes);
	if (entry && json_string(entry, "described") && json_string(entry, "stamp") &&
	    !strcmp(json_string(entry, "stamp"), plugin->stamp))
		return entry;
	cJSON_Delete(entry);
	return NULL;
}

static void write_entry(const struct folder *folder, const struct plugin *plugin,
			const char *text)
{
	cJSON *entry = cJSON_CreateObject();
	char name[NAME_SIZE];
	struct err err;

	json_put_string(entry, "file", plugin->path);
	json_put_string(entry, "stamp", plugin->stamp);
	json_put_string(entry, "described", text);
	if (folder_write_json(folder, entry_name(plugin->path, name), entry, &err) < 0)
		log_warn("a description cannot be kept: %s", err.text);
	cJSON_Delete(entry);
}

void description_cache_put(const struct plugin *plugin, const char *text, size_t size)
{
	struct folder *folder = open_cache(plugin->config);
	char *described = strndup(text, size);
	cJSON *entry;

	if (!described)
		abort(); /* out of memory */
	entry = folder ? read_entry(folder, plugin) : NULL;
	if (folder && (!entry || strcmp(json_string(entry, "described"), described) != 0))
		write_entry(folder, plugin, described);
	cJSON_Delete(entry);
	free(described);
	folder_close(folder);
}

char *description_cache_get(const struct plugin *plugin, size_t *size)
{
	struct folder *folder = open_cache(plugin->config);
	cJSON *entry = folder ? read_entry(folder, plugin) : NULL;
	char *text = entry ? strdup(json_string(entry, "described")) : NULL;

	*size = text ? strlen(text) : 0;
	cJSON_Delete(entry);
	folder_close(folder);
	return text;
}

static bool is_listed(const struct plugin_files *files, const char *name)
{
	char expected[NAME_SIZE];

	for (size_t i = 0; i < files->count; i++)
		if (!strcmp(entry_name(files->files[i].path, expected), name))
			return true;
	return false;
}

void description_cache_clean_up(const struct community_config *config,
				const struct plugin_files *files)
{
	struct folder *folder;
	cJSON *names = NULL;
	const cJSON *name;
	struct err err;

	if (access(config->cache_dir, F_OK) != 0)
		return;
	folder = open_cache(config);
	if (folder && folder_names(folder, ".", false, &names, &err) < 0)
		log_warn("%s", err.text);
	cJSON_ArrayForEach(name, names) {
		if (!is_listed(files, name->valuestring) &&
		    folder_remove(folder, name->valuestring, &err) < 0)
			log_warn("%s", err.text);
	}
	cJSON_Delete(names);
	folder_close(folder);
}
