/* external_trigger_run_task: fires an external camera, or anything else on a trigger
 * line, at every point of a path.
 *
 * The path is saved before the first move, so that the photos can be matched with their
 * positions afterwards; a resumed run follows it from the next point on.  Two checkpoints
 * per point record whether the line may have been pulsed when a run was cut off: that
 * point is fired again, and the log says so. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "hal/rig.h"
#include "tasks/core/orbit_axes.h"
#include "tasks/core/path_settings.h"
#include "tasks/core/preflight.h"
#include "tasks/project/folder.h"
#include "tasks/capture/path_json.h"
#include "tasks/project/project.h"
#include "tasks/services.h"
#include "tasks/task_api.h"

#define RUNS "external-trigger-runs"
#define SUFFIX "_coordinates"
#define PATH 160

static const char run_schema[] =
	"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	"\"label\":{\"type\":[\"string\",\"null\"],\"maxLength\":200},"
	"\"description\":{\"type\":[\"string\",\"null\"],\"maxLength\":1000},"
	"\"settings\":{\"type\":\"object\",\"additionalProperties\":false,\"default\":{},"
	"\"properties\":{" PATH_SETTINGS_SCHEMA ","
	"\"trigger_name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64,"
	"\"description\":\"The trigger; the only one when left out\"},"
	"\"pre_trigger_delay_ms\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":600000,"
	"\"default\":0,\"description\":\"Rest between arriving and the pulse\"},"
	"\"post_trigger_delay_ms\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":"
	"600000,"
	"\"default\":0,\"description\":\"Time for the photo before the next move\"}"
	"}}}}";

struct trigger_run {
	const struct task_host *host;
	struct task_run *run;
	struct rig *rig;
	struct folder *folder; /* of all runs; NULL until it is needed */
	char name[PATH];       /* of this run, below folder */
	struct orbit_axes axes;
	const char *trigger;
	int64_t pre_ms, post_ms;
	struct path_point *points;
	size_t n, done;
	double radius;
	bool firing; /* the previous run was cut off around a pulse */
	bool moved, halted;
};

static int fail(const struct trigger_run *t, const struct err *err)
{
	return t->host->fail_with(t->run, err->code, err->text);
}

/* ---- preparing ---- */

static int find_trigger(struct trigger_run *t, const cJSON *settings, struct err *err)
{
	int i = rig_find(t->rig, DEVICE_TRIGGER, json_string(settings, "trigger_name"),
			 err);

	if (i < 0)
		return i;
	t->trigger = rig_name(t->rig, DEVICE_TRIGGER, (size_t)i);
	t->pre_ms = (int64_t)json_number(settings, "pre_trigger_delay_ms", 0);
	t->post_ms = (int64_t)json_number(settings, "post_trigger_delay_ms", 0);
	return 0;
}

static int plan_points(struct trigger_run *t, const cJSON *settings, struct err *err)
{
	struct visit_order_axes timing = orbit_axes_timing(&t->axes);
	struct path_settings path;
	int n = path_settings_read(&path, settings, &t->axes.rotor, err);

	if (n < 0)
		return n;
	t->points = calloc(PATH_MAX_POINTS, sizeof(*t->points));
	if (!t->points)
		return err_set(err, -ENOMEM, "out of memory");
	n = path_settings_points(&path, &timing, t->points, err);
	if (n < 0)
		return n;
	t->n = (size_t)n;
	t->radius = rig_scan_radius(t->rig);
	return 0;
}

static void path_file(const struct trigger_run *t, char path[PATH + 16])
{
	snprintf(path, PATH + 16, "%s/path.json", t->name);
}

static int read_path(struct trigger_run *t, struct err *err)
{
	char path[PATH + 16];
	cJSON *json;
	int ret;

	path_file(t, path);
	ret = folder_read_json(t->folder, path, &json, err);
	if (ret < 0)
		return ret;
	ret = path_json_read(cJSON_GetObjectItemCaseSensitive(json, "points"), SUFFIX,
			     path, &t->points, &t->n, &t->radius, err);
	cJSON_Delete(json);
	return ret;
}

