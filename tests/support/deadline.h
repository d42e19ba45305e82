/* How long a test waits before it gives up. */
#ifndef TESTS_SUPPORT_DEADLINE_H
#define TESTS_SUPPORT_DEADLINE_H

#include <stdint.h>

/* The time limit for something that should happen at once, on a busy machine. */
#define SOON_MS 10000

/* Monotonic time in milliseconds. */
int64_t deadline_now(void);

/* ms multiplied by the environment variable TEST_PATIENCE (default 1), for slow
 * builds. */
int64_t deadline_patient(int64_t ms);

/* Sleeps for ms.  Only for asserting that something does NOT happen. */
void deadline_let_pass(int64_t ms);

#endif
