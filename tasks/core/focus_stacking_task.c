/* focus_stacking_task: stacks each focus batch of a scan into one picture that is sharp
 * all over. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/json.h"
#include "tasks/core/preflight.h"
#include "tasks/core/stacking_internal.h"
#include "tasks/project/folder.h"
#include "tasks/project/project.h"
#include "tasks/services.h"
#include "tasks/stack/jpeg_decode.h"

#define PHOTO_MAX (256 << 20)
#define MEGAPIXELS_PER_SECOND 60.0 /* of frames, on one core of a small computer */

static const char stacking_schema[] =
	"{\"type\":\"object\",\"additionalProperties\":false,"
	"\"required\":[\"project\",\"scan\"],\"properties\":{"
	"\"project\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":150},"
	"\"scan\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9999},"
	"\"align\":{\"enum\":[\"batch\",\"calibration\",\"none\"],\"default\":\"batch\","
	"\"description\":\"By each batch's own pictures, by what three batches show on "
	"average, or not at all\"},"
	"\"quality\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,"
	"\"description\":\"JPEG quality of the results; without it that of the "
	"photos\"}}}";

static int fail(const struct stacking *s, const struct err *err)
{
	return s->host->fail_with(s->run, err->code, err->text);
}

/* ---- batches ---- */

static int read_photo(void *context, int frame, char **bytes, size_t *size,
		      struct err *err)
{
	const struct stacking_source *source = context;
	const struct stacking *s = source->stacking;
	char path[SCAN_PATH];

	scan_photo_path(s->scan, (struct scan_photo){source->index, frame}, path);
	return folder_read(s->folder, path, PHOTO_MAX, bytes, size, err);
}

struct stack_job stacking_job(const struct stacking *s, struct stacking_source *source)
{
	return (struct stack_job){
		.count = scan_stacks(s->scan),
		.read = read_photo,
		.context = source,
		.known = s->calibrated ? &s->known : NULL,
		.trust_known = strcmp(s->align, "batch") != 0,
		.quality = s->quality,
		.cancel = s->host->cancel(s->run),
	};
}

int stacking_take_turn(const struct stack_job *job, struct stack_report *report,
		       void **jpeg, size_t *size, struct err *err)
{
	static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
	int ret;

	pthread_mutex_lock(&turn);
	ret = jpeg ? stack_make(job, report, jpeg, size, err)
		   : stack_align(job, report, err);
	pthread_mutex_unlock(&turn);
	return ret;
}

/* ---- lists of the result ---- */

static cJSON *add_entry(cJSON *list, int index)
{
	cJSON *entry = cJSON_CreateObject();

	cJSON_AddNumberToObject(entry, "index", index);
	cJSON_AddItemToArray(list, entry);
	return entry;
}

static void add_photo_name(const struct stacking *s, cJSON *names, int index, int frame)
{
	char name[SCAN_PATH];

	scan_photo_name(s->scan, (struct scan_photo){index, frame}, name);
	cJSON_AddItemToArray(names, cJSON_CreateString(name));
}

static void list_missing(const struct stacking *s, const struct focus_batch *batch)
{
	cJSON *entry = add_entry(s->incomplete, batch->index), *names;
	char path[SCAN_PATH], reason[64];

	names = cJSON_AddArrayToObject(entry, "photos");
	for (int i = 0; i < scan_stacks(s->scan); i++) {
		scan_photo_path(s->scan, (struct scan_photo){batch->index, i}, path);
		if (folder_file_size(s->folder, path) <= 0)
			add_photo_name(s, names, batch->index, i);
	}
	snprintf(reason, sizeof(reason), "%d of %d photos are missing",
		 scan_stacks(s->scan) - batch->photos, scan_stacks(s->scan));
	json_put_string(entry, "reason", reason);
}

static void list_bad(const struct stacking *s, int index,
		     const struct stack_report *report, const struct err *err)
{
	cJSON *entry = add_entry(s->incomplete, index), *names;
	char line[SCAN_PATH + sizeof(err->text) + 2], name[SCAN_PATH];

	names = cJSON_AddArrayToObject(entry, "photos");
	for (int i = 0; i < scan_stacks(s->scan); i++) {
		if (!report->bad[i])
			continue;
		add_photo_name(s, names, index, i);
		scan_photo_name(s->scan, (struct scan_photo){index, i}, name);
		snprintf(line, sizeof(line), "%s: %s", name, report->errors[i].text);
		s->host->log(s->run, TASK_LOG_WARN, line);
	}
	json_put_string(entry, "reason", err->text);
}

