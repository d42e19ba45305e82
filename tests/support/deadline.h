/* How long a test waits before it gives up. */
#ifndef TESTS_SUPPORT_DEADLINE_H
#define TESTS_SUPPORT_DEADLINE_H

#include <stdint.h>

/* What something that should happen at once may take on a busy machine. */
#define SOON_MS 10000

/* Milliseconds that only grow. */
int64_t deadline_now(void);

/* ms times the environment's TEST_PATIENCE (default 1): slow builds need more of it. */
int64_t deadline_patient(int64_t ms);

/* Lets ms pass.  Only for asserting that something does NOT happen meanwhile. */
void deadline_let_pass(int64_t ms);

#endif
