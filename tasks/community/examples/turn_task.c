/* turn_task: turns the turntable step by step.  A task type as a shared object; build it
 * by
 *
 *   cc -shared -fPIC -o turn.so turn_task.c
 *
 * and put turn.so into the community folder. */
#include <openscan/task_api.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char args_schema[] =
	"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	"\"steps\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,\"default\":8},"
	"\"pause\":{\"type\":\"number\",\"minimum\":0,\"maximum\":60,\"default\":0.5}}}";

/* The number after "name": in JSON that has been checked against the schema. */
static double number(const char *json, const char *name, double otherwise)
{
	const char *found = strstr(json, name);

	return found ? strtod(found + strlen(name), NULL) : otherwise;
}

static int turn_run(const struct task_type *type, const struct task_host *host,
		    struct task_run *run, const char *args)
{
	int steps = (int)number(args, "\"steps\":", 8);
	int64_t pause = (int64_t)(1000 * number(args, "\"pause\":", 0.5));
	const char *saved = host->saved(run);
	char text[128];
	int ret = 0;

	(void)type;
	for (int step = saved ? (int)strtol(saved, NULL, 10) : 0;
	     ret == 0 && step < steps; step++) {
		snprintf(text, sizeof(text), "{\"name\":\"turntable\",\"degrees\":%g}",
			 360.0 * step / steps);
		ret = host->rig(run, "move", text, NULL);
		if (ret < 0)
			return ret; /* rig() has set the reason */
		snprintf(text, sizeof(text), "Step %d of %d", step + 1, steps);
		host->progress(run, step + 1, steps, text);
		snprintf(text, sizeof(text), "%d", step + 1);
		ret = host->checkpoint(run, text);
		if (ret == 0)
			ret = host->sleep(run, pause);
	}
	if (ret != 0)
		return ret; /* the run is to stop */
	snprintf(text, sizeof(text), "{\"steps\":%d}", steps);
	host->result(run, text);
	return 0;
}

static const struct task_type turn = {
	.name = "turn_task",
	.title = "Turns the table",
	.category = "example",
	.resumable = true,
	.uses = (const char *const[]){"motor/turntable", NULL},
	.args = args_schema,
	.run = turn_run,
};

TASK_TYPES(&turn);
