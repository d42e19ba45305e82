/* Sends the parts of an upload. */
#include "tasks/cloud/upload.h"

#include <errno.h>
#include <stdio.h>

#include "agent/base/clock.h"
#include "agent/base/cancel.h"
#include "agent/base/module.h"
#include "tasks/cloud/retry.h"
#include "tasks/modules/http.h"

int64_t upload_part_offset(const struct upload *upload)
{
	return (int64_t)upload->next * upload->split;
}

int64_t upload_part_size(const struct upload *upload)
{
	int64_t left = upload->zip.size - upload_part_offset(upload);

	return left < upload->split ? left : upload->split;
}

int upload_read(void *context, int64_t offset, void *bytes, size_t size, struct err *err)
{
	struct upload *upload = context;
	const struct zip_reader reader = {&upload->photos, photo_set_read};

	return zip_read(&upload->zip, &reader, upload_part_offset(upload) + offset, bytes,
			size, err);
}

int upload_tick(void *context, int64_t sent)
{
	struct upload *upload = context;
	int64_t total = upload_part_offset(upload) + sent;
	char rate[TRANSFER_RATE_TEXT], message[TRANSFER_RATE_TEXT + 64];

	transfer_rate_add(&upload->rate, clock_monotonic_ms(), total);
	transfer_rate_text(&upload->rate, upload->zip.size - total, rate);
	snprintf(message, sizeof(message), "Uploading part %zu of %zu%s",
		 upload->next + 1, upload->parts, rate);
	if (total > upload->reported)
		upload->reported = total;
	upload->host->progress(upload->run, (double)upload->reported,
			       (double)upload->zip.size, message);
	return cancel_requested(upload->host->cancel(upload->run)) ? -EINTR : 0;
}

/* The response's body is ignored. */
static int drop_bytes(void *context, const void *bytes, size_t size, struct err *err)
{
	(void)context;
	(void)bytes;
	(void)size;
	(void)err;
	return 0;
}

int upload_send(struct upload *upload, const char *method, const char *url, bool login,
		struct err *err)
{
	struct http_request request = {
		.method = method,
		.type = "application/octet-stream",
		.size = upload_part_size(upload),
		.read = upload_read,
		.write = drop_bytes,
		.tick = upload_tick,
		.context = upload,
	};
	struct http_answer answer;
	const void *table = NULL;
	const struct http_module *http;
	int ret = module_load(&table, "http", err);

	if (ret == 0)
		ret = endpoint_allows(&upload->endpoint, url, err);
	if (ret < 0)
		return ret;
	http = table;
	endpoint_fill_request(&upload->endpoint, login ? NULL : url, &request);
	request.url = url;
	ret = http->request(&request, &answer, err);
	if (ret == 0 && answer.status / 100 != 2)
		ret = retry_http_status(answer.status, err);
	return ret;
}
