/* Writes a place in a value or a schema as a JSON pointer. */
#include "agent/base/schema_node.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/utf8.h"

/* Appends key with ~ written as ~0 and / as ~1 (RFC 6901). */
static void append_key(char *text, size_t size, const char *key)
{
	size_t used = strlen(text);

	for (; *key && used + 3 < size; key++) {
		if (*key == '~' || *key == '/') {
			text[used++] = '~';
			text[used++] = *key == '~' ? '0' : '1';
		} else {
			text[used++] = *key;
		}
	}
	text[used] = '\0';
}

void schema_place_text(const struct schema_place *here, const char *at, char *text,
		       size_t size)
{
	char index[24];

	if (!here) {
		snprintf(text, size, "%s", at);
		return;
	}
	schema_place_text(here->up, at, text, size);
	if (strlen(text) + 1 < size)
		strcat(text, "/");
	snprintf(index, sizeof(index), "%zu", here->index);
	append_key(text, size, here->key ? here->key : index);
	utf8_trim(text);
}
