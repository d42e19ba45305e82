/* What the fuzzers share: splitting an input, conditions that must hold, and a temporary
 * folder. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

/* Called by libFuzzer for each input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The rest of an input. */
struct input {
	const uint8_t *bytes;
	size_t size;
};

/* Takes the bytes before the next NUL, or all; *size may be NULL. Returns a NUL-
 * terminated copy for the caller to free. */
char *input_part(struct input *input, size_t *size);

/* Aborts unless the condition is true; libFuzzer reports that as a finding. */
void must(bool true_, const char *sentence);

/* Checks that an error can be sent: it has a code of the contract (where one is needed)
 * and a sentence that is valid in JSON. */
void must_be_told(const struct err *err, bool with_code);

/* A folder for this process, created at the first call. */
const char *fuzz_folder(void);

/* Writes the file name in that folder; returns its path, valid until the next call. */
const char *fuzz_file(const char *name, const void *bytes, size_t size);

#endif
