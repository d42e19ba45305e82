/* What a test does with a shell: keys and certificates; and looking into files. */
#ifndef TESTS_SUPPORT_SCRIPT_H
#define TESTS_SUPPORT_SCRIPT_H

#include <stddef.h>

struct world;

/* Runs a script in the test's folder; it must end well. */
void run_script(struct world *w, const char *script);

/* An authority: <name>.pem and <name>.key. */
void make_authority(struct world *w, const char *name);

/* A certificate that the authority signed, for these names ("DNS:localhost"). */
void make_certificate(struct world *w, const char *name, const char *authority,
		      const char *names);

/* How often the file holds part. */
size_t count_of(const char *path, const char *part);

/* Waits until it holds part n times. */
void wait_count(const char *path, const char *part, size_t n);

/* Waits until it holds part no more. */
void wait_gone(const char *path, const char *part);

/* The file is there and does not hold part. */
void assert_nowhere(const char *path, const char *part);

#endif
