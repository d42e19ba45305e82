/* Downloads a file by HTTP range requests. */
#include "tasks/cloud/download.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/cancel.h"
#include "agent/base/module.h"
#include "tasks/cloud/endpoint.h"
#include "tasks/cloud/retry.h"
#include "tasks/project/folder.h"

/* ---- the response ---- */

static int start_over(struct download *d, struct err *err)
{
	if (ftruncate(d->fd, 0) < 0)
		return err_code(err, -errno, "storage_error", "%s: %s", d->path,
				strerror(errno));
	d->have = 0;
	return 0;
}

static int check_room(const struct download *d, struct err *err)
{
	int64_t room = folder_bytes_free(d->folder) - d->spare;
	int64_t wanted = d->total < 0 ? 0 : d->total - d->have;

	if (d->total > d->most)
		return err_code(
			err, -EFBIG, "not_supported",
			"what the cloud offers has %.0f MB, more than %.0f MB are "
			"not taken",
			(double)d->total / 1e6, (double)d->most / 1e6);
	if (wanted < room)
		return 0;
	return err_code(
		err, -ENOSPC, "storage_full",
		"the disk is too full: %.0f MB are to come and %.0f MB to spare are "
		"needed, %.0f MB are free: make room, then restart the task",
		(double)wanted / 1e6, (double)d->spare / 1e6,
		(double)(room + d->spare) / 1e6);
}

/* Continues a partial download, or starts over if the remote file has changed. */
static int begin_body(struct download *d, const struct http_answer *answer,
		      struct err *err)
{
	bool rest = answer->status == 206;
	int64_t total =
		rest && answer->length >= 0 ? d->have + answer->length : answer->length;

	if (rest && answer->first == d->have && (d->total < 0 || total == d->total)) {
		d->total = total;
		return 0;
	}
	if (start_over(d, err) < 0)
		return -EIO;
	if (rest)
		return err_code(err, -EAGAIN, "task_failed",
				"the server sent another part than was asked for");
	d->total = total;
	snprintf(d->tag, sizeof(d->tag), "%s", answer->tag);
	return d->changed(d) ? -EINTR : 0;
}

static int begin(void *context, const struct http_answer *answer, struct err *err)
{
	struct download *d = context;
	int ret;

	if (answer->status == 416 && d->have > 0) {
		ret = start_over(d, err);
		return ret < 0 ? ret
			       : err_code(err, -EAGAIN, "task_failed",
					  "the server has less than was loaded");
	}
	if (answer->status != 200 && answer->status != 206)
		return retry_http_status(answer->status, err);
	ret = begin_body(d, answer, err);
	return ret ? ret : check_room(d, err);
}

static int write_bytes(void *context, const void *bytes, size_t size, struct err *err)
{
	struct download *d = context;
	const char *next = bytes;

	if (d->have + (int64_t)size > d->most)
		return err_code(err, -EFBIG, "not_supported",
				"what the cloud sends does not end after %.0f MB",
				(double)d->most / 1e6);
	while (size > 0) {
		ssize_t n = pwrite(d->fd, next, size, d->have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == ENOSPC || errno == EDQUOT))
			return err_code(
				err, -ENOSPC, "storage_full",
				"the disk is full: make room, then restart the task");
		if (n < 0)
			return err_code(err, -errno, "storage_error", "%s: %s", d->path,
					strerror(errno));
		next += n;
		size -= (size_t)n;
		d->have += n;
	}
	return 0;
}

static int tick(void *context, int64_t sent)
{
	struct download *d = context;
	double total = d->total < 0 ? 0 : (double)d->total;
	char rate[TRANSFER_RATE_TEXT], message[TRANSFER_RATE_TEXT + 80];

	(void)sent;
	transfer_rate_add(&d->rate, clock_monotonic_ms(), d->have);
	transfer_rate_text(&d->rate, d->total < 0 ? 0 : d->total - d->have, rate);
	snprintf(message, sizeof(message), "Downloading, %.1f MB so far%s",
		 (double)d->have / 1e6, d->total < 0 ? "" : rate);
	d->host->progress(d->run, (double)d->have, total, message);
	return cancel_requested(d->host->cancel(d->run)) ? -EINTR : 0;
}

/* ---- one try ---- */

static int request(struct download *d, struct err *err)
{
	struct http_request request = {
		.method = "GET",
		.follow = true,
		.from = d->have,
		.if_tag = d->tag[0] ? d->tag : NULL,
		.begin = begin,
		.write = write_bytes,
		.tick = tick,
		.context = d,
	};
	struct http_answer answer;
	const void *table = NULL;
	const struct http_module *http;
	int ret = module_load(&table, "http", err);

	if (ret == 0)
		ret = endpoint_allows(d->endpoint, d->url, err);
	if (ret < 0)
		return ret;
	http = table;
	endpoint_fill_request(d->endpoint, d->url, &request);
	ret = http->request(&request, &answer, err);
	if (ret == 0 && answer.status / 100 != 2)
		ret = retry_http_status(answer.status, err);
	return ret;
}

/* A connection that broke after some bytes arrived counts as progress for the retries. */
static int once(void *context, struct err *err)
{
	struct download *d = context;
	int64_t before = d->have;
	int ret;

	if (d->total >= 0 && d->have == d->total)
		return 0;
	ret = request(d, err);
	d->retry->progressed = d->have > before;
	if (ret == 0 && d->total >= 0 && d->have != d->total)
		return err_code(err, -EAGAIN, "task_failed", "the connection broke");
	return ret;
}

static int open_file(struct download *d, struct err *err)
{
	struct stat st;

	d->fd = folder_open_file(d->folder, d->path, O_RDWR | O_CREAT, err);
	if (d->fd < 0)
		return d->fd;
	if (fstat(d->fd, &st) < 0)
		return err_code(err, -errno, "storage_error", "%s: %s", d->path,
				strerror(errno));
	d->have = st.st_size;
	/* A partial file of an unknown version cannot be continued. */
	return d->have > 0 && d->total < 0 && !d->tag[0] ? start_over(d, err) : 0;
}

int download_file(struct download *d)
{
	struct retry retry = {
		.host = d->host,
		.run = d->run,
		.what = "the download",
		.once = once,
		.context = d,
	};
	struct err err = {0};
	int ret = open_file(d, &err);

	d->retry = &retry;
	if (ret == 0)
		ret = retry_run(&retry);
	else
		ret = d->host->fail_with(d->run, err.code, err.text);
	if (ret == 0 && fsync(d->fd) < 0) {
		err_code(&err, -errno, "storage_error", "%s: %s", d->path,
			 strerror(errno));
		ret = d->host->fail_with(d->run, err.code, err.text);
	}
	if (d->fd >= 0)
		close(d->fd);
	d->retry = NULL;
	return ret;
}
