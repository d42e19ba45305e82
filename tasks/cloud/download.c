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
#include "tasks/cloud/credentials.h"
#include "tasks/cloud/retry.h"
#include "tasks/project/folder.h"

/* ---- what the server sends ---- */

static int start_over(struct fetch *f, struct err *err)
{
	if (ftruncate(f->fd, 0) < 0)
		return err_code(err, -errno, "storage_error", "%s: %s", f->path,
				strerror(errno));
	f->have = 0;
	return 0;
}

static int check_room(const struct fetch *f, struct err *err)
{
	int64_t room = folder_bytes_free(f->folder) - f->spare;
	int64_t wanted = f->total < 0 ? 0 : f->total - f->have;

	if (f->total > f->most)
		return err_code(
			err, -EFBIG, "not_supported",
			"what the cloud offers has %.0f MB, more than %.0f MB are "
			"not taken",
			(double)f->total / 1e6, (double)f->most / 1e6);
	if (wanted < room)
		return 0;
	return err_code(
		err, -ENOSPC, "storage_full",
		"the disk is too full: %.0f MB are to come and %.0f MB to spare are "
		"needed, %.0f MB are free: make room, then restart the task",
		(double)wanted / 1e6, (double)f->spare / 1e6,
		(double)(room + f->spare) / 1e6);
}

/* The rest of what we have, or another thing from its beginning. */
static int take_up(struct fetch *f, const struct http_answer *answer, struct err *err)
{
	bool rest = answer->status == 206;
	int64_t total =
		rest && answer->length >= 0 ? f->have + answer->length : answer->length;

	if (rest && answer->first == f->have && (f->total < 0 || total == f->total)) {
		f->total = total;
		return 0;
	}
	if (start_over(f, err) < 0)
		return -EIO;
	if (rest)
		return err_code(err, -EAGAIN, "task_failed",
				"the server sent another part than was asked for");
	f->total = total;
	snprintf(f->tag, sizeof(f->tag), "%s", answer->tag);
	return f->changed(f) ? -EINTR : 0;
}

static int begin(void *context, const struct http_answer *answer, struct err *err)
{
	struct fetch *f = context;
	int ret;

	if (answer->status == 416 && f->have > 0) {
		ret = start_over(f, err);
		return ret < 0 ? ret
			       : err_code(err, -EAGAIN, "task_failed",
					  "the server has less than was loaded");
	}
	if (answer->status != 200 && answer->status != 206)
		return retry_http_status(answer->status, err);
	ret = take_up(f, answer, err);
	return ret ? ret : check_room(f, err);
}

static int take(void *context, const void *bytes, size_t size, struct err *err)
{
	struct fetch *f = context;
	const char *place = bytes;

	if (f->have + (int64_t)size > f->most)
		return err_code(err, -EFBIG, "not_supported",
				"what the cloud sends does not end after %.0f MB",
				(double)f->most / 1e6);
	while (size > 0) {
		ssize_t n = pwrite(f->fd, place, size, f->have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == ENOSPC || errno == EDQUOT))
			return err_code(
				err, -ENOSPC, "storage_full",
				"the disk is full: make room, then restart the task");
		if (n < 0)
			return err_code(err, -errno, "storage_error", "%s: %s", f->path,
					strerror(errno));
		place += n;
		size -= (size_t)n;
		f->have += n;
	}
	return 0;
}

static int tick(void *context, int64_t sent)
{
	struct fetch *f = context;
	double total = f->total < 0 ? 0 : (double)f->total;
	char rate[TRANSFER_RATE_TEXT], message[TRANSFER_RATE_TEXT + 80];

	(void)sent;
	transfer_rate_add(&f->rate, clock_monotonic_ms(), f->have);
	transfer_rate_text(&f->rate, f->total < 0 ? 0 : f->total - f->have, rate);
	snprintf(message, sizeof(message), "Downloading, %.1f MB so far%s",
		 (double)f->have / 1e6, f->total < 0 ? "" : rate);
	f->host->progress(f->run, (double)f->have, total, message);
	return cancel_requested(f->host->cancel(f->run)) ? -EINTR : 0;
}

/* ---- a try ---- */

static int request(struct fetch *f, struct err *err)
{
	struct http_request request = {
		.method = "GET",
		.follow = true,
		.from = f->have,
		.if_tag = f->tag[0] ? f->tag : NULL,
		.begin = begin,
		.write = take,
		.tick = tick,
		.context = f,
	};
	struct http_answer answer;
	const void *table = NULL;
	const struct http_module *http;
	int ret = module_load(&table, "http", err);

	if (ret == 0)
		ret = account_allows(f->account, f->url, err);
	if (ret < 0)
		return ret;
	http = table;
	account_address(f->account, f->url, &request);
	ret = http->request(&request, &answer, err);
	if (ret == 0 && answer.status / 100 != 2)
		ret = retry_http_status(answer.status, err);
	return ret;
}

/* A link that broke has brought something: then it is no failure in a row. */
static int once(void *context, struct err *err)
{
	struct fetch *f = context;
	int64_t before = f->have;
	int ret;

	if (f->total >= 0 && f->have == f->total)
		return 0;
	ret = request(f, err);
	f->retry->progressed = f->have > before;
	if (ret == 0 && f->total >= 0 && f->have != f->total)
		return err_code(err, -EAGAIN, "task_failed", "the connection broke");
	return ret;
}

static int open_file(struct fetch *f, struct err *err)
{
	struct stat st;

	f->fd = folder_open_file(f->folder, f->path, O_RDWR | O_CREAT, err);
	if (f->fd < 0)
		return f->fd;
	if (fstat(f->fd, &st) < 0)
		return err_code(err, -errno, "storage_error", "%s: %s", f->path,
				strerror(errno));
	f->have = st.st_size;
	/* Without what it is a part of, nobody can tell what follows on it. */
	return f->have > 0 && f->total < 0 && !f->tag[0] ? start_over(f, err) : 0;
}

int fetch_all(struct fetch *f)
{
	struct retry retry = {
		.host = f->host,
		.run = f->run,
		.what = "the download",
		.once = once,
		.context = f,
	};
	struct err err = {0};
	int ret = open_file(f, &err);

	f->retry = &retry;
	if (ret == 0)
		ret = retry_run(&retry);
	else
		ret = f->host->explain(f->run, err.code, err.text);
	if (ret == 0 && fsync(f->fd) < 0) {
		err_code(&err, -errno, "storage_error", "%s: %s", f->path,
			 strerror(errno));
		ret = f->host->explain(f->run, err.code, err.text);
	}
	if (f->fd >= 0)
		close(f->fd);
	f->retry = NULL;
	return ret;
}
