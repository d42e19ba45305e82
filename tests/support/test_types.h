/* Task types that let a test see what was run, and how often. */
#ifndef TESTS_SUPPORT_TEST_TYPES_H
#define TESTS_SUPPORT_TEST_TYPES_H

#include "tasks/registry.h"

/* The list ends with a NULL type. */
extern const struct type_offer test_types[];

#endif
