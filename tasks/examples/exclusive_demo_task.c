/* exclusive_demo_task: runs alone for a while. */
#include "agent/base/json.h"
#include "tasks/task_api.h"

static void report_result(const struct task_host *host, struct task_run *run,
			  double duration)
{
	cJSON *result = cJSON_CreateObject();
	char *text;

	json_put_string(result, "status", "completed");
	cJSON_AddNumberToObject(result, "duration", duration);
	text = json_text(result);
	if (text)
		host->result(run, text);
	cJSON_free(text);
	cJSON_Delete(result);
}

static int exclusive_run(const struct task_type *type, const struct task_host *host,
			 struct task_run *run, const char *text)
{
	cJSON *args = cJSON_Parse(text);
	double duration = json_number(args, "duration", 1);
	int ret;

	(void)type;
	cJSON_Delete(args);
	host->progress(run, 0, 1, "Starting exclusive lock");
	ret = host->sleep(run, (int64_t)(duration * 1000));
	if (ret)
		return ret;

	host->progress(run, 1, 1, "Finished exclusive lock");
	report_result(host, run, duration);
	return 0;
}

const struct task_type task_exclusive_demo = {
	.name = "exclusive_demo_task",
	.title = "Exclusive demo",
	.category = "example",
	.is_exclusive = true,
	.args = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
		"\"duration\":{\"type\":\"number\",\"minimum\":0,\"maximum\":86400,"
		"\"default\":1.0,\"description\":\"Seconds that it takes\"}}}",
	.run = exclusive_run,
};
