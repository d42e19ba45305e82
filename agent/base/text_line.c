#include "agent/base/text_line.h"

#include <stddef.h>
#include <string.h>

#include "agent/base/json.h"

#define CHARACTER_MAX 4 /* bytes */

/* The bytes of the character that text begins with, 0 for none. */
static size_t character(const char *text, size_t length)
{
	for (size_t n = 1; n <= CHARACTER_MAX && n <= length; n++)
		if (json_utf8(text, n))
			return n;
	return 0;
}

static bool begins_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0xc0;
}

void line_tidy(char *text)
{
	size_t length = strlen(text), n;

	for (size_t at = 0; at < length; at += n) {
		n = character(text + at, length - at);
		if (!n && begins_character(text[at]) && length - at < CHARACTER_MAX) {
			text[at] = '\0';
			return;
		}
		if (!n)
			text[at] = '?';
		else if ((unsigned char)text[at] < ' ' || text[at] == 0x7f)
			text[at] = ' ';
		n = n ? n : 1;
	}
}
