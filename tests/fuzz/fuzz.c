/* Splits inputs, checks conditions and writes temporary files. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/model/error_code.h"

char *input_part(struct input *input, size_t *size)
{
	const uint8_t *end = input->size ? memchr(input->bytes, 0, input->size) : NULL;
	size_t length = end ? (size_t)(end - input->bytes) : input->size;
	char *part = malloc(length + 1);

	if (!part)
		abort();
	if (length)
		memcpy(part, input->bytes, length);
	part[length] = '\0';
	if (size)
		*size = length;
	length += end ? 1 : 0;
	input->bytes += length;
	input->size -= length;
	return part;
}

void must(bool true_, const char *sentence)
{
	if (true_)
		return;
	fprintf(stderr, "not true: %s\n", sentence);
	abort();
}

void must_be_told(const struct err *err, bool with_code)
{
	cJSON *string = cJSON_CreateString(err->text), *again;
	char *text = json_text(string);

	must(err->text[0] != '\0', "an error has a sentence");
	must(!strchr(err->text, '\n'), "a sentence is one line");
	if (with_code)
		must(!strcmp(code_name(code_number(err->code)), err->code),
		     "a code is one of the contract's");
	again = json_parse(text, strlen(text), NULL);
	must(again != NULL, "a sentence can stand in a JSON text");
	cJSON_Delete(again);
	cJSON_Delete(string);
	free(text);
}

const char *fuzz_folder(void)
{
	static char folder[256];
	const char *where = getenv("TMPDIR");

	if (folder[0])
		return folder;
	snprintf(folder, sizeof(folder), "%s/openscan-fuzz-XXXXXX",
		 where ? where : "/tmp");
	if (!mkdtemp(folder))
		abort();
	return folder;
}

const char *fuzz_file(const char *name, const void *bytes, size_t size)
{
	static char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", fuzz_folder(), name);
	file = fopen(path, "we");
	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
		abort();
	return path;
}
