/* cloud_download_task: downloads the model that a cloud has computed for a project.
 *
 * The archive is loaded into a hidden file of the project and unpacked into a hidden
 * folder beside it, which replaces the model once it is complete; until then the old
 * model stays. A run that is cut off leaves its partial file, which the next run
 * continues. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "tasks/cloud/endpoint.h"
#include "tasks/cloud/cloud_api.h"
#include "tasks/cloud/project_lock.h"
#include "tasks/cloud/download.h"
#include "tasks/cloud/unpack.h"
#include "tasks/core/preflight.h"
#include "tasks/core/project_argument.h"
#include "tasks/project/folder.h"
#include "tasks/project/project.h"
#include "tasks/services.h"

#define TRIES 3
#define BETWEEN_TRIES_MS 3000
#define PATH 700
#define REMOTE 200
#define MOST_FILES 10000
#define MOST_BYTES (INT64_C(32) << 30)

static const char download_schema[] =
	"{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"project\"],"
	"\"properties\":{"
	"\"project\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":150},"
	"\"remote_project\":{\"type\":[\"string\",\"null\"],\"minLength\":1,"
	"\"maxLength\":199,\"description\":\"Its name in the cloud; left out: as it was "
	"uploaded\"},"
	"\"token\":{\"type\":[\"string\",\"null\"],\"maxLength\":1024,\"writeOnly\":true,"
	"\"description\":\"The user's token of OpenScan's cloud; left out: that of the "
	"settings\"}}}";

struct model_download {
	const struct task_host *host;
	struct task_run *run;
	struct projects *projects;
	const struct folder *folder; /* the projects' */
	const char *project;
	char remote[REMOTE];
	char archive[PATH], unpacked[PATH], model[PATH];
	struct endpoint endpoint;
	char *link;
	struct download download;
	bool whole; /* the archive is complete */
	size_t files;
};

static int fail(const struct model_download *d, const struct err *err)
{
	return d->host->fail_with(d->run, err->code, err->text);
}

/* ---- source and destination ---- */

static int name_remote(struct model_download *d, const cJSON *args, struct err *err)
{
	const char *given = json_string(args, "remote_project"), *name, *target;
	cJSON *doc = NULL;
	int ret = projects_document(d->projects, d->project, &doc, err);

	if (ret < 0)
		return ret;
	target = json_string(doc, "cloud_target");
	name = json_string(doc, "cloud_project_name");
	if (target && strcmp(target, "openscancloud") != 0)
		name = NULL; /* a folder as the target computes no model */
	if (given || name)
		snprintf(d->remote, sizeof(d->remote), "%s", given ? given : name);
	else
		ret = err_code(
			err, -ENODATA, "invalid_state",
			"project '%s' was not uploaded to OpenScan's cloud: upload it, "
			"or give remote_project",
			d->project);
	cJSON_Delete(doc);
	return ret;
}

static int prepare(struct model_download *d, const cJSON *args, struct err *err)
{
	int ret = name_remote(d, args, err);

	snprintf(d->archive, PATH, "%s/.cloud-download.zip", d->project);
	snprintf(d->unpacked, PATH, "%s/.cloud-model", d->project);
	snprintf(d->model, PATH, "%s/model", d->project);
	if (ret == 0)
		ret = endpoint_open_cloud(&d->endpoint, d->host->services->cloud,
					  json_string(args, "token"), err);
	return ret;
}

/* A partial file can be continued only if it belongs to the same model. */
static int resume(struct model_download *d, const cJSON *saved, struct err *err)
{
	const char *remote = json_string(saved, "remote");
	const char *tag = json_string(saved, "tag");
	int ret;

	ret = folder_remove(d->folder, d->unpacked, err);
	if (ret < 0 && ret != -ENOENT)
		return ret;
	d->download.total = -1;
	if (remote && !strcmp(remote, d->remote)) {
		snprintf(d->download.tag, sizeof(d->download.tag), "%s", tag ? tag : "");
		d->download.total = (int64_t)json_number(saved, "total", -1);
		d->whole = json_bool(saved, "whole", false) &&
			   folder_file_size(d->folder, d->archive) > 0;
		return 0;
	}
	ret = folder_remove(d->folder, d->archive, err);
	return ret == -ENOENT ? 0 : ret;
}

