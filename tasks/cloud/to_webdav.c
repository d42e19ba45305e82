/* Uploads to a WebDAV folder by a PUT for each part.  An archive of one part is
 * <name>.zip; of several, <name>.zip.001 and so on, as programs that join them expect. An
 * incomplete PUT is overwritten by the next try. */
#include <stdio.h>

#include "tasks/cloud/upload.h"
#include "tasks/services.h"

static int open_webdav(struct upload *u, const char *token, struct err *err)
{
	(void)token;
	return endpoint_open_webdav(&u->endpoint, u->host->services->cloud, err);
}

static int do_nothing(void *context, struct err *err)
{
	(void)context;
	(void)err;
	return 0;
}

static int put_part(void *context, struct err *err)
{
	struct upload *u = context;
	char url[4096];
	int length = snprintf(url, sizeof(url), "%s/%s", u->endpoint.url, u->remote);

	if (u->parts > 1 && length < (int)sizeof(url))
		snprintf(url + length, sizeof(url) - (size_t)length, ".%03zu",
			 u->next + 1);
	return upload_send(u, "PUT", url, true, err);
}

const struct upload_target upload_to_webdav = {
	.name = "webdav",
	.open = open_webdav,
	.create = do_nothing,
	.part = put_part,
	.finish = do_nothing,
};
