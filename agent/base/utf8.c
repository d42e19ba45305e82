/* UTF-8: validity, and text of others made into one line. */
#include "agent/base/utf8.h"

#include <string.h>

#define CHARACTER_MAX 4 /* bytes */

/* The size of the character at text, 0 when there is no valid one.  Table 3-7 of the
 * Unicode standard: after a few lead bytes the range of the second one is narrower. */
static size_t character_size(const char *bytes, size_t length)
{
	const unsigned char *text = (const unsigned char *)bytes;
	unsigned char lead = text[0];
	unsigned char low = 0x80, high = 0xbf;
	size_t size;

	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		size = 2;
	else if (lead >= 0xe0 && lead <= 0xef)
		size = 3;
	else if (lead >= 0xf0 && lead <= 0xf4)
		size = 4;
	else
		return 0;
	if (lead == 0xe0)
		low = 0xa0;
	if (lead == 0xed)
		high = 0x9f;
	if (lead == 0xf0)
		low = 0x90;
	if (lead == 0xf4)
		high = 0x8f;

	if (length < size || text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

size_t utf8_span(const char *text, size_t length)
{
	size_t at = 0;

	while (at < length && text[at]) {
		size_t size = character_size(text + at, length - at);

		if (!size)
			break;
		at += size;
	}
	return at;
}

bool utf8_valid(const char *text, size_t length)
{
	return utf8_span(text, length) == length;
}

void utf8_trim(char *text)
{
	text[utf8_span(text, strlen(text))] = '\0';
}

static bool begins_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0xc0;
}

void utf8_to_line(char *text)
{
	size_t length = strlen(text), n;

	for (size_t at = 0; at < length; at += n) {
		n = character_size(text + at, length - at);
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
