/* The loop of scan_task: move, settle, expose, hand the photo to the writer. */
#include "tasks/core/scan_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/cancel.h"
#include "agent/base/json.h"
#include "tasks/project/photo_writer.h"

#define ATTEMPTS 3    /* at one photo */
#define LOST_CAMERA 3 /* photos in a row that fail: the camera will not recover */

/* ---- the list ---- */

int scan_run_list_shots(struct scan_run *s, struct err *err)
{
	int stacks = scan_stacks(s->scan);

	s->shots = calloc(s->plan.n * (size_t)stacks + 1, sizeof(*s->shots));
	if (!s->shots)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < s->plan.n; i++) {
		for (int stack = 0; stack < stacks; stack++) {
			const struct path_point *point = &s->plan.points[i];
			struct scan_photo photo = {point->index, stack};

			if (scan_photo_bytes(s->scan, photo) == 0)
				s->shots[s->n_shots++] = (struct scan_shot){
					.point = point, .photo = photo};
		}
	}
	return 0;
}

void scan_run_free_shots(struct scan_run *s)
{
	for (size_t i = 0; i < s->n_shots; i++)
		free(s->shots[i].reason);
	free(s->shots);
}

void scan_run_note_failure(struct scan_run *s, struct scan_shot *shot,
			   const struct err *err)
{
	shot->state = SHOT_FAILED;
	free(shot->reason);
	shot->reason = strdup(err->text);
	s->camera_err = *err;
}

/* ---- one point ---- */

static void set_status(struct scan_run *s, const char *status)
{
	struct err err = {0};

	scan_set_status(s->scan, status, NULL);
	if (scan_save(s->scan, &err) < 0)
		s->host->log(s->run, TASK_LOG_WARN, err.text);
}

/* Before a pause every photo that was taken is written, so that a paused scan is
 * complete on disk. */
static int gate(struct scan_run *s)
{
	int64_t since = clock_monotonic_ms();
	bool resting = cancel_requested(s->host->cancel(s->run));
	int ret = resting ? scan_run_collect_all(s) : scan_run_collect(s);

	if (ret)
		return ret;
	if (resting)
		set_status(s, "paused");
	ret = s->host->gate(s->run);
	if (resting && ret == 0)
		set_status(s, "running");
	s->waited_ms += clock_monotonic_ms() - since;
	return ret;
}

/* motor/stop or an emergency stop. */
static int fail_halted(struct scan_run *s)
{
	struct err err;

	s->halted = true;
	err_code(&err, -ECANCELED, "interrupted", "motion was stopped");
	return scan_run_fail(s, &err);
}

/* A move on its own thread, while the run's thread collects the writer's reports. */
struct move_thread {
	struct scan_run *s;
	const struct rig_target *targets;
	struct cancel *cancel;
	atomic_bool over;
	int ret; /* of rig_move() */
	struct err err;
};

static void *move_thread_run(void *context)
{
	struct move_thread *move = context;
	struct scan_run *s = move->s;

	move->ret = rig_move(s->rig, move->targets, 2, move->cancel, &move->err);
	atomic_store(&move->over, true);
	photo_writer_wake(s->writer);
	return NULL;
}

/* Returns after the move: 0, or why a report ends the run.  The move's own outcome is in
 * move. */
static int move_and_collect(struct move_thread *move)
{
	pthread_t thread;
	int ret;

	if (pthread_create(&thread, NULL, move_thread_run, move) != 0) {
		move_thread_run(move); /* without a thread the scan is only slower */
		return 0;
	}
	ret = scan_run_collect_until(move->s, &move->over);
	pthread_join(thread, NULL);
	return ret;
}

static int move_to(struct scan_run *s, const struct path_point *point)
{
	struct rig_target targets[2];

	orbit_axes_targets(point, targets);
	for (;;) {
		struct move_thread move = {.s = s, .targets = targets};
		int ret = gate(s);

		if (ret)
			return ret;
		s->moved = true;
		move.cancel = s->host->cancel(s->run);
		ret = move_and_collect(&move);
		if (move.ret == -ECANCELED || rig_estopped(s->rig))
			return fail_halted(s);
		if (ret)
			return ret;
		if (move.ret == 0)
			return 0;
		if (move.ret != -EINTR)
			return scan_run_fail(s, &move.err);
	}
}

