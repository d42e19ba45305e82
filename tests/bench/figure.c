/* Prints figures as a table, and writes them as JSON. */
#include "tests/bench/figure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "tests/support/folder.h"

void figures_add(struct figures *figures, const struct figure *figure)
{
	if (figures->count == sizeof(figures->list) / sizeof(figures->list[0]))
		abort(); /* the table is too small */
	figures->list[figures->count++] = *figure;
}

static bool missed(const struct figure *figure)
{
	return (figure->aim == AIM_AT_MOST && figure->value > figure->target) ||
	       (figure->aim == AIM_AT_LEAST && figure->value < figure->target);
}

static void print_target(const struct figure *figure)
{
	char text[48] = "";

	if (figure->aim != AIM_NONE)
		snprintf(text, sizeof(text), "%s %.3g",
			 figure->aim == AIM_AT_MOST ? "<=" : ">=", figure->target);
	printf(" %-11s", text);
}

static void print_row(const struct figure *figure)
{
	printf("%-46s %9.3f %-9s", figure->name, figure->value, figure->unit);
	print_target(figure);
	if (figure->baseline_name)
		printf(" %9.3f %s", figure->baseline, figure->baseline_name);
	if (missed(figure))
		printf("  MISSED, %.2f times the target", figure->value / figure->target);
	printf("\n");
}

size_t figures_print(const struct figures *figures)
{
	size_t count = 0, targets = 0;

	printf("%-46s %9s %-9s %-11s %9s\n", "what", "value", "unit", "target",
	       "baseline");
	for (size_t i = 0; i < figures->count; i++) {
		print_row(&figures->list[i]);
		count += missed(&figures->list[i]);
		targets += figures->list[i].aim != AIM_NONE;
	}
	printf("%zu of %zu targets missed\n", count, targets);
	return count;
}

static cJSON *figure_json(const struct figure *figure)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "name", figure->name);
	cJSON_AddStringToObject(json, "unit", figure->unit);
	cJSON_AddNumberToObject(json, "value", figure->value);
	if (figure->aim != AIM_NONE) {
		cJSON_AddStringToObject(
			json, "aim", figure->aim == AIM_AT_MOST ? "at most" : "at least");
		cJSON_AddNumberToObject(json, "target", figure->target);
		cJSON_AddBoolToObject(json, "missed", missed(figure));
	}
	if (figure->baseline_name) {
		cJSON_AddStringToObject(json, "baseline_name", figure->baseline_name);
		cJSON_AddNumberToObject(json, "baseline", figure->baseline);
	}
	return json;
}

int figures_write(const struct figures *figures, const char *path)
{
	cJSON *list = cJSON_CreateArray();
	char *text;
	int ret;

	for (size_t i = 0; i < figures->count; i++)
		cJSON_AddItemToArray(list, figure_json(&figures->list[i]));
	text = cJSON_Print(list);
	ret = text ? file_write(path, text, strlen(text)) : -ENOMEM;
	cJSON_free(text);
	cJSON_Delete(list);
	return ret;
}
