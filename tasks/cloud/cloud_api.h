/* Calls of OpenScan's cloud API: a GET request with parameters, answered in JSON. */
#ifndef TASKS_CLOUD_CLOUD_API_H
#define TASKS_CLOUD_CLOUD_API_H

#include <stddef.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"

struct endpoint;
struct cancel;

struct cloud_api_param {
	const char *key, *value;
};

/* Adds the token to the parameters.  *answer becomes an object, which the caller deletes.
 * Errors are those of a retry's once(); no sentence contains the address or the server's
 * response. */
int cloud_api_call(const struct endpoint *endpoint, struct cancel *cancel,
		   const char *name, const struct cloud_api_param *values, size_t n,
		   cJSON **answer, struct err *err);

/* The address to download from, for a link returned by the cloud: the cloud's own links
 * contain another one in their query, and Dropbox needs dl=1 for the file instead of its
 * page.  The caller frees it.  NULL when out of memory. */
char *cloud_api_download_link(const char *link);

#endif
