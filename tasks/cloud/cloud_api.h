/* One call of OpenScan's cloud: a GET with parameters that is answered in JSON. */
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

/* The token goes along.  *answer is an object, the caller deletes it.  Errors as of an
 * retry's once(); no sentence repeats the address or what the server said. */
int cloud_api_call(const struct endpoint *endpoint, struct cancel *cancel,
		   const char *name, const struct cloud_api_param *values, size_t n,
		   cJSON **answer, struct err *err);

/* The address to load from, for what the cloud gives as one: a link of its own names
 * another in its query, Dropbox wants to be asked for the file and not for its page.
 * malloc'ed; NULL when memory is out. */
char *cloud_api_download_link(const char *link);

#endif
