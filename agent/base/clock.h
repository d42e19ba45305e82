/* The monotonic clock, the wall clock, and the format of timestamps. */
#ifndef AGENT_BASE_CLOCK_H
#define AGENT_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_TEXT 25 /* "2026-11-24T03:12:00.000Z" and its NUL */

/* Only grow; for durations and deadlines. */
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_ns(void);

/* Milliseconds since 1970 if the clock is set; to be shown to people, never compared. */
int64_t clock_wall_ms(void);

/* RFC 3339 in UTC with milliseconds. */
void clock_text(int64_t wall_ms, char text[CLOCK_TEXT]);

#endif
