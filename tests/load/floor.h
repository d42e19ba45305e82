/* What nobody can be faster than on this machine at this time. */
#ifndef TESTS_LOAD_FLOOR_H
#define TESTS_LOAD_FLOOR_H

#include "tests/load/sample.h"

/* A message to a client that answers, and the answer: both by the broker, QoS 1. */
int floor_echo(struct sample *sample, int port, int rounds);

/* One row of a kilobyte in a transaction of its own: WAL, synchronous FULL, in folder. */
int floor_commit(struct sample *sample, const char *folder, int rounds);

/* A kilobyte appended to a file in folder, and fdatasync. */
int floor_sync(struct sample *sample, const char *folder, int rounds);

/* Opening a database and looking whether it is whole, as the agent does when it starts.
 */
int floor_open(struct sample *sample, const char *database);

/* 0, with the ms from the connect to the last acknowledgement of that many retained
 * messages of a kilobyte and a half. */
int floor_retained(double *ms, int port, size_t count);

#endif
