/* What must be true of a run when all has ended: each sentence that is not is blamed. */
#ifndef TESTS_LOAD_VERDICT_H
#define TESTS_LOAD_VERDICT_H

#include "tests/load/ordeal.h"

/* The agent has been stopped; the broker and the client are still there. */
void verdict_give(struct ordeal *ordeal);

#endif
