/* Reads the settings and secrets of a cloud target. */
#include "tasks/cloud/endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/json.h"
#include "agent/base/secret_file.h"
#include "tasks/modules/http.h"

#define DEFAULT_TIMEOUT_S 60

/* The setting, or NULL when it is missing or empty. */
static const char *setting(const cJSON *settings, const char *key)
{
	const char *text = json_string(settings, key);

	return text && *text ? text : NULL;
}

static int not_configured(struct err *err, const char *keys)
{
	return err_code(err, -ENOTCONN, "not_supported",
			"cloud is not configured: %s must be set on the machine itself",
			keys);
}

int endpoint_allows(const struct endpoint *endpoint, const char *url, struct err *err)
{
	if (endpoint->allow_http || !strncasecmp(url, "https://", 8))
		return 0;
	return err_code(
		err, -EPERM, "not_supported",
		"the server's address is not https, and photos and passwords do not "
		"travel unencrypted unless cloud.allow_http is set");
}

/* Reads a secret from a file; path may be NULL. */
static int read_secret(char **out, const char *path, const char *what, struct err *err)
{
	struct err why = {0};
	int ret = path ? secret_file_read(out, path, what, &why) : 0;

	return ret < 0 ? err_code(err, ret, "invalid_state", "%s", why.text) : 0;
}

static int read_common(struct endpoint *endpoint, const cJSON *settings, const char *url,
		       struct err *err)
{
	endpoint->allow_http = json_bool(settings, "allow_http", false);
	endpoint->ca_file = setting(settings, "ca_file");
	endpoint->timeout_s =
		(int64_t)json_number(settings, "timeout_s", DEFAULT_TIMEOUT_S);
	endpoint->buffer = strdup(url);
	if (!endpoint->buffer)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t end = strlen(url); end > 0 && url[end - 1] == '/'; end--)
		endpoint->buffer[end - 1] = '\0';
	endpoint->url = endpoint->buffer;
	return endpoint_allows(endpoint, endpoint->url, err);
}

static int copy_token(char **out, const char *token, struct err *err)
{
	*out = strdup(token);
	return *out ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static int read_token(struct endpoint *endpoint, const cJSON *settings, const char *token,
		      struct err *err)
{
	const char *file = setting(settings, "token_file");
	const char *variable = secure_getenv("OPENSCANCLOUD_TOKEN");

	if (token && *token)
		return copy_token(&endpoint->token, token, err);
	if (file)
		return read_secret(&endpoint->token, file, "token", err);
	if (variable && *variable)
		return copy_token(&endpoint->token, variable, err);
	return not_configured(err, "cloud.token_file (or give the argument token)");
}

int endpoint_open_cloud(struct endpoint *endpoint, const cJSON *settings,
			const char *token, struct err *err)
{
	const char *url = setting(settings, "host");
	int ret;

	*endpoint = (struct endpoint){.url = NULL};
	if (!url)
		return not_configured(
			err, "cloud.host, cloud.password_file and cloud.token_file");
	ret = read_common(endpoint, settings, url, err);
	if (ret == 0)
		ret = read_token(endpoint, settings, token, err);
	if (ret == 0)
		ret = read_secret(&endpoint->password, setting(settings, "password_file"),
				  "password", err);
	if (endpoint->password)
		endpoint->user = setting(settings, "user");
	return ret;
}

int endpoint_open_webdav(struct endpoint *endpoint, const cJSON *settings,
			 struct err *err)
{
	const char *url = setting(settings, "webdav_url");
	int ret;

	*endpoint = (struct endpoint){.url = NULL};
	if (!url)
		return not_configured(err, "cloud.webdav_url (and cloud.webdav_user and "
					   "cloud.webdav_password_file for a login)");
	ret = read_common(endpoint, settings, url, err);
	if (ret == 0)
		ret = read_secret(&endpoint->password,
				  setting(settings, "webdav_password_file"), "password",
				  err);
	endpoint->user = setting(settings, "webdav_user");
	return ret;
}

void endpoint_close(struct endpoint *endpoint)
{
	secret_file_free(endpoint->password);
	secret_file_free(endpoint->token);
	secret_file_free(endpoint->buffer);
	*endpoint = (struct endpoint){.url = NULL};
}

void endpoint_fill_request(const struct endpoint *endpoint, const char *url,
			   struct http_request *request)
{
	request->url = url ? url : endpoint->url;
	request->ca_file = endpoint->ca_file;
	request->allow_http = endpoint->allow_http;
	request->timeout_s = endpoint->timeout_s;
	if (url)
		return;
	request->user = endpoint->user;
	request->password = endpoint->password;
}