static int write_path(const struct trigger_run *t, const cJSON *args, struct err *err)
{
	cJSON *json = cJSON_CreateObject();
	char now[CLOCK_TEXT], path[PATH + 16];
	int ret;

	clock_text(clock_wall_ms(), now);
	json_put_string(json, "task_id", t->host->id(t->run));
	json_put_string(json, "generated_at", now);
	json_put_string(json, "label", json_string(args, "label"));
	json_put_string(json, "description", json_string(args, "description"));
	json_put_string(json, "trigger_name", t->trigger);
	cJSON_AddNumberToObject(json, "total_steps", (double)t->n);
	cJSON_AddItemToObject(json, "points",
			      path_json(t->points, t->n, t->radius, SUFFIX));
	path_file(t, path);
	ret = folder_make_all(t->folder, t->name, err);
	if (ret == 0)
		ret = folder_write_json(t->folder, path, json, err);
	cJSON_Delete(json);
	return ret;
}

static int open_folder(struct trigger_run *t, struct err *err)
{
	char path[4096 + 32];

	snprintf(path, sizeof(path), "%s/" RUNS, t->host->services->state_dir);
	snprintf(t->name, sizeof(t->name), "%s", t->host->id(t->run));
	return folder_open(&t->folder, path, err);
}

/* Checks everything that could prevent the run. */
static int check(struct trigger_run *t, const cJSON *args, bool fresh, struct err *err)
{
	const cJSON *settings = cJSON_GetObjectItemCaseSensitive(args, "settings");
	int ret = find_trigger(t, settings, err);

	if (ret == 0)
		ret = orbit_axes_find(&t->axes, t->rig, err);
	if (ret == 0)
		ret = orbit_axes_check(&t->axes, fresh, err);
	if (ret == 0 && fresh)
		ret = plan_points(t, settings, err);
	if (ret == 0)
		ret = orbit_axes_check_points(t->rig, t->points, t->n, err);
	return ret;
}

static int checkpoint(const struct trigger_run *t, bool firing)
{
	char state[64];

	snprintf(state, sizeof(state), "{\"done\":%zu,\"firing\":%s}", t->done,
		 firing ? "true" : "false");
	return t->host->checkpoint(t->run, state);
}

static int prepare(struct trigger_run *t, const cJSON *args, const cJSON *saved)
{
	struct err err = {0};
	int ret = open_folder(t, &err);

	if (ret == 0 && saved)
		ret = read_path(t, &err);
	else if (ret == 0)
		rig_adopt_endless(t->rig);
	if (ret == 0)
		ret = check(t, args, !saved, &err);
	if (ret < 0)
		return fail(t, &err);
	ret = t->host->begin(t->run);
	if (ret)
		return ret;
	rig_expect_scan(t->rig, !saved);
	if (saved) {
		t->done = (size_t)json_number(saved, "done", 0);
		t->firing = json_bool(saved, "firing", false);
		return 0;
	}
	if (write_path(t, args, &err) < 0)
		return fail(t, &err);
	return checkpoint(t, false);
}

/* ---- the points ---- */

/* After motor/stop or an emergency stop. */
static int fail_halted(struct trigger_run *t)
{
	t->halted = true;
	return t->host->fail_with(t->run, "interrupted", "motion was stopped");
}

/* Turns the result of a rig call into 0, the gate's answer or a failure; sets *again when
 * a pause interrupted the call. */
static int handle_result(struct trigger_run *t, int ret, const struct err *err,
			 bool *again)
{
	*again = ret == -EINTR && !rig_estopped(t->rig);
	if (*again || ret == 0)
		return 0;
	if (ret == -ECANCELED || rig_estopped(t->rig))
		return fail_halted(t);
	return fail(t, err);
}

static int move_to(struct trigger_run *t, const struct path_point *point)
{
	struct rig_target targets[2];
	bool again = true;
	int ret = 0;

	orbit_axes_targets(point, targets);
	while (ret == 0 && again) {
		struct err err = {0};

		ret = t->host->gate(t->run);
		if (ret)
			return ret;
		t->moved = true;
		ret = rig_move(t->rig, targets, 2, t->host->cancel(t->run), &err);
		ret = handle_result(t, ret, &err, &again);
	}
	return ret;
}

static void warn_of_second_pulse(struct trigger_run *t)
{
	char text[160];

	if (!t->firing)
		return;
	t->firing = false;
	snprintf(
		text, sizeof(text),
		"the run was cut off while step %zu was fired: that step is fired again, "
		"the camera may have two photos of it",
		t->done + 1);
	t->host->log(t->run, TASK_LOG_WARN, text);
}