/* Waits for vibrations to fade.  A pause ends host->sleep() early; the rest follows. */
static int settle(struct scan_run *s)
{
	int64_t end = clock_monotonic_ms() + s->plan.settings.pause_ms, now;
	int ret = 0;

	while (ret == 0 && (now = clock_monotonic_ms()) < end)
		ret = s->host->sleep(s->run, end - now);
	return ret;
}

/* Focuses for one photo of a focus bracket; without brackets the camera's settings hold.
 */
static int focus(struct scan_run *s, int stack, struct err *err)
{
	cJSON *patch;
	int ret;

	if (s->plan.settings.stacks == 1)
		return 0;
	if (!s->camera)
		s->camera = rig_camera_settings(s->rig, s->plan.camera);
	patch = cJSON_CreateObject();
	cJSON_AddBoolToObject(patch, "AF", false);
	cJSON_AddNumberToObject(patch, "manual_focus",
				scan_settings_focus(&s->plan.settings, stack));
	ret = rig_camera_set(s->rig, s->plan.camera, patch, err);
	cJSON_Delete(patch);
	return ret;
}

/* One attempt: 0 with an exposure, or without one and with err when the camera failed. */
static int expose(struct scan_run *s, const struct scan_shot *shot,
		  struct rig_shot **exposure, struct err *err)
{
	*exposure = NULL;
	for (;;) {
		int ret = gate(s);

		if (ret)
			return ret;
		ret = focus(s, shot->photo.stack, err);
		if (ret == 0)
			ret = rig_expose(s->rig, s->plan.camera, s->host->cancel(s->run),
					 exposure, err);
		if (ret == 0)
			return 0;
		*exposure = NULL;
		if (ret == -ECANCELED || rig_estopped(s->rig))
			return fail_halted(s);
		if (ret != -EINTR)
			return 0;
	}
}

static cJSON *metadata_of(const struct scan_run *s, const struct scan_shot *shot)
{
	const struct path_point *point = shot->point;
	cJSON *details = cJSON_CreateObject(), *camera, *scan, *part;
	double xyz[3];

	json_put_string(details, "format", photo_format_name(scan_format(s->scan)));
	camera = cJSON_AddObjectToObject(details, "camera_metadata");
	json_put_string(camera, "camera_name",
			rig_name(s->rig, DEVICE_CAMERA, s->plan.camera));
	cJSON_AddItemToObject(camera, "camera_settings",
			      rig_camera_settings(s->rig, s->plan.camera));

	path_cartesian(point, rig_scan_radius(s->rig), xyz);
	scan = cJSON_AddObjectToObject(details, "scan_metadata");
	cJSON_AddNumberToObject(scan, "step", point->index);
	json_put_string(scan, "project_name", scan_project(s->scan));
	cJSON_AddNumberToObject(scan, "scan_index", scan_index(s->scan));
	if (scan_stacks(s->scan) > 1)
		cJSON_AddNumberToObject(scan, "stack_index", shot->photo.stack);
	else
		cJSON_AddNullToObject(scan, "stack_index");
	part = cJSON_AddObjectToObject(scan, "polar_coordinates");
	cJSON_AddNumberToObject(part, "theta", point->theta);
	cJSON_AddNumberToObject(part, "fi", point->fi);
	cJSON_AddNumberToObject(part, "r", rig_scan_radius(s->rig));
	part = cJSON_AddObjectToObject(scan, "cart_coordinates");
	cJSON_AddNumberToObject(part, "x", xyz[0]);
	cJSON_AddNumberToObject(part, "y", xyz[1]);
	cJSON_AddNumberToObject(part, "z", xyz[2]);
	return details;
}

static void comment_on(const struct scan_run *s, const struct scan_shot *shot,
		       char comment[160])
{
	int used = snprintf(comment, 160, "theta %.4f, phi %.4f", shot->point->theta,
			    shot->point->fi);

	if (scan_stacks(s->scan) > 1)
		snprintf(comment + used, 160 - (size_t)used, ", focus %.3f dioptres",
			 scan_settings_focus(&s->plan.settings, shot->photo.stack));
}

