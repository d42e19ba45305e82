/* Builds the problems of a dry run. */
#include "tasks/core/preflight.h"

#include "agent/base/json.h"

void preflight_add(cJSON *problems, const struct err *err)
{
	cJSON *problem = cJSON_CreateObject();

	json_put_string(problem, "code", err->code);
	json_put_string(problem, "message", err->text);
	cJSON_AddItemToArray(problems, problem);
}

char *preflight_text(const cJSON *problems)
{
	return cJSON_GetArraySize(problems) ? json_text(problems) : NULL;
}

char *preflight_only(const struct err *err)
{
	cJSON *problems = cJSON_CreateArray();
	char *text;

	preflight_add(problems, err);
	text = preflight_text(problems);
	cJSON_Delete(problems);
	return text;
}
