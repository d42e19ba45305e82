/* One upload in progress, for cloud_upload_task and its targets. */
#ifndef TASKS_CLOUD_UPLOAD_H
#define TASKS_CLOUD_UPLOAD_H

#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "agent/base/json.h"
#include "tasks/cloud/endpoint.h"
#include "tasks/cloud/transfer_rate.h"
#include "tasks/cloud/photo_set.h"
#include "tasks/task_api.h"
#include "tasks/cloud/zip.h"

#define UPLOAD_REMOTE 200

struct folder;
struct upload;
struct http_request;

/* A destination for uploads.  open() reports missing settings early.  The others are
 * tries for retry_run(): -EAGAIN when another may help, -EINTR for a pause. */
struct upload_target {
	const char *name; /* "webdav" */
	int (*open)(struct upload *upload, const char *token, struct err *err);
	int (*create)(void *upload, struct err *err); /* prepares for upload->remote */
	int (*part)(void *upload, struct err *err);   /* sends part upload->next */
	int (*finish)(void *upload, struct err *err); /* after all parts were sent */
};

extern const struct upload_target upload_to_cloud, upload_to_directory, upload_to_webdav;

struct upload {
	const struct task_host *host;
	struct task_run *run;
	const struct upload_target *target;
	const char *project;

	struct endpoint endpoint;
	struct folder *directory; /* for the target "directory" */

	struct photo_set photos;
	struct zip zip;
	char fingerprint[SHA256_HEX];

	char remote[UPLOAD_REMOTE]; /* its name at the destination */
	int64_t split;		    /* bytes per part */
	size_t parts, next;	    /* next: the part being sent */
	cJSON *links;		    /* where the cloud wants each part, or NULL */
	struct transfer_rate rate;
	int64_t reported; /* the last progress, which never decreases */
};

/* The offset and size of the part being sent. */
int64_t upload_part_offset(const struct upload *upload);
int64_t upload_part_size(const struct upload *upload);

/* Reads bytes of that part; offset is relative to its beginning. */
int upload_read(void *upload, int64_t offset, void *bytes, size_t size, struct err *err);

/* Reports that so many bytes of that part were sent.  -EINTR when the run's cancel was
 * requested. */
int upload_tick(void *upload, int64_t sent);

/* Sends that part by HTTP.  Set login only when the url is the endpoint's own. */
int upload_send(struct upload *upload, const char *method, const char *url, bool login,
		struct err *err);

#endif
