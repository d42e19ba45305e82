/* What nobody can be faster than on this machine at this time. */
#ifndef TESTS_BENCH_BASELINE_H
#define TESTS_BENCH_BASELINE_H

#include "tests/bench/sample.h"

/* What a command cannot do without: two ways through the broker and a commit. */
struct floor;

/* A client that answers on this broker, a database in folder (WAL, synchronous FULL). */
int floor_open(struct floor **out, int port, const char *folder);
void floor_close(struct floor *floor); /* NULL is fine */

/* Once each: a message to the client that answers and its answer, QoS 1; one row of a
 * kilobyte in a transaction of its own. */
int floor_round(struct floor *floor, struct sample *echo, struct sample *commit);

/* A kilobyte appended to a file in folder, and fdatasync. */
int floor_sync(struct sample *sample, const char *folder, int rounds);

/* Opening a database and looking whether it is whole, as the agent does when it starts.
 */
int floor_start(struct sample *sample, const char *database);

/* 0, with the ms from the connect to the last acknowledgement of that many retained
 * messages of a kilobyte and a half. */
int floor_retained(double *ms, int port, size_t count);

#endif
