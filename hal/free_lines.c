/* Reads and checks the config key free_lines. */
#include "hal/free_lines.h"

#include <errno.h>
#include <stdio.h>

static void free_lines_add_problem(cJSON *problems, const char *sentence)
{
	cJSON_AddItemToArray(problems, cJSON_CreateString(sentence));
}

static void free_lines_add(struct free_lines *free_lines, const cJSON *item,
			   const char *owner, cJSON *problems)
{
	char text[192];

	if (!owner) {
		free_lines->lines[item->valueint] = true;
		return;
	}
	snprintf(text, sizeof(text), "free_lines: %d is not free: %s has it",
		 item->valueint, owner);
	free_lines_add_problem(problems, text);
}

void free_lines_read(struct free_lines *free_lines, const cJSON *config,
		     const char *(*owner)(const void *context, unsigned line),
		     const void *context, cJSON *problems)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(config, "free_lines");
	const cJSON *item;

	if (list && !cJSON_IsNull(list) && !cJSON_IsArray(list))
		free_lines_add_problem(problems,
				       "free_lines must be a list of numbers of lines");
	cJSON_ArrayForEach(item, list) {
		if (!cJSON_IsNumber(item) || item->valuedouble != item->valueint ||
		    item->valueint < 0 || item->valueint >= FREE_LINES_COUNT)
			free_lines_add_problem(problems,
					       "free_lines: each must be 0 to 63");
		else
			free_lines_add(free_lines, item,
				       owner(context, (unsigned)item->valueint),
				       problems);
	}
}

int free_lines_check(const struct free_lines *free_lines, int line, struct err *err)
{
	char list[FREE_LINES_COUNT * 4] = "none";
	size_t used = 0;

	if (line >= 0 && line < FREE_LINES_COUNT && free_lines->lines[line])
		return 0;
	for (int i = 0; i < FREE_LINES_COUNT; i++)
		if (free_lines->lines[i])
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%d",
						 used ? ", " : "", i);
	return err_code(err, -EINVAL, "invalid_args",
			"line %d is not free for this (the device config frees: %s)",
			line, list);
}
