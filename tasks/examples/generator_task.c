/* generator_task: counts its steps, and resumes where it was cut off.
 *
 * It saves its state after each step, so that a run that was paused, cut off or restarted
 * does not start over. */
#include <stdio.h>

#include "agent/base/json.h"
#include "tasks/task_api.h"

static int steps_done(const char *saved)
{
	cJSON *state = saved ? cJSON_Parse(saved) : NULL;
	int done = (int)json_number(state, "done", 0);

	cJSON_Delete(state);
	return done;
}

/* Waits one interval, then saves that step is done. */
static int one_step(const struct task_host *host, struct task_run *run, int step,
		    int steps, double interval)
{
	char text[64];
	int ret = host->gate(run);

	if (ret == 0)
		ret = host->sleep(run, (int64_t)(interval * 1000));
	if (ret)
		return ret;
	snprintf(text, sizeof(text), "Step %d of %d complete.", step, steps);
	host->progress(run, step, steps, text);
	snprintf(text, sizeof(text), "{\"done\":%d}", step);
	return host->checkpoint(run, text);
}

static int generator_run(const struct task_type *type, const struct task_host *host,
			 struct task_run *run, const char *text)
{
	cJSON *args = cJSON_Parse(text);
	int steps = (int)json_number(args, "total_steps", 10);
	double interval = json_number(args, "interval", 0.5);
	const char *saved = host->saved(run);
	int done = steps_done(saved);
	char message[96];

	(void)type;
	cJSON_Delete(args);
	if (saved && done >= steps) {
		host->progress(run, steps, steps, "Task already completed.");
		host->result(run, "\"Task already completed.\"");
		return 0;
	}

	snprintf(message, sizeof(message), "%s from step %d.",
		 saved ? "Resuming" : "Starting", done);
	host->progress(run, done, steps, message);
	for (int i = done + 1; i <= steps; i++) {
		int ret = one_step(host, run, i, steps, interval);

		if (ret)
			return ret;
	}
	snprintf(message, sizeof(message), "\"Generator task completed after %d steps.\"",
		 steps);
	host->result(run, message);
	return 0;
}

const struct task_type task_generator = {
	.name = "generator_task",
	.title = "Step counter",
	.category = "example",
	.resumable = true,
	.args = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
		"\"total_steps\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":1000000,"
		"\"default\":10,\"description\":\"How many steps it counts\"},"
		"\"interval\":{\"type\":\"number\",\"minimum\":0,\"maximum\":3600,"
		"\"default\":0.5,\"description\":\"Seconds that a step takes\"}}}",
	.run = generator_run,
};
