#include "tasks/community/plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "tasks/community/description.h"
#include "tasks/community/description_cache.h"
#include "tasks/community/work_dir.h"

#define PYTHON "/usr/bin/python3"
#define NICE 10 /* of a run: the rig and the agent's own tasks come first */
#define SAID_MAX 300

static void acquire_owner(struct type_owner *owner)
{
	plugin_acquire((struct plugin *)owner);
}

static void release_owner(struct type_owner *owner)
{
	plugin_release((struct plugin *)owner);
}

struct plugin *plugin_new(struct community *community, const char *path,
			  enum plugin_kind kind, const char *stamp)
{
	struct plugin *plugin = calloc(1, sizeof(*plugin));

	if (!plugin)
		abort(); /* as everywhere when memory is out */
	plugin->owner =
		(struct type_owner){.acquire = acquire_owner, .release = release_owner};
	atomic_init(&plugin->users, 1);
	plugin->community = community;
	plugin->kind = kind;
	snprintf(plugin->stamp, sizeof(plugin->stamp), "%s", stamp);
	snprintf(plugin->path, sizeof(plugin->path), "%s", path);
	return plugin;
}

void plugin_acquire(struct plugin *plugin)
{
	atomic_fetch_add(&plugin->users, 1);
}

static void free_types(struct plugin *plugin)
{
	for (size_t i = 0; i < plugin->count; i++)
		description_free(plugin->types[i]);
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

/* ---- its program ---- */

static void put_command(const struct plugin *plugin, const char *verb,
			const char *command[6])
{
	const struct community *community = plugin->community;
	size_t n = 0;

	if (plugin->kind == PLUGIN_PYTHON) {
		command[n++] = PYTHON;
		command[n++] = community->python_host;
	} else if (plugin->kind == PLUGIN_OBJECT) {
		command[n++] = community->host;
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
	const struct community *community = plugin->community;
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
		.host = community->host,
		.isolation = community->isolation,
		.command = command,
		.environment = environment,
		.folder = folder,
		.memory = community->memory,
		.folder_bytes = community->folder_bytes,
		.processes = community->processes,
		.files = community->files,
		.nice = task ? NICE : 0, /* who asks for a description waits for it */
		.kill_after_ms = atomic_load(&community->kill_after_ms),
	};

	put_command(plugin, verb, command);
	snprintf(home, sizeof(home), "HOME=%s", folder);
	snprintf(scratch, sizeof(scratch), "TMPDIR=%s", folder);
	snprintf(projects, sizeof(projects), "OPENSCAN_PROJECT_DIR=%s",
		 community->project_dir);
	snprintf(id, sizeof(id), "OPENSCAN_TASK_ID=%s", task ? task : "");
	if (access(command[0], X_OK) != 0)
		return err_code(err, -errno, "task_failed", "%s cannot be run: %s",
				command[0], strerror(errno));
	return process_start(out, &options, err);
}

/* ---- describing ---- */

struct printed {
	char *text;
	size_t size;
	char said[SAID_MAX]; /* the last line of standard error */
};

static int describe_ms(const struct plugin *plugin)
{
	return plugin->kind == PLUGIN_PYTHON ? PLUGIN_IMPORT_MS : PLUGIN_DESCRIBE_MS;
}

static int too_long(struct plugin *plugin, struct err *err)
{
	plugin->unheard = true;
	return err_set(err, -ETIMEDOUT, "describe took longer than %d s",
		       describe_ms(plugin) / 1000);
}

static void add_line(struct printed *printed, const char *line, size_t size)
{
	memcpy(printed->text + printed->size, line, size);
	printed->size += size;
	printed->text[printed->size++] = '\n';
}

static int how_it_ended(const struct process *process, const struct printed *printed,
			struct err *err)
{
	if (process_fault(process))
		return err_set(err, -EIO, "describe: %s", process_fault(process));
	if (process_signal(process))
		return err_set(err, -EIO, "describe was ended by signal %d (%s)",
			       process_signal(process),
			       strsignal(process_signal(process)));
	if (process_exit(process))
		return err_set(err, -EIO, "%s",
			       printed->said[0] ? printed->said
						: "describe failed without a word");
	return 0;
}

static int collect(struct plugin *plugin, struct process *process,
		   struct printed *printed, struct err *err)
{
	int64_t until = clock_monotonic_ms() + describe_ms(plugin);
	const char *line;
	size_t size;

	for (;;) {
		switch (process_wait(process, NULL, until, &line, &size)) {
		case PROCESS_LINE:
			if (printed->size + size >= PLUGIN_DESCRIPTION_MAX)
				return err_set(err, -EMSGSIZE,
					       "its description is longer than %d KiB",
					       PLUGIN_DESCRIPTION_MAX / 1024);
			add_line(printed, line, size);
			break;
		case PROCESS_SAID:
			if (size)
				snprintf(printed->said, sizeof(printed->said), "%s",
					 line);
			break;
		case PROCESS_LONG:
			return err_set(err, -EMSGSIZE,
				       "its description is longer than %d KiB",
				       PLUGIN_DESCRIPTION_MAX / 1024);
		case PROCESS_TIME:
			return too_long(plugin, err);
		case PROCESS_ENDED:
			return how_it_ended(process, printed, err);
		case PROCESS_WOKEN:
			break;
		}
	}
}

static int describe(struct plugin *plugin, const char *folder, struct err *err)
{
	struct process *process = NULL;
	struct printed printed = {.text = malloc(PLUGIN_DESCRIPTION_MAX)};
	int ret;

	if (!printed.text)
		return err_set(err, -ENOMEM, "out of memory");
	ret = plugin_start(plugin, "describe", folder, NULL, &process, err);
	if (ret == 0)
		ret = collect(plugin, process, &printed, err);
	process_free(process);
	if (ret == 0)
		ret = description_read(plugin, printed.text, printed.size, err);
	if (ret == 0)
		description_cache_put(plugin, printed.text, printed.size);
	free(printed.text);
	return ret;
}

void plugin_describe(struct plugin *plugin)
{
	struct work_dir *work_dir;
	struct err err;
	int ret = work_dir_open(&work_dir, plugin->community, NULL, &err);

	plugin->unheard = ret < 0;
	cJSON_Delete(plugin->problems);
	plugin->problems = cJSON_CreateArray();
	if (ret == 0) {
		ret = describe(plugin, work_dir_path(work_dir), &err);
		work_dir_close(work_dir, false);
	}
	if (ret < 0)
		cJSON_AddItemToArray(plugin->problems, cJSON_CreateString(err.text));
}

static void say(struct plugin *plugin, const char *sentence)
{
	cJSON_AddItemToArray(plugin->problems, cJSON_CreateString(sentence));
}

void plugin_recall(struct plugin *plugin)
{
	struct err err;
	size_t size;
	char *text = description_cache_get(plugin, &size);

	if (!text)
		return;
	if (description_read(plugin, text, size, &err) == 0)
		say(plugin, "until it is heard again (agent/sync), its types are those "
			    "that it described before");
	free(text);
}
