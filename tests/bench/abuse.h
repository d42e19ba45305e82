/* Measures how soon a command is accepted while a community task misbehaves. */
#ifndef TESTS_BENCH_ABUSE_H
#define TESTS_BENCH_ABUSE_H

#include "tests/bench/figure.h"

/* Starts a broker and an agent; each figure has the time without such a task beside it.
 * Returns 0, or -1 with the reason on standard error when it could not be measured. */
int abuse_measure(struct figures *figures, const char *agent);

#endif
