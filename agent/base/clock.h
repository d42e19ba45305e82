/* The two clocks of the machine and the one way times are written. */
#ifndef AGENT_BASE_CLOCK_H
#define AGENT_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_TEXT 25 /* "2026-11-24T03:12:00.000Z" and its NUL */

/* Milliseconds that only grow; what durations and deadlines are measured with. */
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_ns(void);

/* Milliseconds since 1970, as far as anybody told this machine; for people only. */
int64_t clock_wall_ms(void);

/* RFC 3339 in UTC with milliseconds. */
void clock_text(int64_t wall_ms, char text[CLOCK_TEXT]);

#endif
