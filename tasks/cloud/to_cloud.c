/* Uploads to OpenScan's cloud: a call creates the project and returns a link for each
 * part, a POST sends each part, and a call starts the processing. */
#include <errno.h>
#include <stdio.h>

#include "agent/base/json.h"
#include "tasks/cloud/cloud_api.h"
#include "tasks/cloud/upload.h"
#include "tasks/services.h"

static int open_cloud(struct upload *u, const char *token, struct err *err)
{
	return endpoint_open_cloud(&u->endpoint, u->host->services->cloud, token, err);
}

static struct cancel *cancel_of(const struct upload *u)
{
	return u->host->cancel(u->run);
}

/* Uses the links only if there is one for each part. */
static int take_links(struct upload *u, const cJSON *answer, struct err *err)
{
	const cJSON *links = cJSON_GetObjectItemCaseSensitive(answer, "ulink"), *link;
	int n = cJSON_IsArray(links) ? cJSON_GetArraySize(links) : 0;

	cJSON_ArrayForEach(link, links)
		if (!cJSON_IsString(link))
			n = 0;
	if (n != (int)u->parts)
		return err_code(err, -EBADMSG, "task_failed",
				"the cloud gave %d places to upload to instead of %zu", n,
				u->parts);
	cJSON_Delete(u->links);
	u->links = cJSON_Duplicate(links, true);
	return u->links ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static int create(void *context, struct err *err)
{
	struct upload *u = context;
	char photos[24], size[24], parts[24];
	const struct cloud_api_param values[] = {
		{"photos", photos},
		{"filesize", size},
		{"parts", parts},
		{"project", u->remote},
	};
	cJSON *answer = NULL;
	int ret;

	snprintf(photos, sizeof(photos), "%zu", u->photos.count);
	snprintf(size, sizeof(size), "%lld", (long long)u->zip.size);
	snprintf(parts, sizeof(parts), "%zu", u->parts);
	ret = cloud_api_call(&u->endpoint, cancel_of(u), "createProject", values, 4,
			     &answer, err);
	if (ret == 0)
		ret = take_links(u, answer, err);
	cJSON_Delete(answer);
	return ret;
}

static int send_part(void *context, struct err *err)
{
	struct upload *u = context;
	const cJSON *link = cJSON_GetArrayItem(u->links, (int)u->next);

	return upload_send(u, "POST", link->valuestring, false, err);
}

static int start(void *context, struct err *err)
{
	struct upload *u = context;
	const struct cloud_api_param values[] = {{"project", u->remote}};
	cJSON *answer = NULL;
	int ret = cloud_api_call(&u->endpoint, cancel_of(u), "startProject", values, 1,
				 &answer, err);

	cJSON_Delete(answer);
	return ret;
}

const struct upload_target upload_to_cloud = {
	.name = "openscancloud",
	.open = open_cloud,
	.create = create,
	.part = send_part,
	.finish = start,
};