static void list_unaligned(const struct stacking *s, int index,
			   const struct stack_report *report)
{
	for (int i = 0; i < scan_stacks(s->scan); i++) {
		bool known = s->calibrated && s->known.is[i];
		char name[SCAN_PATH];
		cJSON *entry;

		if (report->aligned[i])
			continue;
		entry = add_entry(s->unaligned, index);
		scan_photo_name(s->scan, (struct scan_photo){index, i}, name);
		json_put_string(entry, "photo", name);
		json_put_string(entry, "used", known ? "by calibration" : "not at all");
	}
}

static void add_output(const struct stacking *s, int index)
{
	char name[SCAN_PATH];

	focus_batch_output(s->scan, index, name);
	cJSON_AddItemToArray(s->outputs, cJSON_CreateString(name));
}

/* ---- state ---- */

static int save_state(const struct stacking *s)
{
	cJSON *state = cJSON_CreateObject();
	char *text;
	int ret;

	cJSON_AddNumberToObject(state, "after", s->after);
	cJSON_AddItemReferenceToObject(state, "outputs", s->outputs);
	cJSON_AddItemReferenceToObject(state, "incomplete", s->incomplete);
	cJSON_AddItemReferenceToObject(state, "unaligned", s->unaligned);
	text = json_text(state);
	ret = text ? s->host->checkpoint(s->run, text)
		   : s->host->fail_with(s->run, "internal", "out of memory");
	cJSON_free(text);
	cJSON_Delete(state);
	return ret;
}

/* The array key of state, or an empty one. */
static cJSON *take_list(cJSON *state, const char *key)
{
	cJSON *list = cJSON_DetachItemFromObjectCaseSensitive(state, key);

	if (cJSON_IsArray(list))
		return list;
	cJSON_Delete(list);
	return cJSON_CreateArray();
}

static void restore_state(struct stacking *s)
{
	const char *saved = s->host->saved(s->run);
	cJSON *state = saved ? cJSON_Parse(saved) : NULL;

	s->after = (int)json_number(state, "after", -1);
	s->outputs = take_list(state, "outputs");
	s->incomplete = take_list(state, "incomplete");
	s->unaligned = take_list(state, "unaligned");
	cJSON_Delete(state);
}

/* ---- one batch ---- */

/* Writes the picture and lists it in the scan's document and the result. */
static int save_picture(struct stacking *s, int index, const void *jpeg, size_t size,
			struct err *err)
{
	char name[SCAN_PATH], path[SCAN_PATH];
	int ret;

	focus_batch_output(s->scan, index, name);
	scan_file_path(s->scan, name, path);
	ret = folder_write(s->folder, path, jpeg, size, err);
	if (ret < 0)
		return ret;
	scan_add_stacked(s->scan, name, (int64_t)size);
	add_output(s, index);
	return scan_save(s->scan, err);
}

/* 0, also after listing a batch that cannot be stacked. */
static int stack_batch(struct stacking *s, int index, struct stack_report *report,
		       struct err *err)
{
	struct stacking_source source = {s, index};
	struct stack_job job = stacking_job(s, &source);
	void *jpeg = NULL;
	size_t size;
	int ret = stacking_take_turn(&job, report, &jpeg, &size, err);

	if (ret == -EBADMSG || ret == -ENOENT) {
		list_bad(s, index, report, err);
		return 0;
	}
	if (ret < 0)
		return ret;
	list_unaligned(s, index, report);
	ret = save_picture(s, index, jpeg, size, err);
	free(jpeg);
	return ret;
}

/* 0; the gate's answer when stopped; -1 after fail_with().  After a pause in mid-batch
 * the batch starts over. */
static int process_batch(struct stacking *s, const struct focus_batch *batch,
			 struct stack_report *report)
{
	int ret, gate;

	do {
		struct err err = {0};

		gate = s->host->gate(s->run);
		if (gate)
			return gate;
		ret = stack_batch(s, batch->index, report, &err);
		if (ret < 0 && ret != -EINTR)
			return fail(s, &err);
	} while (ret == -EINTR);
	return 0;
}

static void report_progress(const struct stacking *s, size_t done, const char *message)
{
	s->host->progress(s->run, (double)done, (double)s->complete, message);
}

