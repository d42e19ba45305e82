/* The module "http": HTTP requests by libcurl. */
#ifndef TASKS_MODULES_HTTP_H
#define TASKS_MODULES_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

#define HTTP_TAG 128

/* The response up to its body. */
struct http_answer {
	int status;	    /* 200, 404, … */
	int64_t length;	    /* of the body, or -1 if unknown */
	int64_t first;	    /* the first byte of a partial response (206), else -1 */
	char tag[HTTP_TAG]; /* a strong ETag, or "" */
};

/* All strings remain the caller's.  Each callback returns 0, or another value to end the
 * request with it. */
struct http_request {
	const char *method; /* "GET" "POST" "PUT" */
	const char *url;
	const char *user, *password; /* NULL: no login */
	const char *ca_file;	     /* NULL: the system's certificates */
	bool allow_http;	     /* besides https */
	bool follow;		     /* redirects, to other hosts without the login */
	const char *type;	     /* Content-Type of the request's body, or NULL */
	int64_t size;		     /* of the request's body */
	int64_t from;		     /* Range: from this byte on; 0: everything */
	const char *if_tag; /* If-Range: only if it still has this ETag; may be NULL */
	int64_t timeout_s;  /* without any byte sent or received */

	void *context;
	int (*read)(void *context, int64_t offset, void *bytes, size_t size,
		    struct err *err); /* reads the request's body; may be NULL */
	int (*begin)(void *context, const struct http_answer *answer,
		     struct err *err); /* before the first write(); may be NULL */
	int (*write)(void *context, const void *bytes, size_t size, struct err *err);
	int (*tick)(void *context, int64_t sent); /* at least ten times a second */
};

struct http_module {
	/* 0 when there was a response, with any status.  -EAGAIN for a network failure,
	 * when another try may help; -EPROTO for a bad certificate or address. */
	int (*request)(const struct http_request *request, struct http_answer *answer,
		       struct err *err);
};

extern const struct http_module module_http;

#endif
