/* What a history says of itself: its trace, line by line, and the first promise it saw
 * broken. */
#ifndef TESTS_SIMULATION_TRACE_H
#define TESTS_SIMULATION_TRACE_H

#include <stdbool.h>
#include <stdint.h>

extern bool tracing;

/* Sums up what a trace would say, to see that a seed gives one history only. */
extern bool trace_summing;
uint64_t trace_sum(void); /* of the history that was played last */

/* A new history begins: nothing is broken yet. */
void trace_begin(uint64_t seed);

/* The turn and the monotonic time that the lines after this belong to. */
void trace_at(int turn, int64_t now);

/* One line on stdout when tracing. */
void trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A promise of the contract was broken.  The first of a history is kept. */
void broken(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *broken_promise(void); /* NULL while all is well */

#endif
