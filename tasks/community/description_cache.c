#include "tasks/community/description_cache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/json.h"
#include "agent/base/log.h"
#include "tasks/project/folder.h"

/* Every byte of a description may be six as JSON. */
#define NOTE_MAX (6 * PLUGIN_DESCRIPTION_MAX + 4 * PATH_MAX)
#define NAME_SIZE (SHA256_HEX + 5)

static const char *name_of(const char *path, char name[NAME_SIZE])
{
	char hex[SHA256_HEX];

	json_sha256(path, strlen(path), hex);
	snprintf(name, NAME_SIZE, "%s.json", hex);
	return name;
}

static struct folder *open_notes(const struct community_config *config)
{
	struct folder *folder;
	struct err err;

	if (folder_open(&folder, config->cache_dir, &err) == 0)
		return folder;
	log_warn("descriptions of community tasks: %s", err.text);
	return NULL;
}

/* NULL unless it is about the file as it is now. */
static cJSON *read_note(const struct folder *folder, const struct plugin *plugin)
{
	char name[NAME_SIZE], *bytes;
	struct err err;
	size_t size;
	cJSON *note;
	int ret = folder_read(folder, name_of(plugin->path, name), NOTE_MAX, &bytes,
			      &size, &err);

	if (ret < 0) {
		if (ret != -ENOENT)
			log_warn("%s", err.text);
		return NULL;
	}
	note = cJSON_ParseWithLength(bytes, size);
	free(bytes);
	if (note && json_string(note, "described") && json_string(note, "stamp") &&
	    !strcmp(json_string(note, "stamp"), plugin->stamp))
		return note;
	cJSON_Delete(note);
	return NULL;
}

static void write_note(const struct folder *folder, const struct plugin *plugin,
		       const char *text)
{
	cJSON *note = cJSON_CreateObject();
	char name[NAME_SIZE];
	struct err err;

	json_put_string(note, "file", plugin->path);
	json_put_string(note, "stamp", plugin->stamp);
	json_put_string(note, "described", text);
	if (folder_write_json(folder, name_of(plugin->path, name), note, &err) < 0)
		log_warn("a description cannot be kept: %s", err.text);
	cJSON_Delete(note);
}

void description_cache_put(const struct plugin *plugin, const char *text, size_t size)
{
	struct folder *folder = open_notes(plugin->config);
	char *described = strndup(text, size);
	cJSON *note;

	if (!described)
		abort(); /* as everywhere when memory is out */
	note = folder ? read_note(folder, plugin) : NULL;
	if (folder && (!note || strcmp(json_string(note, "described"), described) != 0))
		write_note(folder, plugin, described);
	cJSON_Delete(note);
	free(described);
	folder_close(folder);
}

char *description_cache_get(const struct plugin *plugin, size_t *size)
{
	struct folder *folder = open_notes(plugin->config);
	cJSON *note = folder ? read_note(folder, plugin) : NULL;
	char *text = note ? strdup(json_string(note, "described")) : NULL;

	*size = text ? strlen(text) : 0;
	cJSON_Delete(note);
	folder_close(folder);
	return text;
}

static bool is_found(const struct finder *finder, const char *name)
{
	char expected[NAME_SIZE];

	for (size_t i = 0; i < finder->count; i++)
		if (!strcmp(name_of(finder->files[i].path, expected), name))
			return true;
	return false;
}

void description_cache_clean_up(const struct community_config *config,
				const struct finder *finder)
{
	struct folder *folder;
	cJSON *names = NULL;
	const cJSON *name;
	struct err err;

	if (access(config->cache_dir, F_OK) != 0)
		return;
	folder = open_notes(config);
	if (folder && folder_names(folder, ".", false, &names, &err) < 0)
		log_warn("%s", err.text);
	cJSON_ArrayForEach(name, names) {
		if (!is_found(finder, name->valuestring) &&
		    folder_remove(folder, name->valuestring, &err) < 0)
			log_warn("%s", err.text);
	}
	cJSON_Delete(names);
	folder_close(folder);
}
