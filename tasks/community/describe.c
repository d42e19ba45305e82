/* Runs a plugin's describe command. */
#include "tasks/community/describe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "tasks/community/description.h"
#include "tasks/community/description_cache.h"
#include "tasks/community/work_dir.h"

#define STDERR_MAX 300

struct output {
	char *text;
	size_t size;
	char stderr_text[STDERR_MAX]; /* the last line of standard error */
};

static int time_limit_ms(const struct plugin *plugin)
{
	return plugin->kind == PLUGIN_PYTHON ? DESCRIBE_PYTHON_MS : DESCRIBE_MS;
}

static int timed_out(struct plugin *plugin, struct err *err)
{
	plugin->unanswered = true;
	return err_set(err, -ETIMEDOUT, "describe took longer than %d s",
		       time_limit_ms(plugin) / 1000);
}

static void add_line(struct output *output, const char *line, size_t size)
{
	memcpy(output->text + output->size, line, size);
	output->size += size;
	output->text[output->size++] = '\n';
}

static int check_exit(const struct process *process, const struct output *output,
		      struct err *err)
{
	if (process_fault(process))
		return err_set(err, -EIO, "describe: %s", process_fault(process));
	if (process_signal(process))
		return err_set(err, -EIO, "describe was ended by signal %d (%s)",
			       process_signal(process),
			       strsignal(process_signal(process)));
	if (process_exit_code(process))
		return err_set(err, -EIO, "%s",
			       output->stderr_text[0] ? output->stderr_text
						      : "describe failed without a word");
	return 0;
}

static int read_output(struct plugin *plugin, struct process *process,
		       struct output *output, struct err *err)
{
	int64_t until = clock_monotonic_ms() + time_limit_ms(plugin);
	const char *line;
	size_t size;

	for (;;) {
		switch (process_wait(process, NULL, until, &line, &size)) {
		case PROCESS_STDOUT_LINE:
			if (output->size + size >= PLUGIN_DESCRIPTION_MAX)
				return err_set(err, -EMSGSIZE,
					       "its description is longer than %d KiB",
					       PLUGIN_DESCRIPTION_MAX / 1024);
			add_line(output, line, size);
			break;
		case PROCESS_STDERR_LINE:
			if (size)
				snprintf(output->stderr_text, sizeof(output->stderr_text),
					 "%s", line);
			break;
		case PROCESS_LINE_TOO_LONG:
			return err_set(err, -EMSGSIZE,
				       "its description is longer than %d KiB",
				       PLUGIN_DESCRIPTION_MAX / 1024);
		case PROCESS_TIMEOUT:
			return timed_out(plugin, err);
		case PROCESS_EXITED:
			return check_exit(process, output, err);
		case PROCESS_CANCELLED:
			break;
		}
	}
}

static int describe(struct plugin *plugin, const char *folder, struct err *err)
{
	struct process *process = NULL;
	struct output output = {.text = malloc(PLUGIN_DESCRIPTION_MAX)};
	int ret;

	if (!output.text)
		return err_set(err, -ENOMEM, "out of memory");
	ret = plugin_start(plugin, "describe", folder, NULL, &process, err);
	if (ret == 0)
		ret = read_output(plugin, process, &output, err);
	process_free(process);
	if (ret == 0)
		ret = description_read(plugin, output.text, output.size, err);
	if (ret == 0)
		description_cache_put(plugin, output.text, output.size);
	free(output.text);
	return ret;
}

void describe_plugin(struct plugin *plugin)
{
	struct work_dir *work_dir;
	struct err err;
	int ret = work_dir_open(&work_dir, plugin->config, NULL, &err);

	plugin->unanswered = ret < 0;
	cJSON_Delete(plugin->problems);
	plugin->problems = cJSON_CreateArray();
	if (ret == 0) {
		ret = describe(plugin, work_dir_path(work_dir), &err);
		work_dir_close(work_dir, false);
	}
	if (ret < 0)
		cJSON_AddItemToArray(plugin->problems, cJSON_CreateString(err.text));
}

static void add_problem(struct plugin *plugin, const char *sentence)
{
	cJSON_AddItemToArray(plugin->problems, cJSON_CreateString(sentence));
}

void describe_from_cache(struct plugin *plugin)
{
	struct err err;
	size_t size;
	char *text = description_cache_get(plugin, &size);

	if (!text)
		return;
	if (description_read(plugin, text, size, &err) == 0)
		add_problem(plugin,
			    "until it is heard again (agent/sync), its types are those "
			    "that it described before");
	free(text);
}
