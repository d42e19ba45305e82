/* What a run's scans left on disk. */
#ifndef TESTS_FAULTS_PHOTOS_H
#define TESTS_FAULTS_PHOTOS_H

#include "tests/faults/database.h"

/* Blames photos of completed scans that are missing, broken, too many or out of order,
 * and exposures that nobody needed. */
void photos_check(struct fault_run *run, const struct ledger *ledger);

#endif
