/* failing_task: fails, to show what a failure looks like. */
#include <stdlib.h>

#include "agent/base/json.h"
#include "tasks/task_api.h"

static int failing_run(const struct task_type *type, const struct task_host *host,
		       struct task_run *run, const char *text)
{
	cJSON *args = cJSON_Parse(text);
	const char *message = json_string(args, "error_message");
	int ret = host->sleep(run, 10);

	(void)type;
	if (ret == 0)
		ret = host->fail_with(run, "task_failed",
				      message ? message
					      : "This task was designed to fail.");
	cJSON_Delete(args);
	return ret;
}

const struct task_type task_failing = {
	.name = "failing_task",
	.title = "Failing task",
	.category = "example",
	.args = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
		"\"error_message\":{\"type\":\"string\",\"maxLength\":1000,"
		"\"default\":\"This task was designed to fail.\","
		"\"description\":\"The sentence that it fails with\"}}}",
	.run = failing_run,
};
