/* Checks the photos of a run against the log of the simulated shutter. */
#include "tests/faults/photos.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/faults/command.h"

/* One in the camera, one waiting for the writer, one being written. */
#define LOST_IN_A_KILL 3

#define SCANS_MAX 9 /* of one command: a broker that forgot may deliver it again */

/* One line of the simulated shutter's log. */
struct exposure {
	int64_t wall_ms;
	bool kept; /* its photo is on disk */
};

struct exposure_log {
	struct exposure *exposures;
	size_t count;
};

static int64_t parse_time(const char *text)
{
	struct tm tm = {0};
	int ms = 0;

	if (sscanf(text, "%d-%d-%dT%d:%d:%d.%dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms) != 7)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return (int64_t)timegm(&tm) * 1000 + ms;
}

static void exposure_log_read(struct exposure_log *log, const struct fault_run *run)
{
	char path[PATH_MAX + 32], *text, *rest = NULL;
	size_t room = 1;

	memset(log, 0, sizeof(*log));
	snprintf(path, sizeof(path), "%s/sim/shutter.log", run->device.state_dir);
	text = file_read(path, NULL);
	for (const char *c = text; c && *c; c++)
		room += *c == '\n';
	log->exposures = calloc(room, sizeof(*log->exposures));
	if (!log->exposures)
		abort();
	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest))
		log->exposures[log->count++].wall_ms = parse_time(line);
	free(text);
}

/* Notes that the exposure of that time has a photo; false when there was no such
 * exposure. */
static bool exposure_log_match(struct exposure_log *log, int64_t wall_ms)
{
	for (size_t i = 0; i < log->count; i++)
		if (log->exposures[i].wall_ms == wall_ms && !log->exposures[i].kept) {
			log->exposures[i].kept = true;
			return true;
		}
	return false;
}

/* An exposure without a photo is allowed when a kill followed immediately. */
static void exposure_log_check(struct fault_run *run, const struct exposure_log *log)
{
	for (size_t i = 0; i < log->count; i++) {
		int64_t killed = INT64_MAX;
		size_t later = 0;

		if (log->exposures[i].kept)
			continue;
		for (size_t k = run->stop_count; k-- > 0;)
			if (run->stops[k].kind == STOP_KILL &&
			    run->stops[k].wall_ms >= log->exposures[i].wall_ms)
				killed = run->stops[k].wall_ms;
		for (size_t k = i + 1; k < log->count; k++)
			later += log->exposures[k].wall_ms <= killed;
		if (killed == INT64_MAX || later >= LOST_IN_A_KILL)
			fault_run_violation(
				run,
				"exposure %zu of the shutter log left no photo, and "
				"no kill explains it",
				i + 1);
	}
}

static cJSON *read_json(const char *path)
{
	char *text = file_read(path, NULL);
	cJSON *json = text ? cJSON_Parse(text) : NULL;

	free(text);
	return json;
}

/* "scan01", which the names of its photos begin with. */
static const char *scan_name(const char *folder)
{
	return strrchr(folder, '/') + 1;
}

/* The time at which a complete photo was taken; -1 with a sentence in why. */
static int64_t photo_check(const char *folder, int index, char why[160])
{
	char path[PATH_MAX + 128], *bytes;
	cJSON *metadata;
	size_t size = 0;
	int64_t taken = -1;
	bool whole;

	snprintf(path, sizeof(path), "%s/%s_%03d.jpg", folder, scan_name(folder), index);
	bytes = file_read(path, &size);
	whole = bytes && size > 200 && memcmp(bytes, "\xff\xd8", 2) == 0 &&
		memcmp(bytes + size - 2, "\xff\xd9", 2) == 0;
	free(bytes);
	snprintf(path, sizeof(path), "%s/metadata/%s_%03d.json", folder,
		 scan_name(folder), index);
	metadata = read_json(path);
	if (!whole)
		snprintf(why, 160, "photo %d is %s", index, bytes ? "torn" : "missing");
	else if (number_of(metadata, "bytes", -1) != (double)size)
		snprintf(why, 160, "photo %d has %zu bytes, its metadata says %.0f",
			 index, size, number_of(metadata, "bytes", -1));
	else
		taken = (int64_t)number_of(cJSON_GetObjectItemCaseSensitive(
						   cJSON_GetObjectItemCaseSensitive(
							   metadata, "camera_metadata"),
						   "raw_metadata"),
					   "taken_at_ms", -1);
	if (whole && taken < 0 && !why[0])
		snprintf(why, 160, "photo %d does not say when it was taken", index);
	cJSON_Delete(metadata);
	return taken;
}