static int checkpoint(struct model_download *d)
{
	cJSON *state = cJSON_CreateObject();
	char *text;
	int ret;

	json_put_string(state, "remote", d->remote);
	json_put_string(state, "tag", d->download.tag);
	cJSON_AddNumberToObject(state, "total", (double)d->download.total);
	cJSON_AddBoolToObject(state, "whole", d->whole);
	text = json_text(state);
	ret = text ? d->host->checkpoint(d->run, text) : 0;
	cJSON_free(text);
	cJSON_Delete(state);
	return ret;
}

static int download_changed(struct download *download)
{
	return checkpoint(
		(struct model_download *)((char *)download -
					  offsetof(struct model_download, download)));
}

/* ---- the link ---- */

/* 0 with a link, or the error. */
static int request_link(struct model_download *d, struct err *err)
{
	const struct cloud_api_param values[] = {{"project", d->remote}};
	cJSON *info = NULL;
	const char *link;
	int ret = cloud_api_call(&d->endpoint, d->host->cancel(d->run), "getProjectInfo",
				 values, 1, &info, err);

	if (ret < 0)
		return ret;
	link = json_string(info, "dlink");
	if (!link || !*link)
		ret = err_code(err, -EAGAIN, "task_failed",
			       "Cloud project is not ready for download yet. Try again "
			       "later.");
	else if (!(d->link = cloud_api_download_link(link)))
		ret = err_set(err, -ENOMEM, "out of memory");
	cJSON_Delete(info);
	return ret;
}

static int find_link(struct model_download *d)
{
	struct err err = {0};
	int ret;

	for (int tries = 1; tries <= TRIES;) {
		char message[64];

		ret = d->host->gate(d->run);
		if (ret)
			return ret;
		snprintf(message, sizeof(message), "Fetching cloud project info (%d/%d)",
			 tries, TRIES);
		d->host->progress(d->run, tries - 1, TRIES, message);
		ret = request_link(d, &err);
		if (ret == 0)
			return 0;
		if (ret == -EINTR) /* a pause does not count as an attempt */
			continue;
		if (tries++ < TRIES && (ret = d->host->sleep(d->run, BETWEEN_TRIES_MS)))
			return ret;
	}
	return fail(d, &err);
}

/* ---- the model ---- */

static int download_archive(struct model_download *d)
{
	struct download *f = &d->download;
	int ret;

	if (d->whole)
		return 0;
	ret = find_link(d);
	if (ret)
		return ret;
	f->host = d->host;
	f->run = d->run;
	f->endpoint = &d->endpoint;
	f->url = d->link;
	f->folder = d->folder;
	f->path = d->archive;
	f->most = MOST_BYTES;
	f->spare = d->host->services->min_free_bytes;
	f->changed = download_changed;
	ret = download_file(f);
	if (ret)
		return ret;
	d->whole = true;
	return checkpoint(d);
}

/* An archive that cannot be unpacked is deleted, so that the next run downloads it again.
 */
static int unpack_archive(struct model_download *d)
{
	struct unpack unpack = {
		.host = d->host,
		.run = d->run,
		.folder = d->folder,
		.archive = d->archive,
		.into = d->unpacked,
		.most_files = MOST_FILES,
		.most_bytes = MOST_BYTES,
		.spare = d->host->services->min_free_bytes,
	};
	struct err err = {0};
	int ret = unpack_all(&unpack, &err);

	d->files = unpack.files;
	if (ret)
		folder_remove(d->folder, d->unpacked, NULL);
	if (unpack.stopped)
		return unpack.stopped;
	if (ret == -EBADMSG || ret == -EEXIST)
		folder_remove(d->folder, d->archive, NULL);
	if (ret < 0) {
		err_prefix(&err, "the model cannot be unpacked");
		return fail(d, &err);
	}
	return 0;
}

