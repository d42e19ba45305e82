/* A path as a JSON array: its points in visiting order, in degrees and in the unit of the
 * radius.
 *
 * {execution_step, original_step, polar{theta,fi,r}, cartesian{x,y,z}}; OpenScan3 calls
 * the last two so in a scan and with a suffix ("_coordinates") in a run of an external
 * camera. Pure functions; any thread. */
#ifndef TASKS_CAPTURE_PATH_JSON_H
#define TASKS_CAPTURE_PATH_JSON_H

#include <stddef.h>

#include <cjson/cJSON.h>

#include "tasks/capture/path.h"

/* Returns the array; the caller deletes it. */
cJSON *path_json(const struct path_point *points, size_t n, double radius,
		 const char *suffix);

/* Reads it back; the caller frees *points.  -EBADMSG ("bad_json", "x is damaged") when it
 * is not a path: no array, empty, too long, or with a point twice. */
int path_json_read(const cJSON *json, const char *suffix, const char *name,
		   struct path_point **points, size_t *n, double *radius,
		   struct err *err);

#endif