static int fire(struct trigger_run *t)
{
	bool again = true;
	int ret;

	warn_of_second_pulse(t);
	ret = checkpoint(t, true);
	while (ret == 0 && again) {
		struct err err = {0};

		ret = t->host->gate(t->run);
		if (ret)
			return ret;
		ret = rig_trigger(t->rig, t->trigger, t->pre_ms, t->post_ms,
				  t->host->cancel(t->run), &err);
		ret = handle_result(t, ret, &err, &again);
	}
	return ret;
}

static int visit(struct trigger_run *t)
{
	char message[64];
	int ret = move_to(t, &t->points[t->done]);

	if (ret == 0)
		ret = fire(t);
	if (ret)
		return ret;
	t->done++;
	snprintf(message, sizeof(message), "Triggered at point %zu of %zu", t->done,
		 t->n);
	t->host->progress(t->run, (double)t->done, (double)t->n, message);
	return checkpoint(t, false);
}

/* ---- the end ---- */

/* Not after somebody stopped the motion: then nothing moves until a person asks for it.
 */
static void go_home(struct trigger_run *t)
{
	struct err err = {0};
	char text[sizeof(err.text) + 40];

	if (!t->moved || t->halted || t->host->estopped(t->run) || rig_estopped(t->rig))
		return;
	if (orbit_axes_go_home(&t->axes, t->rig, &err) == 0)
		return;
	snprintf(text, sizeof(text), "the axes could not go home: %s", err.text);
	t->host->log(t->run, TASK_LOG_ERROR, text);
}

static void report_result(const struct trigger_run *t)
{
	cJSON *result = cJSON_CreateObject();
	char folder[4096 + PATH];
	char *text;

	snprintf(folder, sizeof(folder), "%s/%s", folder_path(t->folder), t->name);
	json_put_string(result, "folder", folder);
	cJSON_AddNumberToObject(result, "points", (double)t->n);
	json_put_string(result, "path", "path.json");
	text = json_text(result);
	if (text)
		t->host->result(t->run, text);
	cJSON_free(text);
	cJSON_Delete(result);
}

static int trigger_task_run(const struct task_type *type, const struct task_host *host,
			    struct task_run *run, const char *text)
{
	cJSON *args = cJSON_Parse(text);
	const char *saved_text = host->saved(run);
	cJSON *saved = saved_text ? cJSON_Parse(saved_text) : NULL;
	struct trigger_run t = {.host = host, .run = run, .rig = host->services->rig};
	int ret;

	(void)type;
	rig_keep_awake(t.rig, true);
	ret = prepare(&t, args, saved);
	while (ret == 0 && t.done < t.n)
		ret = visit(&t);
	go_home(&t);
	rig_keep_awake(t.rig, false);
	if (ret == 0)
		report_result(&t);
	free(t.points);
	folder_close(t.folder);
	cJSON_Delete(saved);
	cJSON_Delete(args);
	return ret;
}

static double estimate_seconds(const struct trigger_run *t)
{
	struct visit_order_axes timing = orbit_axes_timing(&t->axes);

	return visit_order_seconds(&timing, t->points, t->n) +
	       orbit_axes_home_seconds(&t->axes, &t->points[t->n - 1]) +
	       (double)t->n * (double)(t->pre_ms + t->post_ms) / 1000;
}

static int trigger_task_estimate(const struct task_type *type,
				 const struct task_services *services, const char *text,
				 struct task_estimate *estimate)
{
	cJSON *args = cJSON_Parse(text);
	struct trigger_run t = {.rig = services->rig};
	struct err err = {0};

	(void)type;
	if (check(&t, args, true, &err) == 0) {
		estimate->photos = (double)t.n;
		estimate->seconds = estimate_seconds(&t);
	} else {
		estimate->problems = preflight_only(&err);
	}
	estimate->bytes_free = (double)projects_bytes_free(services->projects);
	free(t.points);
	cJSON_Delete(args);
	return 0;
}

const struct task_type task_external_trigger_run = {
	.name = "external_trigger_run_task",
	.title = "Run of an external camera",
	.category = "core",
	.is_exclusive = true,
	.resumable = true,
	.uses = (const char *const[]){"motor", "trigger", NULL},
	.args = run_schema,
	.run = trigger_task_run,
	.estimate = trigger_task_estimate,
};
