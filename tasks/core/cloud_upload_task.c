/* cloud_upload_task: uploads the photos of a project as a ZIP archive in parts.
 *
 * The archive is never built as a whole (tasks/cloud/zip.h), so a part can be sent again
 * at any time, also by a run after a restart: the checkpoint holds the name of the upload
 * and the parts that were sent.  The archive's fingerprint shows whether the project has
 * changed since; if it has, the upload starts over under another name. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "tasks/cloud/retry.h"
#include "tasks/cloud/project_lock.h"
#include "tasks/cloud/upload.h"
#include "tasks/core/preflight.h"
#include "tasks/core/project_argument.h"
#include "tasks/project/folder.h"
#include "tasks/project/project.h"
#include "tasks/services.h"

#define MAX_PARTS 10000

static const char upload_schema[] =
	"{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"project\"],"
	"\"properties\":{"
	"\"project\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":150},"
	"\"target\":{\"enum\":[\"openscancloud\",\"directory\",\"webdav\"],"
	"\"default\":\"openscancloud\",\"description\":\"Where to\"},"
	"\"token\":{\"type\":[\"string\",\"null\"],\"maxLength\":1024,\"writeOnly\":true,"
	"\"description\":\"The user's token of OpenScan's cloud; left out: that of the "
	"settings\"},"
	"\"again\":{\"type\":\"boolean\",\"default\":false,"
	"\"description\":\"Also when it was uploaded before\"}}}";

static const struct upload_target *const targets[] = {
	&upload_to_cloud,
	&upload_to_directory,
	&upload_to_webdav,
};

static const struct upload_target *find_target(const char *name)
{
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		if (name && !strcmp(targets[i]->name, name))
			return targets[i];
	return targets[0];
}

static int fail(const struct upload *u, const struct err *err)
{
	return u->host->fail_with(u->run, err->code, err->text);
}

/* ---- photos to send ---- */

/* Reading for the checksums takes minutes, so a pause or a stop is checked in between. */
struct preparation {
	struct upload *upload;
	int stopped; /* the gate's answer */
};

static int read_unless_stopped(void *context, size_t file, int64_t offset, void *bytes,
			       size_t size, struct err *err)
{
	struct preparation *p = context;
	struct upload *u = p->upload;
	char message[80];

	p->stopped = u->host->gate(u->run);
	if (p->stopped)
		return p->stopped;
	snprintf(message, sizeof(message), "Preparing upload: reading photo %zu of %zu",
		 file + 1, u->photos.count);
	u->host->progress(u->run, 0, (double)u->photos.bytes, message);
	return photo_set_read(&u->photos, file, offset, bytes, size, err);
}

static void warn_of_skipped(const struct upload *u)
{
	char text[120];

	if (!u->photos.others)
		return;
	snprintf(text, sizeof(text), "%zu pictures are not JPEG and are not sent",
		 u->photos.others);
	u->host->log(u->run, TASK_LOG_WARN, text);
}

static int make_archive(struct upload *u)
{
	struct preparation preparation = {.upload = u};
	const struct zip_reader reader = {&preparation, read_unless_stopped};
	struct zip_file *files = NULL;
	struct err err = {0};
	int ret = photo_set_open(&u->photos, projects_folder(u->host->services->projects),
				 u->project, &err);

	if (ret == 0) {
		warn_of_skipped(u);
		files = photo_set_zip_files(&u->photos);
		ret = files ? zip_open(&u->zip, files, u->photos.count, &reader, &err)
			    : err_set(&err, -ENOMEM, "out of memory");
	}
	free(files);
	if (preparation.stopped)
		return preparation.stopped;
	if (ret < 0)
		return fail(u, &err);
	zip_fingerprint(&u->zip, u->fingerprint);
	return 0;
}

/* ---- name and checkpoint ---- */

/* Named as in OpenScan3: characters that servers may reject become "_", and the time
 * makes the name unique. */
static void choose_remote(struct upload *u)
{
	char name[UPLOAD_REMOTE - 40];
	size_t length = 0, begin = 0;

	for (const char *at = u->project; *at && length + 1 < sizeof(name); at++) {
		unsigned char c = (unsigned char)*at;

		if ((c & 0xc0) == 0x80)
			continue; /* one "_" per character, however many bytes it has */
		name[length++] = strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
					"wxyz0123456789_-",
					c)
					 ? *at
					 : '_';
	}
	while (length > 0 && name[length - 1] == '_')
		length--;
	while (begin < length && name[begin] == '_')
		begin++;
	name[length] = '\0';
	snprintf(u->remote, sizeof(u->remote), "%s-%lld.zip",
		 length > begin ? name + begin : "project", (long long)clock_wall_ms());
}