/* A retry waits for the writer's report, since no further retry follows. */
static int hand_over(struct scan_run *s, struct scan_shot *shot,
		     struct rig_shot *exposure)
{
	struct photo_writer_job job = {
		.place = (int)(shot - s->shots),
		.format = scan_format(s->scan),
		.shot = exposure,
	};
	struct err err = {0};

	scan_photo_path(s->scan, shot->photo, job.photo);
	scan_metadata_path(s->scan, shot->photo, job.metadata);
	comment_on(s, shot, job.comment);
	job.details = metadata_of(s, shot);
	shot->state = SHOT_WRITING;
	if (photo_writer_put(s->writer, &job, &err) < 0)
		return scan_run_fail(s, &err);
	return s->retrying ? scan_run_collect_all(s) : 0;
}

static void log_failure(const struct scan_run *s, const struct scan_shot *shot)
{
	char name[SCAN_PATH], message[SCAN_PATH + sizeof(s->camera_err.text) + 32];

	scan_photo_name(s->scan, shot->photo, name);
	snprintf(message, sizeof(message), "%s %s: %s", name,
		 s->retrying ? "is missing" : "is put off to the end",
		 shot->reason ? shot->reason : "out of memory");
	s->host->log(s->run, TASK_LOG_WARN, message);
}

static int give_up(struct scan_run *s, const struct scan_shot *shot)
{
	log_failure(s, shot);
	s->failed_in_a_row++;
	if (s->stop_on_error || (s->failed_in_a_row == LOST_CAMERA && !s->retrying))
		return scan_run_fail(s, &s->camera_err);
	return 0;
}

static int shoot(struct scan_run *s, struct scan_shot *shot)
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		struct err err = {0};
		struct rig_shot *exposure;
		int ret = expose(s, shot, &exposure, &err);

		if (ret)
			return ret;
		if (exposure)
			ret = hand_over(s, shot, exposure);
		else
			scan_run_note_failure(s, shot, &err);
		if (ret || shot->state != SHOT_FAILED)
			return ret;
	}
	return give_up(s, shot);
}

/* Moves to the point of shot *i, takes its photos, and advances *i to the next point's
 * first shot. */
static int shoot_point(struct scan_run *s, size_t *i)
{
	enum scan_shot_state wanted = s->shots[*i].state;
	const struct path_point *point = s->shots[*i].point;
	int ret = move_to(s, point);

	if (ret == 0)
		ret = settle(s);
	for (; ret == 0 && *i < s->n_shots && s->shots[*i].point == point; (*i)++)
		if (s->shots[*i].state == wanted)
			ret = shoot(s, &s->shots[*i]);
	return ret;
}

static int shoot_all(struct scan_run *s, enum scan_shot_state wanted)
{
	size_t i = 0;
	int ret = 0;

	while (ret == 0 && i < s->n_shots) {
		int64_t since = clock_monotonic_ms(), waited = s->waited_ms;

		if (s->shots[i].state != wanted) {
			i++;
			continue;
		}
		if (s->retrying && s->failed_in_a_row >= LOST_CAMERA)
			break; /* the others would fail as well */
		ret = shoot_point(s, &i);
		waited = s->waited_ms - waited;
		scan_add_seconds(s->scan,
				 (double)(clock_monotonic_ms() - since - waited) / 1000);
	}
	return ret ? ret : scan_run_collect_all(s);
}

static void list_missing(struct scan_run *s)
{
	for (size_t i = 0; i < s->n_shots; i++) {
		const struct scan_shot *shot = &s->shots[i];
		char name[SCAN_PATH];
		cJSON *missing;

		if (shot->state != SHOT_FAILED)
			continue;
		scan_photo_name(s->scan, shot->photo, name);
		missing = cJSON_CreateObject();
		json_put_string(missing, "photo", name);
		json_put_string(missing, "reason", shot->reason);
		cJSON_AddItemToArray(s->missing, missing);
	}
}

int scan_run_shoot(struct scan_run *s)
{
	int ret = shoot_all(s, SHOT_WANTED);

	if (ret)
		return ret;
	s->retrying = true;
	s->failed_in_a_row = 0;
	ret = shoot_all(s, SHOT_FAILED);
	list_missing(s);
	return ret;
}
