#include "tasks/core/preflight.h"

#include "agent/base/json.h"

void problems_add(cJSON *problems, const struct err *err)
{
	cJSON *problem = cJSON_CreateObject();

	json_put_string(problem, "code", err->code);
	json_put_string(problem, "message", err->text);
	cJSON_AddItemToArray(problems, problem);
}

char *problems_text(const cJSON *problems)
{
	return cJSON_GetArraySize(problems) ? json_text(problems) : NULL;
}

char *problems_only(const struct err *err)
{
	cJSON *problems = cJSON_CreateArray();
	char *text;

	problems_add(problems, err);
	text = problems_text(problems);
	cJSON_Delete(problems);
	return text;
}
