/* hello_world_blocking_task: keeps a thread of the blocking pool busy. */
#include "agent/base/json.h"
#include "tasks/task_api.h"

static int blocking_run(const struct task_type *type, const struct task_host *host,
			struct task_run *run, const char *text)
{
	cJSON *args = cJSON_Parse(text);
	double duration = json_number(args, "duration", 3);
	int ret;

	(void)type;
	cJSON_Delete(args);
	ret = host->sleep(run, (int64_t)(duration * 1000));
	if (ret)
		return ret;

	host->result(run, "\"Blocking task complete.\"");
	return 0;
}

const struct task_type task_hello_world_blocking = {
	.name = "hello_world_blocking_task",
	.title = "Hello world, blocking",
	.category = "example",
	.is_blocking = true,
	.args = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
		"\"duration\":{\"type\":\"number\",\"minimum\":0,\"maximum\":86400,"
		"\"default\":3,\"description\":\"Seconds that it takes\"}}}",
	.run = blocking_run,
};
