/* A password or a token that stands in a file. */
#ifndef AGENT_BASE_SECRET_FILE_H
#define AGENT_BASE_SECRET_FILE_H

#include "agent/base/err.h"

#define SECRET_FILE_MAX 1024

/* The first line of the file; what names it in sentences ("password").  A file that
 * others than its owner may read, or that belongs neither to root nor to the user of this
 * process, is refused (-EACCES): nothing of it was read then.  The sentence never repeats
 * what the file holds.  Free *out with secret_file_free(); it is NULL or what it was when
 * this fails.  Any thread; waits for the disk. */
int secret_file_read(char **out, const char *path, const char *what, struct err *err);

/* Overwrites and frees it; NULL is fine. */
void secret_file_free(char *secret);

#endif
