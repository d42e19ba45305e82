/* Calls OpenScan's cloud API and decodes its download links. */
#include "tasks/cloud/cloud_api.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/cancel.h"
#include "agent/base/json.h"
#include "agent/base/module.h"
#include "agent/base/secret_file.h"
#include "tasks/cloud/endpoint.h"
#include "tasks/cloud/retry.h"
#include "tasks/modules/http.h"

#define ANSWER_BYTES (1 << 20)
#define NESTED_LINKS_MAX 3

/* A response being received. */
struct reply {
	char *text;
	size_t size;
	struct cancel *cancel;
};

static int append(void *context, const void *bytes, size_t size, struct err *err)
{
	struct reply *reply = context;
	char *grown;

	if (reply->size + size > ANSWER_BYTES)
		return err_code(err, -EFBIG, "task_failed",
				"the server's answer is too long");
	grown = realloc(reply->text, reply->size + size);
	if (!grown)
		return err_set(err, -ENOMEM, "out of memory");
	memcpy(grown + reply->size, bytes, size);
	reply->text = grown;
	reply->size += size;
	return 0;
}

static int tick(void *context, int64_t sent)
{
	struct reply *reply = context;

	(void)sent;
	return cancel_requested(reply->cancel) ? -EINTR : 0;
}

/* ---- the address ---- */

static char *put_escaped(char *to, const char *text)
{
	static const char plain[] = "-._~";
	static const char digits[] = "0123456789ABCDEF";

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || strchr(plain, c)) {
			*to++ = (char)c;
			continue;
		}
		*to++ = '%';
		*to++ = digits[c >> 4];
		*to++ = digits[c & 15];
	}
	*to = '\0';
	return to;
}

static char *put_value(char *to, char before, const char *key, const char *value)
{
	*to++ = before;
	to = put_escaped(to, key);
	*to++ = '=';
	return put_escaped(to, value);
}

/* The caller frees it; it contains the token. */
static char *address(const struct endpoint *endpoint, const char *name,
		     const struct cloud_api_param *values, size_t n)
{
	size_t size =
		strlen(endpoint->url) + strlen(name) + 3 * strlen(endpoint->token) + 16;
	char *url, *to;

	for (size_t i = 0; i < n; i++)
		size += 3 * (strlen(values[i].key) + strlen(values[i].value)) + 2;
	url = malloc(size);
	if (!url)
		return NULL;
	to = url + sprintf(url, "%s/%s", endpoint->url, name);
	to = put_value(to, '?', "token", endpoint->token);
	for (size_t i = 0; i < n; i++)
		to = put_value(to, '&', values[i].key, values[i].value);
	return url;
}

/* ---- the call ---- */

static int read_reply(const struct reply *reply, cJSON **answer, struct err *err)
{
	struct err why = {0};
	cJSON *json = json_parse(reply->text ? reply->text : "", reply->size, &why);

	if (!cJSON_IsObject(json)) {
		cJSON_Delete(json);
		return err_code(
			err, -EBADMSG, "task_failed",
			"the server's answer is no JSON object: is cloud.host the "
			"address of OpenScan's cloud?");
	}
	*answer = json;
	return 0;
}

int cloud_api_call(const struct endpoint *endpoint, struct cancel *cancel,
		   const char *name, const struct cloud_api_param *values, size_t n,
		   cJSON **answer, struct err *err)
{
	struct reply reply = {.cancel = cancel};
	struct http_request request = {
		.method = "GET", .write = append, .tick = tick, .context = &reply};
	struct http_answer status;
	const void *table = NULL;
	const struct http_module *http;
	char *url = NULL;
	int ret = module_load(&table, "http", err);

	if (ret < 0)
		return ret;
	http = table;
	endpoint_fill_request(endpoint, NULL, &request);
	request.url = url = address(endpoint, name, values, n);
	if (!url)
		return err_set(err, -ENOMEM, "out of memory");
	ret = http->request(&request, &status, err);
	if (ret == 0 && status.status / 100 != 2)
		ret = retry_http_status(status.status, err);
	if (ret == 0)
		ret = read_reply(&reply, answer, err);
	secret_file_free(url);
	free(reply.text);
	return ret;
}

/* ---- links ---- */

/* Does the host name of this address contain part? */
static bool host_has(const char *link, const char *part)
{
	const char *host = strstr(link, "://");
	size_t length, size = strlen(part);

	host = host ? host + 3 : link;
	length = strcspn(host, "/?#:");
	for (size_t i = 0; i + size <= length; i++)
		if (!strncasecmp(host + i, part, size))
			return true;
	return false;
}

/* The beginning of the key's value in the query, or NULL. */
static const char *query_value(const char *link, const char *key)
{
	size_t length = strlen(key);
	const char *at = strchr(link, '?');

	for (; at; at = strpbrk(at, "&")) {
		at++;
		if (!strncmp(at, key, length) && at[length] == '=')
			return at + length + 1;
	}
	return NULL;
}

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static char *unescaped(const char *value)
{
	size_t length = strcspn(value, "&#");
	char *text = malloc(length + 1), *to = text;

	for (size_t i = 0; text && i < length; i++) {
		if (value[i] == '%' && i + 2 < length &&
		    isxdigit((unsigned char)value[i + 1]) &&
		    isxdigit((unsigned char)value[i + 2])) {
			*to++ = (char)(digit(value[i + 1]) * 16 + digit(value[i + 2]));
			i += 2;
		} else {
			*to++ = value[i] == '+' ? ' ' : value[i];
		}
	}
	if (text)
		*to = '\0';
	return text;
}

/* The link with dl=1 in its query, replacing any other dl. */
static char *dropbox_file(const char *link)
{
	const char *dl = query_value(link, "dl");
	char *url = malloc(strlen(link) + sizeof("&dl=1"));

	if (!url)
		return NULL;
	if (dl)
		sprintf(url, "%.*s1%s", (int)(dl - link), link, dl + strcspn(dl, "&#"));
	else
		sprintf(url, "%s%sdl=1", link, strchr(link, '?') ? "&" : "?");
	return url;
}

char *cloud_api_download_link(const char *link)
{
	char *url = strdup(link);

	for (int deep = 0; url && deep < NESTED_LINKS_MAX && host_has(url, "openscan");
	     deep++) {
		const char *id = query_value(url, "id");
		char *inner = id ? unescaped(id) : NULL;

		if (!inner || !strstr(inner, "://")) {
			free(inner);
			break;
		}
		free(url);
		url = inner;
	}
	if (url && host_has(url, "dropbox.com")) {
		char *file = dropbox_file(url);

		free(url);
		url = file;
	}
	return url;
}
