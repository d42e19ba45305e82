/* The problems that a dry run found, as an array [{"code","message"}].  Any thread. */
#ifndef TASKS_CORE_PREFLIGHT_H
#define TASKS_CORE_PREFLIGHT_H

#include <cjson/cJSON.h>

#include "agent/base/err.h"

void preflight_add(cJSON *problems, const struct err *err);

/* For task_estimate.problems: malloc'ed, NULL when there are none. */
char *preflight_text(const cJSON *problems);

/* preflight_text() of a single problem. */
char *preflight_only(const struct err *err);

#endif
