#include "tasks/cloud/credentials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/json.h"
#include "agent/base/secret_file.h"
#include "tasks/modules/http.h"

#define USUAL_TIMEOUT_S 60

/* The setting when it is filled in, else NULL. */
static const char *filled(const cJSON *settings, const char *key)
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

int account_allows(const struct account *account, const char *url, struct err *err)
{
	if (account->allow_http || !strncasecmp(url, "https://", 8))
		return 0;
	return err_code(
		err, -EPERM, "not_supported",
		"the server's address is not https, and photos and passwords do not "
		"travel unencrypted unless cloud.allow_http is set");
}

/* A secret of a file; its absence is no error. */
static int read_secret(char **out, const char *path, const char *what, struct err *err)
{
	struct err why = {0};
	int ret = path ? secret_file_read(out, path, what, &why) : 0;

	return ret < 0 ? err_code(err, ret, "invalid_state", "%s", why.text) : 0;
}

static int read_common(struct account *account, const cJSON *settings, const char *url,
		       struct err *err)
{
	account->allow_http = json_bool(settings, "allow_http", false);
	account->ca_file = filled(settings, "ca_file");
	account->timeout_s = (int64_t)json_number(settings, "timeout_s", USUAL_TIMEOUT_S);
	account->address = strdup(url);
	if (!account->address)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t end = strlen(url); end > 0 && url[end - 1] == '/'; end--)
		account->address[end - 1] = '\0';
	account->url = account->address;
	return account_allows(account, account->url, err);
}

static int copy_token(char **out, const char *token, struct err *err)
{
	*out = strdup(token);
	return *out ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static int read_token(struct account *account, const cJSON *settings, const char *token,
		      struct err *err)
{
	const char *file = filled(settings, "token_file");
	const char *variable = secure_getenv("OPENSCANCLOUD_TOKEN");

	if (token && *token)
		return copy_token(&account->token, token, err);
	if (file)
		return read_secret(&account->token, file, "token", err);
	if (variable && *variable)
		return copy_token(&account->token, variable, err);
	return not_configured(err, "cloud.token_file (or give the argument token)");
}

int account_open_cloud(struct account *account, const cJSON *settings, const char *token,
		       struct err *err)
{
	const char *url = filled(settings, "host");
	int ret;

	*account = (struct account){.url = NULL};
	if (!url)
		return not_configured(
			err, "cloud.host, cloud.password_file and cloud.token_file");
	ret = read_common(account, settings, url, err);
	if (ret == 0)
		ret = read_token(account, settings, token, err);
	if (ret == 0)
		ret = read_secret(&account->password, filled(settings, "password_file"),
				  "password", err);
	if (account->password)
		account->user = filled(settings, "user");
	return ret;
}

int account_open_webdav(struct account *account, const cJSON *settings, struct err *err)
{
	const char *url = filled(settings, "webdav_url");
	int ret;

	*account = (struct account){.url = NULL};
	if (!url)
		return not_configured(err, "cloud.webdav_url (and cloud.webdav_user and "
					   "cloud.webdav_password_file for a login)");
	ret = read_common(account, settings, url, err);
	if (ret == 0)
		ret = read_secret(&account->password,
				  filled(settings, "webdav_password_file"), "password",
				  err);
	account->user = filled(settings, "webdav_user");
	return ret;
}

void account_close(struct account *account)
{
	secret_file_free(account->password);
	secret_file_free(account->token);
	secret_file_free(account->address);
	*account = (struct account){.url = NULL};
}

void account_address(const struct account *account, const char *url,
		     struct http_request *request)
{
	request->url = url ? url : account->url;
	request->ca_file = account->ca_file;
	request->allow_http = account->allow_http;
	request->timeout_s = account->timeout_s;
	if (url)
		return;
	request->user = account->user;
	request->password = account->password;
}
