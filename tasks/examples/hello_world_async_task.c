/* hello_world_async_task: greets step by step. */
#include <stdio.h>

#include "agent/base/json.h"
#include "tasks/task_api.h"

static int hello_run(const struct task_type *type, const struct task_host *host,
		     struct task_run *run, const char *text)
{
	cJSON *args = cJSON_Parse(text);
	int steps = (int)json_number(args, "total_steps", 5);
	double delay = json_number(args, "delay", 0.1);
	char message[96];
	int ret;

	(void)type;
	cJSON_Delete(args);
	host->progress(run, 0, steps, "Starting Hello World Task...");
	for (int i = 1; i <= steps; i++) {
		ret = host->gate(run);
		if (ret) {
			host->log(run, TASK_LOG_INFO, "Hello World task cancelled.");
			return ret;
		}
		snprintf(message, sizeof(message), "Hello World! Step %d of %d", i,
			 steps);
		host->progress(run, i, steps, message);
		ret = host->sleep(run, (int64_t)(delay * 1000));
		if (ret)
			return ret;
	}

	snprintf(message, sizeof(message),
		 "Hello World! Completed %d steps successfully.", steps);
	host->progress(run, steps, steps, message);
	snprintf(message, sizeof(message),
		 "\"Hello World! Completed %d steps successfully.\"", steps);
	host->result(run, message);
	return 0;
}

const struct task_type task_hello_world_async = {
	.name = "hello_world_async_task",
	.title = "Hello world",
	.category = "example",
	.args = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
		"\"total_steps\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":1000000,"
		"\"default\":5,\"description\":\"How often it greets\"},"
		"\"delay\":{\"type\":\"number\",\"minimum\":0,\"maximum\":3600,"
		"\"default\":0.1,\"description\":\"Seconds after each step\"},"
		"\"wait_for_event\":{\"type\":[\"boolean\",\"null\"],\"default\":null,"
		"\"description\":\"Taken for compatibility, without effect\"}}}",
	.run = hello_run,
};
