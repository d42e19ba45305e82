/* Where to send and how to log in: the settings cloud.* of one target, and the secrets
 * that they name.  Each run reads them again, so a corrected setting takes effect at the
 * next try. */
#ifndef TASKS_CLOUD_ENDPOINT_H
#define TASKS_CLOUD_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"

struct http_request;

struct endpoint {
	const char *url;  /* without a trailing slash; points into buffer */
	const char *user; /* NULL: no login */
	const char *ca_file;
	char *password, *token; /* NULL: none */
	bool allow_http;
	int64_t timeout_s;

	char *buffer; /* Private. */
};

/* OpenScan's cloud.  The argument token takes precedence over the token file, and that
 * over the environment.  "not_supported", naming the settings, when some are missing;
 * errors of the secrets' files as in secret_file_read().  settings must outlive the
 * endpoint, which must be closed even after an error. */
int endpoint_open_cloud(struct endpoint *endpoint, const cJSON *settings,
			const char *token, struct err *err);

/* A WebDAV folder. */
int endpoint_open_webdav(struct endpoint *endpoint, const cJSON *settings,
			 struct err *err);

/* Overwrites the secrets.  A zeroed endpoint is fine. */
void endpoint_close(struct endpoint *endpoint);

/* Fills in the members that all requests to this endpoint share.  With url NULL the
 * address is the endpoint's and the login is sent; with another url, which the server
 * gave us, the login is not. */
void endpoint_fill_request(const struct endpoint *endpoint, const char *url,
			   struct http_request *request);

/* -EPERM for an address that is not https, unless cloud.allow_http is set. */
int endpoint_allows(const struct endpoint *endpoint, const char *url, struct err *err);

#endif