static int process_batches(struct stacking *s, struct stack_report *report)
{
	size_t done = 0;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < s->count; i++) {
		const struct focus_batch *batch = &s->batches[i];
		bool complete = batch->photos == scan_stacks(s->scan);
		char message[64];

		done += complete;
		if (batch->index <= s->after)
			continue;
		if (complete)
			ret = process_batch(s, batch, report);
		else
			list_missing(s, batch);
		if (ret)
			return ret;
		s->after = batch->index;
		ret = save_state(s);
		snprintf(message, sizeof(message), "Stacking batch %zu of %zu", done,
			 s->complete);
		report_progress(s, done, message);
	}
	return ret;
}

/* ---- the run ---- */

static int calibrate(struct stacking *s, struct stack_report *report)
{
	struct err err = {0};
	int ret = 0;

	report_progress(s, 0, "Starting calibration...");
	if (strcmp(s->align, "none") != 0)
		ret = stacking_calibrate(s, report, &err);
	else
		for (int i = 0; i < scan_stacks(s->scan); i++) {
			s->known.is[i] = s->calibrated = true;
			s->known.warps[i] = WARP_IDENTITY;
		}
	if (ret < 0 && err.number)
		return fail(s, &err);
	if (ret)
		return ret;
	report_progress(s, 0, "Calibration complete, starting stacking...");
	return 0;
}

static void report_result(const struct stacking *s)
{
	cJSON *result = cJSON_CreateObject();
	char name[SCAN_PATH], *text;

	focus_batch_calibration(s->scan, name);
	json_put_string(result, "project", scan_project(s->scan));
	cJSON_AddNumberToObject(result, "scan", scan_index(s->scan));
	cJSON_AddItemReferenceToObject(result, "outputs", s->outputs);
	json_put_string(result, "calibration",
			s->calibrated && strcmp(s->align, "none") != 0 ? name : NULL);
	cJSON_AddItemReferenceToObject(result, "incomplete", s->incomplete);
	cJSON_AddItemReferenceToObject(result, "unaligned", s->unaligned);
	text = json_text(result);
	if (text)
		s->host->result(s->run, text);
	cJSON_free(text);
	cJSON_Delete(result);
}

static int finish(const struct stacking *s)
{
	const cJSON *first = cJSON_GetArrayItem(s->incomplete, 0);
	char text[1100];

	if (cJSON_GetArraySize(s->outputs) == 0) {
		snprintf(text, sizeof(text),
			 "no batch of scan %d could be stacked; the first: %s (send "
			 "scan_task with this scan to take photos that are missing)",
			 scan_index(s->scan), json_string(first, "reason"));
		return s->host->fail_with(s->run, "invalid_state", text);
	}
	report_progress(s, s->complete, "Focus stacking complete");
	report_result(s);
	return 0;
}

static int run_batches(struct stacking *s)
{
	struct stack_report *report = malloc(sizeof(*report));
	int ret = report ? s->host->begin(s->run)
			 : s->host->fail_with(s->run, "internal", "out of memory");

	if (ret == 0)
		ret = calibrate(s, report);
	if (ret == 0)
		ret = process_batches(s, report);
	if (ret == 0)
		ret = finish(s);
	free(report);
	return ret;
}

/* Two tasks on one scan would write the same files, so the second one is refused. */
static int claim_scan(struct stacking *s, struct err *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	const char *id = s->host->id(s->run), *holder;
	char path[SCAN_PATH];
	int ret = 0;

	pthread_mutex_lock(&lock);
	holder = scan_stacking_task(s->scan);
	if (holder && strcmp(holder, id) != 0)
		ret = err_code(err, -EBUSY, "invalid_state",
			       "task %s is stacking this scan already: wait for it or "
			       "cancel it",
			       holder);
	if (ret == 0) {
		scan_set_stacking(s->scan, id, "running");
		ret = scan_save(s->scan, err);
	}
	pthread_mutex_unlock(&lock);
	scan_file_path(s->scan, "stacked", path);
	return ret < 0 ? ret : folder_make_all(s->folder, path, err);
}

static const char *status_of(int ret)
{
	return ret == 0 ? "completed" : ret == -1 ? "error" : "cancelled";
}

/* However the run ends, the scan's document records it. */
static int release_scan(struct stacking *s, int ret)
{
	struct err err = {0};

	scan_set_stacking(s->scan, s->host->id(s->run), status_of(ret));
	if (scan_save_final(s->scan, &err) == 0)
		return ret;
	if (ret == 0)
		return fail(s, &err);
	s->host->log(s->run, TASK_LOG_WARN, err.text);
	return ret;
}

