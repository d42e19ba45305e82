/* The module "http": one HTTP request, by libcurl. */
#ifndef TASKS_MODULES_HTTP_H
#define TASKS_MODULES_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

#define HTTP_TAG 128

/* What the server said before its body. */
struct http_answer {
	int status;	    /* 200, 404, … */
	int64_t length;	    /* of the body, -1 when the server does not say */
	int64_t first;	    /* of a part (206): where it begins, else -1 */
	char tag[HTTP_TAG]; /* names this version of the content (ETag), "" for none */
};

/* All texts stay the caller's.  Each function of the caller answers 0, or what ends the
 * request with that answer. */
struct http_request {
	const char *method; /* "GET" "POST" "PUT" */
	const char *url;
	const char *user, *password; /* NULL: without a login */
	const char *ca_file;	     /* NULL: whom the system trusts */
	bool allow_http;	     /* beside https */
	bool follow;	    /* the server may send us elsewhere, without the login */
	const char *type;   /* Content-Type of what is sent, NULL for nothing */
	int64_t size;	    /* of what is sent */
	int64_t from;	    /* only what is there from this byte on; 0: all */
	const char *if_tag; /* … if it still has this tag; NULL: anyhow */
	int64_t timeout_s;  /* without a byte that moves */

	void *context;
	int (*read)(void *context, int64_t offset, void *bytes, size_t size,
		    struct err *err); /* what is sent; NULL for nothing */
	int (*begin)(void *context, const struct http_answer *answer,
		     struct err *err); /* before the first write(); NULL is fine */
	int (*write)(void *context, const void *bytes, size_t size, struct err *err);
	int (*tick)(void *context, int64_t sent); /* ten times a second and more */
};

struct http_module {
	/* 0 when the server answered, with whatever status.  -EAGAIN when the network
	 * failed and another try may help, -EPROTO when the certificate or the address is
	 * wrong. */
	int (*request)(const struct http_request *request, struct http_answer *answer,
		       struct err *err);
};

extern const struct http_module module_http;

#endif
