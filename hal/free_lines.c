#include "hal/free_lines.h"

#include <errno.h>
#include <stdio.h>

static void freed_complain(cJSON *problems, const char *sentence)
{
	cJSON_AddItemToArray(problems, cJSON_CreateString(sentence));
}

static void freed_add(struct freed *freed, const cJSON *item, const char *owner,
		      cJSON *problems)
{
	char text[192];

	if (!owner) {
		freed->lines[item->valueint] = true;
		return;
	}
	snprintf(text, sizeof(text), "free_lines: %d is not free: %s has it",
		 item->valueint, owner);
	freed_complain(problems, text);
}

void freed_read(struct freed *freed, const cJSON *config,
		const char *(*owner)(const void *context, unsigned line),
		const void *context, cJSON *problems)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(config, "free_lines");
	const cJSON *item;

	if (list && !cJSON_IsNull(list) && !cJSON_IsArray(list))
		freed_complain(problems, "free_lines must be a list of numbers of lines");
	cJSON_ArrayForEach(item, list) {
		if (!cJSON_IsNumber(item) || item->valuedouble != item->valueint ||
		    item->valueint < 0 || item->valueint >= FREED_LINES)
			freed_complain(problems, "free_lines: each must be 0 to 63");
		else
			freed_add(freed, item, owner(context, (unsigned)item->valueint),
				  problems);
	}
}

int freed_check(const struct freed *freed, int line, struct err *err)
{
	char list[FREED_LINES * 4] = "none";
	size_t used = 0;

	if (line >= 0 && line < FREED_LINES && freed->lines[line])
		return 0;
	for (int i = 0; i < FREED_LINES; i++)
		if (freed->lines[i])
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%d",
						 used ? ", " : "", i);
	return err_code(err, -EINVAL, "invalid_args",
			"line %d is not free for this (the device config frees: %s)",
			line, list);
}
