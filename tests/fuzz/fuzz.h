/* What the fuzzers share: parts of an input, sentences about what must not be, a folder
 * of their own. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

/* Called by libFuzzer for each input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What is left of an input. */
struct input {
	const uint8_t *bytes;
	size_t size;
};

/* Takes what stands before the next NUL byte, or all; *size may be NULL.  A copy with a
 * NUL behind it, the caller's to free. */
char *input_part(struct input *input, size_t *size);

/* Ends the process, which libFuzzer takes for a find, unless it is true. */
void must(bool true_, const char *sentence);

/* An error that may be told: a code of the contract (where one is needed) and a sentence
 * that can stand in a JSON text. */
void must_be_told(const struct err *err, bool with_code);

/* A folder for this process alone, made at the first call. */
const char *fuzz_folder(void);

/* Writes the file name in that folder; returns its path, valid until the next call. */
const char *fuzz_file(const char *name, const void *bytes, size_t size);

#endif
