/* blink_task: blinks a light and leaves it as it was.
 *
 * The example that uses a device.  However a blink ends (in time, by a pause, a cancel or
 * an error), the light is put back before the run comes to a gate or returns, so that a
 * paused task leaves the rig as it found it, too. */
#include "agent/base/cancel.h"
#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "hal/rig.h"
#include "tasks/services.h"
#include "tasks/task_api.h"

struct blink {
	const struct task_host *host;
	struct task_run *run;
	struct rig *rig;
	const char *light; /* its name, owned by the rig */
	int times, done;
	double interval;
};

/* Without a light in args, the rig's only one. */
static int find_light(struct blink *b, const cJSON *args, struct err *err)
{
	int i = rig_find(b->rig, DEVICE_LIGHT, json_string(args, "light"), err);

	if (i < 0)
		return i;
	b->light = rig_name(b->rig, DEVICE_LIGHT, (size_t)i);
	return 0;
}

/* Switches the light and waits.  A pause or a cancel ends the wait; host->sleep() would
 * not return before the end of a pause, and the light must be put back before that. */
static int hold(const struct blink *b, bool on, struct err *err)
{
	int64_t end_ns = clock_monotonic_ns() + (int64_t)(b->interval * 1e9);
	int ret = rig_light_set(b->rig, b->light, on, -1, err);

	if (ret == 0)
		cancel_wait_until(b->host->cancel(b->run), end_ns);
	return ret;
}

static void restore(const struct blink *b, const struct rig_light *before)
{
	if (rig_estopped(b->rig))
		return; /* the emergency stop turned it off on purpose */
	if (rig_light_set(b->rig, b->light, before->on, before->brightness, NULL) < 0)
		b->host->log(b->run, TASK_LOG_WARN, "the light could not be put back");
}

/* On, off, and back to what it was.  A blink that is cut short does not count. */
static int blink_once(struct blink *b, struct err *err)
{
	struct rig_light before;
	int ret = rig_light_get(b->rig, b->light, &before, err);

	if (ret < 0)
		return ret;
	ret = hold(b, true, err);
	if (ret == 0)
		ret = hold(b, false, err);
	restore(b, &before);
	if (ret == 0 && !cancel_requested(b->host->cancel(b->run)))
		b->host->progress(b->run, ++b->done, b->times, "Blinked");
	return ret;
}

static int blink_run(const struct task_type *type, const struct task_host *host,
		     struct task_run *run, const char *text)
{
	cJSON *args = cJSON_Parse(text);
	struct blink b = {.host = host, .run = run, .rig = host->services->rig};
	struct err err = {0};
	int ret = find_light(&b, args, &err);

	(void)type;
	b.times = (int)json_number(args, "times", 3);
	b.interval = json_number(args, "interval", 0.5);
	cJSON_Delete(args);
	while (ret == 0 && b.done < b.times) {
		int stop = host->gate(run);

		if (stop)
			return stop;
		ret = blink_once(&b, &err);
	}
	return ret < 0 ? host->fail_with(run, err.code, err.text) : 0;
}

const struct task_type task_blink = {
	.name = "blink_task",
	.title = "Blink",
	.category = "example",
	.uses = (const char *const[]){"light", NULL},
	.args = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
		"\"light\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64,"
		"\"description\":\"The light; the only one when left out\"},"
		"\"times\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,"
		"\"default\":3,\"description\":\"How often it blinks\"},"
		"\"interval\":{\"type\":\"number\",\"minimum\":0,\"maximum\":60,"
		"\"default\":0.5,\"description\":\"Seconds on, and as many off\"}}}",
	.run = blink_run,
};
