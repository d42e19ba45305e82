/* A JSON file of settings or devices, which people write by hand too. */
#ifndef SETTINGS_JSON_FILE_H
#define SETTINGS_JSON_FILE_H

#include <cjson/cJSON.h>

#include "agent/base/err.h"

#define JSON_FILE_MAX (1024 * 1024) /* bytes; nobody writes more by hand */

/* Reads the object in the file path; the caller deletes it.  -ENOENT if there is no such
 * file, -EBADMSG if it holds no JSON object, -EFBIG if it is too long, else the error of
 * reading; the sentence begins with the path. */
int json_file_read(cJSON **out, const char *path, struct err *err);

/* The line, from 1, of the member with this dotted key in the file path; 0 if it cannot
 * be found.  For error sentences: it reads the file again. */
int json_file_line(const char *path, const char *key);

/* The object in document that holds the dotted key, added if missing; *name becomes the
 * part of key that names the member in it.  NULL when out of memory. */
cJSON *json_file_section(cJSON *document, const char *key, const char **name);

/* Writes changes (dotted keys; null removes a key) into the file path, created if
 * missing. After a crash the file is the old one or the new one, whole.  Only its owner
 * can read it, since an address may hold a password. */
int json_file_change(const char *path, const cJSON *changes, struct err *err);

#endif
