/* A JSON file that people write by hand, read whole. */
#ifndef SETTINGS_JSON_FILE_H
#define SETTINGS_JSON_FILE_H

#include <cjson/cJSON.h>

#include "agent/base/err.h"

#define DOCUMENT_MAX (1024 * 1024) /* bytes; nobody writes more by hand */

/* The object in the file path; the caller deletes it.  -ENOENT when there is no such
 * file, -EBADMSG when it holds no JSON object, -EFBIG when it is too long, else what
 * reading said; the sentence begins with the path. */
int document_read(cJSON **out, const char *path, struct err *err);

/* The line, from 1, on which the member with this dotted key stands in the file path; 0
 * when nobody can tell.  For sentences: it reads the file again. */
int document_line(const char *path, const char *key);

/* The object in document that holds the dotted key, made when missing; *name becomes the
 * part of key that names the member there.  NULL when memory is out. */
cJSON *document_section(cJSON *document, const char *key, const char **name);

#endif
