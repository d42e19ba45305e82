/* Text of others in a line of ours. */
#ifndef AGENT_BASE_TEXT_LINE_H
#define AGENT_BASE_TEXT_LINE_H

/* Makes one line of UTF-8 of it, in place: a control character becomes a space, a byte
 * that is no UTF-8 a question mark, and what was cut within a character loses the rest of
 * it. */
void line_tidy(char *text);

#endif
