/* Checks UTF-8, and makes untrusted text safe to embed. */
#ifndef AGENT_BASE_UTF8_H
#define AGENT_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* How many bytes from the start are valid UTF-8 without U+0000. */
size_t utf8_span(const char *text, size_t length);

/* Is all of text valid UTF-8 without U+0000? */
bool utf8_valid(const char *text, size_t length);

/* Ends text before its first byte that is not UTF-8: repairs a text that snprintf() cut
 * within a character. */
void utf8_trim(char *text);

/* Makes text one line of UTF-8, in place, so that it can be part of a log or error line:
 * a control character becomes a space, a byte that is not UTF-8 a question mark, and a
 * character that was cut at the end is removed. */
void utf8_to_line(char *text);

#endif
