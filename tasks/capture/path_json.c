/* Writes a path as JSON and reads it back. */
#include "tasks/capture/path_json.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/base/json.h"

#define KEY 40

static const char *key(char text[KEY], const char *name, const char *suffix)
{
	snprintf(text, KEY, "%s%s", name, suffix);
	return text;
}

static cJSON *point_json(const struct path_point *point, size_t step, double radius,
			 const char *suffix)
{
	cJSON *json = cJSON_CreateObject(), *polar, *cartesian;
	double xyz[3];
	char name[KEY];

	path_cartesian(point, radius, xyz);
	cJSON_AddNumberToObject(json, "execution_step", (double)step);
	cJSON_AddNumberToObject(json, "original_step", point->index);
	polar = cJSON_AddObjectToObject(json, key(name, "polar", suffix));
	cJSON_AddNumberToObject(polar, "theta", point->theta);
	cJSON_AddNumberToObject(polar, "fi", point->fi);
	cJSON_AddNumberToObject(polar, "r", radius);
	cartesian = cJSON_AddObjectToObject(json, key(name, "cartesian", suffix));
	cJSON_AddNumberToObject(cartesian, "x", xyz[0]);
	cJSON_AddNumberToObject(cartesian, "y", xyz[1]);
	cJSON_AddNumberToObject(cartesian, "z", xyz[2]);
	return json;
}

cJSON *path_json(const struct path_point *points, size_t n, double radius,
		 const char *suffix)
{
	cJSON *json = cJSON_CreateArray();

	for (size_t i = 0; i < n; i++)
		cJSON_AddItemToArray(json, point_json(&points[i], i, radius, suffix));
	return json;
}

static bool read_point(const cJSON *json, const char *suffix, struct path_point *point)
{
	char name[KEY];
	const cJSON *polar =
		cJSON_GetObjectItemCaseSensitive(json, key(name, "polar", suffix));
	double index = json_number(json, "original_step", -1);

	point->theta = json_number(polar, "theta", NAN);
	point->fi = json_number(polar, "fi", NAN);
	if (!(index >= 0 && index < PATH_MAX_POINTS) || isnan(point->theta) ||
	    isnan(point->fi))
		return false;
	point->index = (int)index;
	return true;
}

/* Each index may occur once: a second photo of the same index would overwrite the first.
 */
static bool read_points(const cJSON *json, const char *suffix, struct path_point *points)
{
	bool seen[PATH_MAX_POINTS] = {false};
	const cJSON *item;
	size_t n = 0;

	cJSON_ArrayForEach(item, json) {
		struct path_point *point = &points[n++];

		if (!read_point(item, suffix, point) || seen[point->index])
			return false;
		seen[point->index] = true;
	}
	return n > 0;
}

int path_json_read(const cJSON *json, const char *suffix, const char *name,
		   struct path_point **points, size_t *n, double *radius, struct err *err)
{
	int count = cJSON_IsArray(json) ? cJSON_GetArraySize(json) : 0;
	struct path_point *list = NULL;
	char polar[KEY];

	if (count > 0 && count <= PATH_MAX_POINTS)
		list = calloc((size_t)count, sizeof(*list));
	if (!list || !read_points(json, suffix, list)) {
		free(list);
		return err_code(err, -EBADMSG, "bad_json",
				"%s is damaged: it holds no path", name);
	}
	*radius =
		json_number(cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(json, 0),
							     key(polar, "polar", suffix)),
			    "r", 1);
	*points = list;
	*n = (size_t)count;
	return 0;
}
