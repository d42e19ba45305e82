/* Checks the argument "project" of a task. */
#include "tasks/core/project_argument.h"

#include <stdio.h>

#include "agent/base/json.h"
#include "tasks/project/project.h"

int project_argument_check(const struct task_type *type, const char *text,
			   struct task_problem *problem)
{
	cJSON *args = cJSON_Parse(text);
	const char *project = json_string(args, "project");
	struct err err = {0};
	int ret = project ? project_name_check(project, &err) : 0;

	(void)type;
	if (ret < 0) {
		snprintf(problem->path, sizeof(problem->path), "/project");
		snprintf(problem->sentence, sizeof(problem->sentence), "%.500s",
			 err.text);
	}
	cJSON_Delete(args);
	return ret < 0 ? -1 : 0;
}
