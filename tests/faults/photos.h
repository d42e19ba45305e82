/* The photos that the scans of a run left on disk. */
#ifndef TESTS_FAULTS_PHOTOS_H
#define TESTS_FAULTS_PHOTOS_H

#include "tests/faults/database.h"

/* Violations are photos of completed scans that are missing, broken, superfluous or in
 * the wrong order, and exposures without a photo. */
void photos_check(struct fault_run *run, const struct database *database);

#endif
