/* Reads a password or a token from a file. */
#ifndef AGENT_BASE_SECRET_FILE_H
#define AGENT_BASE_SECRET_FILE_H

#include "agent/base/err.h"

#define SECRET_FILE_MAX 1024

/* Reads the first line of the file, called what ("password") in sentences.
 *
 * A file that anybody but its owner may read, or that belongs neither to root nor to the
 * user of this process, is refused with -EACCES before anything is read.  A sentence
 * never repeats the content of the file.  Free *out with secret_file_free(); it is
 * unchanged when this fails.  Any thread; waits for the disk. */
int secret_file_read(char **out, const char *path, const char *what, struct err *err);

/* Overwrites the secret and frees it; NULL is fine. */
void secret_file_free(char *secret);

#endif
