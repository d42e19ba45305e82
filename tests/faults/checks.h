/* What must be true of a run when all has ended: each sentence that is not is blamed. */
#ifndef TESTS_FAULTS_CHECKS_H
#define TESTS_FAULTS_CHECKS_H

#include "tests/faults/fault_run.h"

/* The agent has been stopped; the broker and the client are still there. */
void verdict_give(struct fault_run *run);

#endif