static int checkpoint(struct upload *u, bool created)
{
	cJSON *state = cJSON_CreateObject();
	char *text;
	int ret;

	json_put_string(state, "target", u->target->name);
	json_put_string(state, "remote", u->remote);
	json_put_string(state, "fingerprint", u->fingerprint);
	cJSON_AddNumberToObject(state, "split", (double)u->split);
	cJSON_AddBoolToObject(state, "created", created);
	cJSON_AddNumberToObject(state, "next", (double)u->next);
	if (u->links)
		cJSON_AddItemToObject(state, "links", cJSON_Duplicate(u->links, true));
	text = json_text(state);
	ret = text ? u->host->checkpoint(u->run, text) : 0;
	cJSON_free(text);
	cJSON_Delete(state);
	return ret;
}

static int divide_into_parts(struct upload *u, int64_t split)
{
	struct err err;

	u->split = split;
	u->parts = (size_t)((u->zip.size + split - 1) / split);
	if (u->parts <= MAX_PARTS)
		return 0;
	err_code(&err, -EINVAL, "not_supported",
		 "the archive has %.0f MB, that is more than %d parts: make "
		 "cloud.split_size larger",
		 (double)u->zip.size / 1e6, MAX_PARTS);
	return fail(u, &err);
}

static bool can_resume(const struct upload *u, const cJSON *saved)
{
	const char *fingerprint = json_string(saved, "fingerprint");
	const char *target = json_string(saved, "target");

	return json_bool(saved, "created", false) && fingerprint && target &&
	       !strcmp(fingerprint, u->fingerprint) && !strcmp(target, u->target->name);
}

static int resume(struct upload *u, const cJSON *saved)
{
	const cJSON *links = cJSON_GetObjectItemCaseSensitive(saved, "links");
	int ret = divide_into_parts(u, (int64_t)json_number(saved, "split", 1));

	snprintf(u->remote, sizeof(u->remote), "%s", json_string(saved, "remote"));
	u->next = (size_t)json_number(saved, "next", 0);
	u->links = links ? cJSON_Duplicate(links, true) : NULL;
	return ret;
}

static int start_over(struct upload *u, const cJSON *saved)
{
	struct retry retry = {.host = u->host,
			      .run = u->run,
			      .what = "making the project there",
			      .once = u->target->create,
			      .context = u};
	const cJSON *settings = u->host->services->cloud;
	int ret = divide_into_parts(
		u, (int64_t)json_number(settings, "split_size", 200000000));

	if (json_bool(saved, "created", false))
		u->host->log(u->run, TASK_LOG_WARN,
			     "the project has changed since its upload began, which "
			     "starts over under another name");
	if (ret == 0) {
		choose_remote(u);
		ret = checkpoint(u, false);
	}
	if (ret == 0)
		ret = retry_run(&retry);
	return ret ? ret : checkpoint(u, true);
}

/* ---- sending ---- */

static int send_parts(struct upload *u)
{
	char what[64];
	struct retry retry = {.host = u->host,
			      .run = u->run,
			      .what = what,
			      .once = u->target->part,
			      .context = u};

	while (u->next < u->parts) {
		int ret;

		snprintf(what, sizeof(what), "part %zu of %zu", u->next + 1, u->parts);
		upload_tick(u, 0);
		ret = retry_run(&retry);
		if (ret)
			return ret;
		u->next++;
		ret = checkpoint(u, true);
		if (ret)
			return ret;
	}
	return 0;
}

static int finish(struct upload *u)
{
	struct retry retry = {.host = u->host,
			      .run = u->run,
			      .what = "saying that all is there",
			      .once = u->target->finish,
			      .context = u};
	cJSON *patch;
	struct err err = {0};
	int ret = retry_run(&retry);

	if (ret)
		return ret;
	patch = cJSON_CreateObject();
	cJSON_AddTrueToObject(patch, "uploaded");
	json_put_string(patch, "cloud_project_name", u->remote);
	json_put_string(patch, "cloud_target", u->target->name);
	if (projects_patch(u->host->services->projects, u->project, patch, &err) < 0)
		ret = fail(u, &err);
	cJSON_Delete(patch);
	return ret;
}

