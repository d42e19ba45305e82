/* Where things go and who we are there: the settings cloud.* of one target, and the
 * secrets that they name.  Read anew by each run, so what is mended works at the next
 * try. */
#ifndef TASKS_CLOUD_CREDENTIALS_H
#define TASKS_CLOUD_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"

struct http_request;

struct account {
	const char *url;  /* without a slash at its end; the account's */
	const char *user; /* NULL: without a login */
	const char *ca_file;
	char *password, *token; /* NULL without one */
	bool allow_http;
	int64_t timeout_s;

	char *address; /* url is its beginning */
};

/* OpenScan's cloud; token wins over the token's file and that over the environment.
 * "not_supported" naming the keys when the settings lack something; the secrets' files as
 * secret_file_read() says.  settings and token stay the caller's. */
int account_open_cloud(struct account *account, const cJSON *settings, const char *token,
		       struct err *err);

/* A WebDAV folder. */
int account_open_webdav(struct account *account, const cJSON *settings, struct err *err);

/* Overwrites the secrets; a cleared account is fine. */
void account_close(struct account *account);

/* Fills in what every request to this account has, the address too unless url is NULL:
 * then it goes to an address that the server gave us, without the login. */
void account_address(const struct account *account, const char *url,
		     struct http_request *request);

/* Without cloud.allow_http nothing goes to an address that is not https. */
int account_allows(const struct account *account, const char *url, struct err *err);

#endif
