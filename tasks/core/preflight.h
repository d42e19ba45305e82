/* What speaks against a task, as dry_run tells it: [{"code","message"}].  Any thread. */
#ifndef TASKS_CORE_PREFLIGHT_H
#define TASKS_CORE_PREFLIGHT_H

#include <cjson/cJSON.h>

#include "agent/base/err.h"

void preflight_add(cJSON *problems, const struct err *err);

/* For task_estimate.problems: malloc'ed, NULL when there are none. */
char *preflight_text(const cJSON *problems);

/* The same of a single one. */
char *preflight_only(const struct err *err);

#endif
