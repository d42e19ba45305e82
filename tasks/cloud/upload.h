/* One upload, as far as it has got.  For cloud_upload_task and its targets. */
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

/* Where an upload can go.  open() says early what is missing; the others are tries of an
 * retry: -EAGAIN when another may help, -EINTR for a pause. */
struct upload_target {
	const char *name; /* "webdav" */
	int (*open)(struct upload *upload, const char *token, struct err *err);
	int (*create)(void *upload, struct err *err); /* makes place for upload->remote */
	int (*part)(void *upload, struct err *err);   /* sends part upload->next */
	int (*finish)(void *upload, struct err *err); /* all parts are there */
};

extern const struct upload_target upload_to_cloud, upload_to_directory, upload_to_webdav;

struct upload {
	const struct task_host *host;
	struct task_run *run;
	const struct upload_target *target;
	const char *project;

	struct endpoint endpoint;
	struct folder *directory; /* of the target directory */

	struct photo_set photos;
	struct zip zip;
	char fingerprint[SHA256_HEX];

	char remote[UPLOAD_REMOTE]; /* its name there */
	int64_t split;		    /* bytes of a part */
	size_t parts, next;	    /* next: the one in work */
	cJSON *links;		    /* where the cloud wants the parts, or NULL */
	struct transfer_rate rate;
	int64_t told; /* the progress that was told last: it never goes back */
};

/* Where the part in work begins, and its size. */
int64_t upload_part_offset(const struct upload *upload);
int64_t upload_part_size(const struct upload *upload);

/* Its bytes, from an offset within it. */
int upload_read(void *upload, int64_t offset, void *bytes, size_t size, struct err *err);

/* Tells that so much of it has gone; -EINTR when the run's cancel is requested. */
int upload_tick(void *upload, int64_t sent);

/* Sends it to an address by a method of HTTP; the login only when the address is the
 * account's own. */
int upload_send(struct upload *upload, const char *method, const char *url, bool login,
		struct err *err);

#endif