static int install(struct model_download *d)
{
	cJSON *patch = cJSON_CreateObject();
	struct err err = {0};
	int ret = folder_replace(d->folder, d->unpacked, d->model, &err);

	cJSON_AddTrueToObject(patch, "downloaded");
	if (ret == 0)
		ret = projects_patch(d->projects, d->project, patch, &err);
	cJSON_Delete(patch);
	return ret < 0 ? fail(d, &err) : 0;
}

static void report_result(struct model_download *d)
{
	cJSON *result = cJSON_CreateObject();
	int64_t bytes = folder_file_size(d->folder, d->archive);
	char *text;

	json_put_string(result, "project", d->project);
	cJSON_AddNumberToObject(result, "bytes", (double)bytes);
	cJSON_AddNumberToObject(result, "files", (double)d->files);
	text = json_text(result);
	if (text)
		d->host->result(d->run, text);
	cJSON_free(text);
	cJSON_Delete(result);
	d->host->progress(d->run, (double)bytes, (double)bytes, "Download completed");
	folder_remove(d->folder, d->archive, NULL);
}

/* ---- a run ---- */

static int download_all(struct model_download *d, const cJSON *args, const cJSON *saved)
{
	struct err err = {0};
	int ret = prepare(d, args, &err);

	if (ret < 0)
		return fail(d, &err);
	ret = d->host->begin(d->run);
	if (ret)
		return ret;
	if (resume(d, saved, &err) < 0)
		return fail(d, &err);
	ret = checkpoint(d);
	if (ret == 0)
		ret = download_archive(d);
	if (ret == 0)
		ret = unpack_archive(d);
	if (ret == 0)
		ret = install(d);
	if (ret == 0)
		report_result(d);
	return ret;
}

static void download_close(struct model_download *d)
{
	endpoint_close(&d->endpoint);
	free(d->link);
}

static int download_run(const struct task_type *type, const struct task_host *host,
			struct task_run *run, const char *text)
{
	cJSON *args = cJSON_Parse(text);
	const char *saved_text = host->saved(run);
	cJSON *saved = saved_text ? cJSON_Parse(saved_text) : NULL;
	struct model_download d = {
		.host = host,
		.run = run,
		.projects = host->services->projects,
		.folder = projects_folder(host->services->projects),
		.project = json_string(args, "project"),
	};
	struct project_lock lock = {
		.kind = "downloaded", .project = d.project, .task = host->id(run)};
	struct err err = {0};
	int ret;

	(void)type;
	if (project_lock_acquire(&lock, &err) < 0)
		ret = fail(&d, &err);
	else
		ret = download_all(&d, args, saved);
	project_lock_release(&lock);
	download_close(&d);
	cJSON_Delete(saved);
	cJSON_Delete(args);
	return ret;
}

static int download_estimate(const struct task_type *type,
			     const struct task_services *services, const char *text,
			     struct task_estimate *estimate)
{
	cJSON *args = cJSON_Parse(text);
	const struct task_host host = {.services = services};
	struct model_download d = {
		.host = &host,
		.projects = services->projects,
		.project = json_string(args, "project"),
	};
	struct err err = {0};

	(void)type;
	if (prepare(&d, args, &err) < 0)
		estimate->problems = preflight_only(&err);
	estimate->bytes_free = (double)projects_bytes_free(services->projects);
	download_close(&d);
	cJSON_Delete(args);
	return 0;
}

const struct task_type task_cloud_download = {
	.name = "cloud_download_task",
	.title = "Download of a model",
	.category = "core",
	.resumable = true,
	.args = download_schema,
	.check = project_argument_check,
	.run = download_run,
	.estimate = download_estimate,
	.unique_by = "project",
};
