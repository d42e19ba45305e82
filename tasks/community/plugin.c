/* Holds a plugin and starts its program. */
#include "tasks/community/plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PYTHON "/usr/bin/python3"
#define NICE 10 /* of a run: the rig and the agent's own tasks take precedence */

static void acquire_owner(struct type_owner *owner)
{
	plugin_acquire((struct plugin *)owner);
}

static void release_owner(struct type_owner *owner)
{
	plugin_release((struct plugin *)owner);
}

struct plugin *plugin_new(struct community_config *config, const char *path,
			  enum plugin_kind kind, const char *stamp)
{
	struct plugin *plugin = calloc(1, sizeof(*plugin));

	if (!plugin)
		abort(); /* out of memory */
	plugin->owner =
		(struct type_owner){.acquire = acquire_owner, .release = release_owner};
	atomic_init(&plugin->users, 1);
	plugin->config = config;
	plugin->kind = kind;
	snprintf(plugin->stamp, sizeof(plugin->stamp), "%s", stamp);
	snprintf(plugin->path, sizeof(plugin->path), "%s", path);
	return plugin;
}

void plugin_acquire(struct plugin *plugin)
{
	atomic_fetch_add(&plugin->users, 1);
}

void plugin_type_free(struct plugin_type *type)
{
	if (!type)
		return;
	cJSON_Delete(type->description);
	free(type->uses);
	free(type->args);
	free(type);
}

static void free_types(struct plugin *plugin)
{
	for (size_t i = 0; i < plugin->count; i++)
		plugin_type_free(plugin->types[i]);
	free(plugin->types);
	plugin->types = NULL;
	plugin->count = 0;
}

void plugin_release(struct plugin *plugin)
{
	if (atomic_fetch_sub(&plugin->users, 1) > 1)
		return;
	free_types(plugin);
	cJSON_Delete(plugin->problems);
	free(plugin);
}

/* ---- the program ---- */

static void set_command(const struct plugin *plugin, const char *verb,
			const char *command[6])
{
	const struct community_config *config = plugin->config;
	size_t n = 0;

	if (plugin->kind == PLUGIN_PYTHON) {
		command[n++] = PYTHON;
		command[n++] = config->python_host;
	} else if (plugin->kind == PLUGIN_OBJECT) {
		command[n++] = config->host;
		command[n++] = "object";
	}
	if (plugin->kind == PLUGIN_PROGRAM)
		command[n++] = plugin->path;
	command[n++] = verb;
	if (plugin->kind != PLUGIN_PROGRAM)
		command[n++] = plugin->path;
	command[n] = NULL;
}

int plugin_start(const struct plugin *plugin, const char *verb, const char *folder,
		 const char *task, struct process **out, struct err *err)
{
	const struct community_config *config = plugin->config;
	char home[PATH_MAX + 8], scratch[PATH_MAX + 8], projects[PATH_MAX + 32], id[128];
	const char *command[6];
	const char *environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin",
				     "LANG=C.UTF-8",
				     home,
				     scratch,
				     projects,
				     task ? id : NULL,
				     NULL};
	struct process_options options = {
		.host = config->host,
		.isolation = config->isolation,
		.command = command,
		.environment = environment,
		.folder = folder,
		.memory = config->memory,
		.folder_bytes = config->folder_bytes,
		.processes = config->processes,
		.files = config->files,
		.nice = task ? NICE : 0, /* somebody is waiting for a description */
		.kill_after_ms = atomic_load(&config->kill_after_ms),
	};

	set_command(plugin, verb, command);
	snprintf(home, sizeof(home), "HOME=%s", folder);
	snprintf(scratch, sizeof(scratch), "TMPDIR=%s", folder);
	snprintf(projects, sizeof(projects), "OPENSCAN_PROJECT_DIR=%s",
		 config->project_dir);
	snprintf(id, sizeof(id), "OPENSCAN_TASK_ID=%s", task ? task : "");
	if (access(command[0], X_OK) != 0)
		return err_code(err, -errno, "task_failed", "%s cannot be run: %s",
				command[0], strerror(errno));
	return process_start(out, &options, err);
}
