/* A server with the endpoints of OpenScan's cloud and a WebDAV folder, which fails on
 * demand (cloud_server.py).  One at a time; it ends with the test program at the
 * latest. */
#ifndef TESTS_SUPPORT_CLOUD_H
#define TESTS_SUPPORT_CLOUD_H

#include <stdbool.h>
#include <stddef.h>

struct world;

#define CLOUD_TOKEN "token-0123456789" /* the token that it accepts */

/* Starts it, with TLS and a certificate of the authority <folder>/ca.pem if asked for,
 * and writes the files of secrets. */
void cloud_start(struct world *w, bool tls);

/* The URL of the server. */
const char *cloud_url(struct world *w);

/* The cloud.* settings of an agent that uses it; more: additional members
 * ("'split_size':5000"). */
const char *cloud_settings(struct world *w, const char *more);

/* A path below the server's folder. */
const char *cloud_path(struct world *w, const char *name);

/* Sets the model that it offers, by a line of Python that fills the archive z. */
void cloud_model(struct world *w, const char *line);
#define CLOUD_MODEL /* of three files and 3 MB */                                        \
	"z.writestr('mesh/model.obj', random.randbytes(3000000))\n"                      \
	"z.writestr('mesh/texture.jpg', random.randbytes(20000))\n"                      \
	"z.writestr('readme \xc3\xa4.txt', 'hello')\n"                                   \
	"z.writestr('empty/', '')"

/* Creates the project "cup" as uploaded in cup-1.zip; to be called before the agent
 * starts. */
void cloud_uploaded_cup(struct world *w);

/* Starts the download of its model as task id. */
void cloud_download(struct world *w, const char *id);

/* Sets its faults from now on: "part status 503\npart slow 1000\n". */
void cloud_faults(struct world *w, const char *faults);

/* The number of requests whose log line begins with part: "part ok 200". */
size_t cloud_requests(struct world *w, const char *part);
void cloud_wait_requests(struct world *w, const char *part, size_t n);

#endif
