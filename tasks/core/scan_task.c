/* scan_task: photographs an object from all sides.
 *
 * Creates a scan (or opens the one that an earlier run began), takes the photos, and puts
 * the rig back as it was however the run ends.  The disk decides: a resumed run follows
 * the path saved there and takes only the photos that are missing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "tasks/core/preflight.h"
#include "tasks/core/project_argument.h"
#include "tasks/core/scan_internal.h"
#include "tasks/project/project.h"
#include "tasks/project/scan.h"
#include "tasks/capture/contact_sheet.h"
#include "tasks/project/photo_writer.h"

int scan_run_fail(struct scan_run *s, const struct err *err)
{
	if (s->err.number)
		return -1; /* the first failure is the reason */
	s->err = *err;
	return s->host->fail_with(s->run, err->code, err->text);
}

struct scan_photo scan_run_photo(const struct scan_run *s, size_t i)
{
	size_t n, stacks = (size_t)scan_stacks(s->scan);
	const struct path_point *points = scan_points(s->scan, &n);

	return (struct scan_photo){points[i / stacks].index, (int)(i % stacks)};
}

void scan_run_log_error(const struct scan_run *s, const char *what, const struct err *err)
{
	char text[sizeof(err->text) + 64];

	snprintf(text, sizeof(text), "%s: %s", what, err->text);
	s->host->log(s->run, TASK_LOG_ERROR, text);
}

int scan_run_checkpoint(struct scan_run *s)
{
	cJSON *state = cJSON_CreateObject();
	char *text;
	int ret;

	cJSON_AddNumberToObject(state, "scan", s->index);
	cJSON_AddNumberToObject(state, "done", (double)s->done);
	cJSON_AddItemToObject(state, "lights", cJSON_Duplicate(s->lights, true));
	text = json_text(state);
	ret = text ? s->host->checkpoint(s->run, text) : 0;
	cJSON_free(text);
	cJSON_Delete(state);
	return ret;
}

/* ---- preparing ---- */

static cJSON *lights_now(struct rig *rig)
{
	cJSON *lights = cJSON_CreateArray();

	for (size_t i = 0; i < rig_count(rig, DEVICE_LIGHT); i++) {
		const char *name = rig_name(rig, DEVICE_LIGHT, i);
		struct rig_light state;
		cJSON *light;

		if (rig_light_get(rig, name, &state, NULL) < 0)
			continue;
		light = cJSON_CreateObject();
		json_put_string(light, "name", name);
		cJSON_AddBoolToObject(light, "on", state.on);
		cJSON_AddNumberToObject(light, "brightness", state.brightness);
		cJSON_AddItemToArray(lights, light);
	}
	return lights;
}

/* A resumed run restores the lights as the first run found them. */
static void remember_lights(struct scan_run *s, const cJSON *saved)
{
	const cJSON *lights = cJSON_GetObjectItemCaseSensitive(saved, "lights");

	s->lights = cJSON_IsArray(lights) ? cJSON_Duplicate(lights, true)
					  : lights_now(s->rig);
}

/* Opens the scan to continue, named by the checkpoint or the arguments; s->scan stays
 * NULL for a new one.  A scan that the checkpoint names but the disk lacks was never
 * created: the earlier run was cut off before that. */
static int open_existing(struct scan_run *s, const cJSON *saved, const cJSON *args,
			 struct err *err)
{
	int asked = (int)json_number(args, "scan", 0), ret;

	s->index = (int)json_number(saved, "scan", asked);
	if (s->index == 0)
		return 0;
	ret = scan_open(&s->scan, s->projects, json_string(args, "project"), s->index,
			err);
	return ret == -ENOENT && !asked ? 0 : ret;
}

/* Saves the number of the new scan before creating it, so that a run cut off in between
 * does not create a second one when it is resumed. */
static int reserve_index(struct scan_run *s, const cJSON *args)
{
	const char *project = json_string(args, "project");
	struct err err = {0};

	if (projects_ensure(s->projects, project, NULL, &err) < 0 ||
	    (s->index == 0 &&
	     projects_next_scan(s->projects, project, &s->index, &err) < 0))
		return scan_run_fail(s, &err);
	return scan_run_checkpoint(s);
}

static int create(struct scan_run *s, const cJSON *args)
{
	const char *project = json_string(args, "project");
	cJSON *settings = scan_settings_json(&s->plan.settings);
	cJSON *camera = rig_camera_settings(s->rig, s->plan.camera);
	const struct scan_options options = {
		.task_id = s->host->id(s->run),
		.description = json_string(args, "description"),
		.camera = rig_name(s->rig, DEVICE_CAMERA, s->plan.camera),
		.settings = settings,
		.camera_settings = camera,
		.points = s->plan.points,
		.n = s->plan.n,
		.radius = rig_scan_radius(s->rig),
	};
	struct err err = {0};
	int ret = scan_create(&s->scan, s->projects, project, s->index, &options, &err);

	cJSON_Delete(settings);
	cJSON_Delete(camera);
	return ret < 0 ? scan_run_fail(s, &err) : 0;
}

