/* The checks at the end of a run; each one that fails is a violation. */
#ifndef TESTS_FAULTS_CHECKS_H
#define TESTS_FAULTS_CHECKS_H

#include "tests/faults/fault_run.h"

/* To be called when the agent has been stopped; the broker and the client still run. */
void checks_run(struct fault_run *run);

#endif
