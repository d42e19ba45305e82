/* Shell scripts, keys and certificates for tests, and searching in files. */
#ifndef TESTS_SUPPORT_SCRIPT_H
#define TESTS_SUPPORT_SCRIPT_H

#include <stddef.h>

struct world;

/* Runs a script in the test's folder; it must succeed. */
void run_script(struct world *w, const char *script);

/* Makes an authority: <name>.pem and <name>.key. */
void make_authority(struct world *w, const char *name);

/* Makes a certificate that the authority has signed, for these names
 * ("DNS:localhost"). */
void make_certificate(struct world *w, const char *name, const char *authority,
		      const char *names);

/* The number of times that the file contains part. */
size_t count_of(const char *path, const char *part);

/* Waits until it contains part n times. */
void wait_count(const char *path, const char *part, size_t n);

/* Waits until it does not contain part. */
void wait_gone(const char *path, const char *part);

/* Asserts that the file exists and does not contain part. */
void assert_nowhere(const char *path, const char *part);

#endif
