/* The trace of a history, line by line, and its first violation. */
#ifndef TESTS_SIMULATION_TRACE_H
#define TESTS_SIMULATION_TRACE_H

#include <stdbool.h>
#include <stdint.h>

extern bool tracing;

/* Hashes the lines of the trace, to check that a seed always gives the same history. */
extern bool trace_summing;
uint64_t trace_sum(void); /* of the latest history */

/* Begins a history without violations. */
void trace_begin(uint64_t seed);

/* Sets the turn and the monotonic time of the following lines. */
void trace_at(int turn, int64_t now);

/* Prints one line to stdout when tracing. */
void trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The agent broke the contract.  The first violation of a history is kept. */
void violation(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *first_violation(void); /* NULL while there is none */

#endif