static size_t count_photos(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *file;
	size_t count = 0;

	while (dir && (file = readdir(dir)))
		count += strncmp(file->d_name, scan_name(folder), 6) == 0 &&
			 strstr(file->d_name, ".jpg") != NULL;
	if (dir)
		closedir(dir);
	return count;
}

/* Each point of the stored path has one photo, taken in the order of the path. */
static void scan_check(struct fault_run *run, struct exposure_log *log,
		       const struct task_row *row, const char *folder)
{
	const struct command *command = &run->commands[row->command];
	bool completed = strcmp(row->status, "completed") == 0;
	char path[PATH_MAX + 128];
	const cJSON *points, *point;
	cJSON *json;
	int64_t before = 0;
	size_t there = 0;

	snprintf(path, sizeof(path), "%s/path.json", folder);
	json = read_json(path);
	points = cJSON_GetObjectItemCaseSensitive(json, "points");
	if (completed && cJSON_GetArraySize(points) != command->steps)
		fault_run_violation(run,
				    "scan '%s': %d points in path.json instead of %d",
				    row->id, cJSON_GetArraySize(points), command->steps);
	cJSON_ArrayForEach(point, points) {
		char why[160] = "";
		int64_t taken = photo_check(
			folder, (int)number_of(point, "original_step", -1), why);

		if (taken < 0) {
			if (completed)
				fault_run_violation(run, "scan '%s': %s", row->id, why);
			continue;
		}
		there++;
		if (!exposure_log_match(log, taken))
			fault_run_violation(run, "scan '%s': a photo without an exposure",
					    row->id);
		if (taken < before)
			fault_run_violation(
				run,
				"scan '%s': photo %.0f was taken before the one "
				"that precedes it in path.json",
				row->id, number_of(point, "original_step", -1));
		before = taken;
	}
	if (completed && count_photos(folder) != there)
		fault_run_violation(
			run, "scan '%s': %zu photos in its folder, %zu in its path",
			row->id, count_photos(folder), there);
	cJSON_Delete(json);
}

/* The folder of the scan that this task made, or else the first one of the project. */
static void scan_folder(const struct fault_run *run, const struct task_row *row,
			char *folder, size_t size)
{
	for (int n = 1; n <= SCANS_MAX; n++) {
		char path[PATH_MAX + 128];
		cJSON *scan;
		const cJSON *task;
		bool its;

		snprintf(folder, size, "%s/p%d/scan%02d", run->device.project_dir,
			 row->command, n);
		snprintf(path, sizeof(path), "%s/scan.json", folder);
		if (!file_exists(path))
			break;
		scan = read_json(path);
		task = cJSON_GetObjectItemCaseSensitive(scan, "task_id");
		its = cJSON_IsString(task) && !strcmp(task->valuestring, row->id);
		cJSON_Delete(scan);
		if (its)
			return;
	}
	snprintf(folder, size, "%s/p%d/scan01", run->device.project_dir, row->command);
}

void photos_check(struct fault_run *run, const struct database *database)
{
	struct exposure_log log;

	exposure_log_read(&log, run);
	for (size_t i = 0; i < database->count; i++) {
		const struct task_row *row = &database->tasks[i];
		char folder[PATH_MAX + 64];

		if (row->command < 0 || run->commands[row->command].kind != COMMAND_SCAN)
			continue;
		scan_folder(run, row, folder, sizeof(folder));
		scan_check(run, &log, row, folder);
		snprintf(folder, sizeof(folder), "%s/p%d/scan02", run->device.project_dir,
			 row->command);
		if (file_exists(folder) &&
		    database_tasks_of(database, (size_t)row->command, NULL) == 1)
			fault_run_violation(run, "scan '%s' made a second scan", row->id);
	}
	exposure_log_check(run, &log);
	free(log.exposures);
}
