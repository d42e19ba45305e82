/* Runs sh and openssl in the test's folder. */
#include "tests/support/script.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/world.h"

#define SCRIPT_MS 30000

void run_script(struct world *w, const char *script)
{
	struct child child = {0};
	const char *argv[] = {"/bin/sh", "-ec",
			      quoted(w, "cd '%s'; %s", w->folder.path, script), NULL};

	/* quoted() replaces ' by ". */
	if (child_start(&child, argv, NULL, below(w, "script.log")) < 0 ||
	    !child_wait(&child, deadline_patient(SCRIPT_MS)) || child.status != 0)
		fail_msg("the script failed: %s",
			 file_read(below(w, "script.log"), NULL));
}

#define NEW_KEY                                                                          \
	"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "     \
	"-days 2 "

void make_authority(struct world *w, const char *name)
{
	run_script(w, quoted(w, NEW_KEY "-subj '/CN=%s' -keyout %s.key -out %s.pem", name,
			     name, name));
}

void make_certificate(struct world *w, const char *name, const char *authority,
		      const char *names)
{
	run_script(w, quoted(w,
			     NEW_KEY
			     "-CA %s.pem -CAkey %s.key -subj '/CN=%s' "
			     "-addext basicConstraints=CA:FALSE "
			     "-addext 'subjectAltName=%s' -keyout %s.key -out %s.pem",
			     authority, authority, name, names, name, name));
}

size_t count_of(const char *path, const char *part)
{
	char *text = file_read(path, NULL);
	size_t n = 0;

	for (char *found = text; found && (found = strstr(found, part)); found++)
		n++;
	free(text);
	return n;
}

void wait_count(const char *path, const char *part, size_t n)
{
	int64_t until = deadline_now() + deadline_patient(SOON_MS);

	while (count_of(path, part) < n) {
		if (deadline_now() > until)
			fail_msg("%s never had %zu times %s", path, n, part);
		deadline_let_pass(5);
	}
}

void wait_gone(const char *path, const char *part)
{
	int64_t until = deadline_now() + deadline_patient(SOON_MS);

	while (count_of(path, part) > 0) {
		if (deadline_now() > until)
			fail_msg("%s still has %s", path, part);
		deadline_let_pass(5);
	}
}

void assert_nowhere(const char *path, const char *part)
{
	size_t size = 0;
	char *bytes = file_read(path, &size);

	assert_non_null(bytes);
	assert_null(memmem(bytes, size, part, strlen(part)));
	free(bytes);
}
