/* How soon a command is accepted while a community task behaves as badly as it can. */
#ifndef TESTS_BENCH_ABUSE_H
#define TESTS_BENCH_ABUSE_H

#include "tests/bench/figure.h"

/* With a broker and an agent of its own; the time in quiet stands beside each figure.  0,
 * or -1 when it could not be measured (the reason is on standard error). */
int abuse_measure(struct figures *figures, const char *agent);

#endif
