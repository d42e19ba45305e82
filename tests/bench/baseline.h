/* The least time that broker, database and disk need on this machine at this moment. */
#ifndef TESTS_BENCH_BASELINE_H
#define TESTS_BENCH_BASELINE_H

#include "tests/bench/sample.h"

/* What a command needs at least: two trips through the broker and a commit. */
struct baseline;

/* Opens a client that replies on this broker, and a database in folder (WAL, synchronous
 * FULL). */
int baseline_open(struct baseline **out, int port, const char *folder);
void baseline_close(struct baseline *baseline); /* NULL is fine */

/* One of each: a message to that client with its reply, QoS 1; and one row of a kilobyte
 * in a transaction. */
int baseline_round(struct baseline *baseline, struct sample *echo, struct sample *commit);

/* Appends a kilobyte to a file in folder, with fdatasync(). */
int baseline_sync(struct sample *sample, const char *folder, int rounds);

/* Opens a database and runs quick_check, as the agent does when it starts. */
int baseline_start(struct sample *sample, const char *database);

/* Returns 0, with the ms from the connect to the last acknowledgement of count retained
 * messages of 1.5 kilobytes. */
int baseline_retained(double *ms, int port, size_t count);

#endif