/* A continued scan uses the camera settings that it began with. */
static int set_camera(struct scan_run *s, struct err *err)
{
	const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(scan_document(s->scan),
							       "camera_settings");
	cJSON *now = rig_camera_settings(s->rig, s->plan.camera);
	int ret = 0;

	if (!cJSON_IsObject(wanted) || cJSON_Compare(wanted, now, true)) {
		cJSON_Delete(now);
		return 0;
	}
	ret = rig_camera_set(s->rig, s->plan.camera, wanted, err);
	if (ret < 0)
		cJSON_Delete(now);
	else
		s->camera = now;
	return ret;
}

static int open_tools(struct scan_run *s, struct err *err)
{
	int ret =
		contact_sheet_open(&s->sheet, (int)s->total / scan_stacks(s->scan), err);

	if (ret == 0)
		ret = scan_run_list_shots(s, err);
	if (ret == 0)
		ret = photo_writer_open(&s->writer, projects_folder(s->projects), err);
	if (ret == 0)
		ret = set_camera(s, err);
	if (ret == 0 && rig_count(s->rig, DEVICE_LIGHT) > 0)
		ret = rig_light_set(s->rig, NULL, true, -1, err);
	return ret;
}

/* Lists every photo on disk in the documents, also those that a power cut kept out. */
static void count_existing(struct scan_run *s)
{
	size_t n;

	scan_points(s->scan, &n);
	s->total = n * (size_t)scan_stacks(s->scan);
	for (size_t i = 0; i < s->total; i++) {
		struct scan_photo photo = scan_run_photo(s, i);
		int64_t bytes = scan_photo_bytes(s->scan, photo);

		if (bytes > 0) {
			scan_add_photo(s->scan, photo, bytes);
			s->done++;
		}
	}
}

static int begin_scan(struct scan_run *s)
{
	char message[64];
	struct err err = {0};
	int ret;

	count_existing(s);
	scan_set_task(s->scan, s->host->id(s->run));
	scan_set_status(s->scan, "running", NULL);
	if (scan_save(s->scan, &err) < 0)
		return scan_run_fail(s, &err);
	ret = scan_run_checkpoint(s);
	if (ret)
		return ret;
	if (open_tools(s, &err) < 0)
		return scan_run_fail(s, &err);

	snprintf(message, sizeof(message), "%s with photo %zu of %zu",
		 s->done ? "Going on" : "Starting", s->done + (s->done < s->total),
		 s->total);
	s->host->progress(s->run, (double)s->done, (double)s->total, message);
	return 0;
}

static int prepare(struct scan_run *s, const cJSON *args, const cJSON *saved)
{
	const struct task_services *services = s->host->services;
	const char *on_error;
	struct err err = {0};
	int ret;

	s->missing = cJSON_CreateArray();
	on_error = json_string(args, "on_photo_error");
	s->stop_on_error = on_error && !strcmp(on_error, "stop");
	ret = open_existing(s, saved, args, &err);
	if (ret == 0 && !s->scan)
		rig_adopt_endless(s->rig);
	if (ret == 0)
		ret = scan_plan_open(&s->plan, services, s->scan, args, NULL, &err);
	if (ret < 0)
		return scan_run_fail(s, &err);

	ret = s->host->begin(s->run);
	if (ret)
		return ret;
	remember_lights(s, saved);
	rig_expect_scan(s->rig, !s->scan);
	if (!s->scan) {
		ret = reserve_index(s, args);
		if (ret == 0)
			ret = create(s, args);
	}
	return ret ? ret : begin_scan(s);
}

/* ---- putting things back ---- */

/* Not after somebody stopped the motion: then nothing moves until a person asks for it.
 */
static void go_home(struct scan_run *s)
{
	struct err err = {0};

	if (!s->moved || s->halted || s->host->estopped(s->run) || rig_estopped(s->rig))
		return;
	if (orbit_axes_go_home(&s->plan.axes, s->rig, &err) < 0)
		scan_run_log_error(s, "the axes could not go home", &err);
}