static void report_result(const struct upload *u)
{
	cJSON *result = cJSON_CreateObject();
	char *text;

	json_put_string(result, "project", u->project);
	json_put_string(result, "remote_project", u->remote);
	cJSON_AddNumberToObject(result, "parts", (double)u->parts);
	cJSON_AddNumberToObject(result, "bytes", (double)u->zip.size);
	cJSON_AddNumberToObject(result, "photos", (double)u->photos.count);
	text = json_text(result);
	if (text)
		u->host->result(u->run, text);
	cJSON_free(text);
	cJSON_Delete(result);
	u->host->progress(u->run, (double)u->zip.size, (double)u->zip.size,
			  "Upload completed");
}

/* ---- a run ---- */

/* Checks that the project may be sent.  A project sent to one target may still be sent to
 * another. */
static int check_project(const struct upload *u, bool again, struct err *err)
{
	cJSON *doc = NULL;
	const char *target, *remote;
	int ret = projects_document(u->host->services->projects, u->project, &doc, err);

	if (ret < 0)
		return ret;
	target = json_string(doc, "cloud_target");
	remote = json_string(doc, "cloud_project_name");
	if (!again && json_bool(doc, "uploaded", false) && remote &&
	    !strcmp(target ? target : upload_to_cloud.name, u->target->name))
		ret = err_code(
			err, -EEXIST, "invalid_state",
			"project '%s' was uploaded already, as %s: give \"again\":true "
			"to upload it once more",
			u->project, remote);
	cJSON_Delete(doc);
	return ret;
}

static int upload_all(struct upload *u, const cJSON *args, const cJSON *saved)
{
	struct err err = {0};
	int ret = 0;

	if (!saved)
		ret = check_project(u, json_bool(args, "again", false), &err);
	if (ret == 0)
		ret = u->target->open(u, json_string(args, "token"), &err);
	if (ret < 0)
		return fail(u, &err);
	ret = u->host->begin(u->run);
	if (ret == 0)
		ret = make_archive(u);
	if (ret == 0)
		ret = can_resume(u, saved) ? resume(u, saved) : start_over(u, saved);
	if (ret == 0)
		ret = send_parts(u);
	if (ret == 0)
		ret = finish(u);
	if (ret == 0)
		report_result(u);
	return ret;
}

static void upload_close(struct upload *u)
{
	zip_clear(&u->zip);
	photo_set_clear(&u->photos);
	endpoint_close(&u->endpoint);
	folder_close(u->directory);
	cJSON_Delete(u->links);
}

static int upload_run(const struct task_type *type, const struct task_host *host,
		      struct task_run *run, const char *text)
{
	cJSON *args = cJSON_Parse(text);
	const char *saved_text = host->saved(run);
	cJSON *saved = saved_text ? cJSON_Parse(saved_text) : NULL;
	struct upload u = {
		.host = host,
		.run = run,
		.target = find_target(json_string(args, "target")),
		.project = json_string(args, "project"),
	};
	struct project_lock lock = {
		.kind = "uploaded", .project = u.project, .task = host->id(run)};
	struct err err = {0};
	int ret;

	(void)type;
	if (project_lock_acquire(&lock, &err) < 0)
		ret = fail(&u, &err);
	else
		ret = upload_all(&u, args, saved);
	project_lock_release(&lock);
	upload_close(&u);
	cJSON_Delete(saved);
	cJSON_Delete(args);
	return ret;
}

static int upload_estimate(const struct task_type *type,
			   const struct task_services *services, const char *text,
			   struct task_estimate *estimate)
{
	cJSON *args = cJSON_Parse(text), *problems = cJSON_CreateArray();
	const struct task_host host = {.services = services};
	struct upload u = {
		.host = &host,
		.target = find_target(json_string(args, "target")),
		.project = json_string(args, "project"),
	};
	struct err err = {0};

	(void)type;
	if (u.target->open(&u, json_string(args, "token"), &err) < 0)
		preflight_add(problems, &err);
	if (check_project(&u, json_bool(args, "again", false), &err) < 0 ||
	    photo_set_open(&u.photos, projects_folder(services->projects), u.project,
			   &err) < 0)
		preflight_add(problems, &err);
	estimate->photos = (double)u.photos.count;
	estimate->bytes = (double)u.photos.bytes;
	estimate->bytes_free = (double)projects_bytes_free(services->projects);
	estimate->problems = preflight_text(problems);
	upload_close(&u);
	cJSON_Delete(problems);
	cJSON_Delete(args);
	return 0;
}

const struct task_type task_cloud_upload = {
	.name = "cloud_upload_task",
	.title = "Upload of a project",
	.category = "core",
	.resumable = true,
	.args = upload_schema,
	.check = project_argument_check,
	.run = upload_run,
	.estimate = upload_estimate,
	.unique_by = "project",
};