static int open_batches(struct stacking *s, struct err *err)
{
	int ret = focus_batches_find(&s->batches, &s->count, s->scan, s->folder, err);

	for (size_t i = 0; ret == 0 && i < s->count; i++)
		s->complete += s->batches[i].photos == scan_stacks(s->scan);
	return ret;
}

static void stacking_close(struct stacking *s)
{
	scan_close(s->scan);
	free(s->batches);
	cJSON_Delete(s->outputs);
	cJSON_Delete(s->incomplete);
	cJSON_Delete(s->unaligned);
}

static int stacking_run(const struct task_type *type, const struct task_host *host,
			struct task_run *run, const char *text)
{
	cJSON *args = cJSON_Parse(text);
	struct stacking s = {
		.host = host,
		.run = run,
		.folder = projects_folder(host->services->projects),
		.align = json_string(args, "align"),
		.quality = (int)json_number(args, "quality", 0),
	};
	struct err err = {0};
	int ret =
		scan_open(&s.scan, host->services->projects, json_string(args, "project"),
			  (int)json_number(args, "scan", 0), &err);

	(void)type;
	if (ret == 0)
		ret = open_batches(&s, &err);
	if (ret == 0)
		ret = claim_scan(&s, &err);
	if (ret < 0) {
		ret = fail(&s, &err);
	} else {
		restore_state(&s);
		ret = release_scan(&s, run_batches(&s));
	}
	stacking_close(&s);
	cJSON_Delete(args);
	return ret;
}

/* ---- dry_run ---- */

static const struct focus_batch *first_complete(const struct stacking *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->batches[i].photos == scan_stacks(s->scan))
			return &s->batches[i];
	return NULL;
}

/* A stacked picture is about as large as the middle photo of its batch. */
static void add_sizes(const struct stacking *s, struct task_estimate *estimate)
{
	const struct focus_batch *first = first_complete(s);
	int frames = scan_stacks(s->scan);
	char path[SCAN_PATH], *jpeg;
	struct layout layout;
	size_t size;

	if (!first)
		return;
	scan_photo_path(s->scan, (struct scan_photo){first->index, frames / 2}, path);
	if (folder_read(s->folder, path, PHOTO_MAX, &jpeg, &size, NULL) < 0)
		return;
	estimate->photos = (double)s->complete;
	estimate->bytes = (double)s->complete * (double)size;
	if (jpeg_decode_layout(jpeg, size, &layout, NULL, NULL) == 0)
		estimate->seconds =
			estimate->photos * frames * layout.width * layout.height / 1e6 /
			(MEGAPIXELS_PER_SECOND * (double)sysconf(_SC_NPROCESSORS_ONLN));
	free(jpeg);
}

static int check_room(const struct task_estimate *estimate,
		      const struct task_services *services, struct err *err)
{
	if (estimate->bytes_free - estimate->bytes >= (double)services->min_free_bytes)
		return 0;
	return err_code(
		err, -ENOSPC, "storage_full",
		"the disk is too full: about %.0f MB for the stacked pictures and "
		"%.0f MB to spare are needed, %.0f MB are free",
		estimate->bytes / 1e6, (double)services->min_free_bytes / 1e6,
		estimate->bytes_free / 1e6);
}

static int stacking_estimate(const struct task_type *type,
			     const struct task_services *services, const char *text,
			     struct task_estimate *estimate)
{
	cJSON *args = cJSON_Parse(text);
	struct stacking s = {.folder = projects_folder(services->projects)};
	struct err err = {0};
	int ret = scan_open(&s.scan, services->projects, json_string(args, "project"),
			    (int)json_number(args, "scan", 0), &err);

	(void)type;
	estimate->bytes_free = (double)projects_bytes_free(services->projects);
	if (ret == 0)
		ret = open_batches(&s, &err);
	if (ret == 0 && s.complete == 0)
		ret = err_code(&err, -ENOENT, "not_found",
			       "no point of the scan has all its photos");
	if (ret == 0) {
		add_sizes(&s, estimate);
		ret = check_room(estimate, services, &err);
	}
	if (ret < 0)
		estimate->problems = preflight_only(&err);
	stacking_close(&s);
	cJSON_Delete(args);
	return 0;
}

const struct task_type task_focus_stacking = {
	.name = "focus_stacking_task",
	.title = "Focus stacking",
	.category = "core",
	.is_blocking = true,
	.resumable = true,
	.args = stacking_schema,
	.run = stacking_run,
	.estimate = stacking_estimate,
};