static void restore_lights(struct scan_run *s)
{
	const cJSON *light;

	if (rig_estopped(s->rig))
		return; /* the emergency stop turned them off on purpose */
	cJSON_ArrayForEach(light, s->lights) {
		struct err err = {0};

		if (rig_light_set(s->rig, json_string(light, "name"),
				  json_bool(light, "on", false),
				  (int)json_number(light, "brightness", -1), &err) < 0)
			scan_run_log_error(s, "the light could not be put back", &err);
	}
}

static void restore_camera(struct scan_run *s)
{
	struct err err = {0};

	if (s->camera && rig_camera_set(s->rig, s->plan.camera, s->camera, &err) < 0)
		scan_run_log_error(s, "the camera's settings could not be put back",
				   &err);
}

static void restore(struct scan_run *s)
{
	if (!s->writer)
		return; /* the run ended before it changed anything */
	go_home(s);
	restore_lights(s);
	restore_camera(s);
}

/* ---- the end ---- */

static void save_end(struct scan_run *s, int ret)
{
	char message[sizeof(s->err.text) + 32];
	struct err err = {0};

	snprintf(message, sizeof(message), "Error during scan: %s", s->err.text);
	if (ret == 0)
		scan_set_status(s->scan, "completed", NULL);
	else if (s->err.number && !s->halted)
		scan_set_status(s->scan, "error", message);
	else if (s->halted || s->host->estopped(s->run))
		scan_set_status(s->scan, "interrupted", s->halted ? message : NULL);
	else
		scan_set_status(s->scan, "cancelled", NULL);
	if (scan_save_final(s->scan, &err) < 0)
		scan_run_log_error(s, "scan.json is not up to date", &err);
}

/* A scan without a single photo has failed. */
static int check_photos(struct scan_run *s)
{
	return s->done > 0 ? 0 : scan_run_fail(s, &s->camera_err);
}

static int finish(struct scan_run *s, int ret)
{
	int collected =
		scan_run_collect_all(s); /* photos still being written count, too */

	if (!ret)
		ret = collected;
	restore(s);
	if (s->scan) {
		if (ret == 0)
			scan_run_report_result(s);
		save_end(s, ret);
	}
	return ret;
}

static void run_close(struct scan_run *s)
{
	photo_writer_close(s->writer);
	scan_run_free_shots(s);
	contact_sheet_close(s->sheet);
	scan_plan_close(&s->plan);
	scan_close(s->scan);
	cJSON_Delete(s->lights);
	cJSON_Delete(s->camera);
	cJSON_Delete(s->missing);
}

static int scan_task_run(const struct task_type *type, const struct task_host *host,
			 struct task_run *run, const char *text)
{
	cJSON *args = cJSON_Parse(text);
	const char *saved_text = host->saved(run);
	cJSON *saved = saved_text ? cJSON_Parse(saved_text) : NULL;
	struct scan_run s = {
		.host = host,
		.run = run,
		.rig = host->services->rig,
		.projects = host->services->projects,
	};
	int ret;

	(void)type;
	rig_keep_awake(s.rig, true);
	ret = prepare(&s, args, saved);
	if (ret == 0)
		ret = scan_run_shoot(&s);
	if (ret == 0)
		ret = check_photos(&s);
	ret = finish(&s, ret);
	rig_keep_awake(s.rig, false);
	run_close(&s);
	cJSON_Delete(saved);
	cJSON_Delete(args);
	return ret;
}

/* ---- dry_run ---- */

static int scan_task_estimate(const struct task_type *type,
			      const struct task_services *services, const char *text,
			      struct task_estimate *estimate)
{
	cJSON *args = cJSON_Parse(text), *problems = cJSON_CreateArray();
	int index = (int)json_number(args, "scan", 0);
	struct scan *scan = NULL;
	struct scan_plan plan;
	struct err err = {0};

	(void)type;
	if (index && scan_open(&scan, services->projects, json_string(args, "project"),
			       index, &err) < 0) {
		preflight_add(problems, &err);
	} else {
		scan_plan_open(&plan, services, scan, args, problems, NULL);
		estimate->photos = (double)plan.n;
		estimate->bytes = plan.bytes;
		estimate->seconds = plan.seconds;
		scan_plan_close(&plan);
	}
	estimate->bytes_free = (double)projects_bytes_free(services->projects);
	estimate->problems = preflight_text(problems);
	scan_close(scan);
	cJSON_Delete(problems);
	cJSON_Delete(args);
	return 0;
}

const struct task_type task_scan = {
	.name = "scan_task",
	.title = "Photogrammetry scan",
	.category = "core",
	.is_exclusive = true,
	.resumable = true,
	.uses = (const char *const[]){"motor", "light", "camera", NULL},
	.args = scan_settings_schema,
	.check = project_argument_check,
	.run = scan_task_run,
	.estimate = scan_task_estimate,
};
