#include "tests/faults/photos.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/faults/command.h"

/* One in the camera, one that waits for the writer, one on its way to the disk. */
#define LOST_IN_A_KILL 3

/* One line of the simulated shutter's log. */
#define SCANS_MAX 9 /* of one order: a broker that forgot may deliver it again */

struct exposure {
	int64_t wall_ms;
	bool kept; /* its photo is on disk */
};

struct roll {
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

static void roll_read(struct roll *roll, const struct fault_run *run)
{
	char path[PATH_MAX + 32], *text, *rest = NULL;
	size_t room = 1;

	memset(roll, 0, sizeof(*roll));
	snprintf(path, sizeof(path), "%s/sim/shutter.log", run->device.state_dir);
	text = file_read(path, NULL);
	for (const char *c = text; c && *c; c++)
		room += *c == '\n';
	roll->exposures = calloc(room, sizeof(*roll->exposures));
	if (!roll->exposures)
		abort();
	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest))
		roll->exposures[roll->count++].wall_ms = parse_time(line);
	free(text);
}

/* The exposure of that time now has its photo; false when there was none. */
static bool roll_keep(struct roll *roll, int64_t wall_ms)
{
	for (size_t i = 0; i < roll->count; i++)
		if (roll->exposures[i].wall_ms == wall_ms && !roll->exposures[i].kept) {
			roll->exposures[i].kept = true;
			return true;
		}
	return false;
}

/* An exposure without a photo is excused by the kill that came right after it. */
static void roll_check(struct fault_run *run, const struct roll *roll)
{
	for (size_t i = 0; i < roll->count; i++) {
		int64_t killed = INT64_MAX;
		size_t later = 0;

		if (roll->exposures[i].kept)
			continue;
		for (size_t k = run->stop_count; k-- > 0;)
			if (run->stops[k].kind == STOP_KILL &&
			    run->stops[k].wall_ms >= roll->exposures[i].wall_ms)
				killed = run->stops[k].wall_ms;
		for (size_t k = i + 1; k < roll->count; k++)
			later += roll->exposures[k].wall_ms <= killed;
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

/* "scan01": what the names of its photos begin with. */
static const char *scan_name(const char *folder)
{
	return strrchr(folder, '/') + 1;
}

/* The moment of a photo that is on disk and whole; -1 with a sentence in why. */
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

/* Each point of the stored path in its order, each photo once. */
static void scan_check(struct fault_run *run, struct roll *roll,
		       const struct entry *entry, const char *folder)
{
	const struct order *order = &run->orders[entry->order];
	bool completed = strcmp(entry->status, "completed") == 0;
	char path[PATH_MAX + 128];
	const cJSON *points, *point;
	cJSON *json;
	int64_t before = 0;
	size_t there = 0;

	snprintf(path, sizeof(path), "%s/path.json", folder);
	json = read_json(path);
	points = cJSON_GetObjectItemCaseSensitive(json, "points");
	if (completed && cJSON_GetArraySize(points) != order->steps)
		fault_run_violation(run,
				    "scan '%s': %d points in path.json instead of %d",
				    entry->id, cJSON_GetArraySize(points), order->steps);
	cJSON_ArrayForEach(point, points) {
		char why[160] = "";
		int64_t taken = photo_check(
			folder, (int)number_of(point, "original_step", -1), why);

		if (taken < 0) {
			if (completed)
				fault_run_violation(run, "scan '%s': %s", entry->id, why);
			continue;
		}
		there++;
		if (!roll_keep(roll, taken))
			fault_run_violation(run, "scan '%s': a photo without an exposure",
					    entry->id);
		if (taken < before)
			fault_run_violation(
				run,
				"scan '%s': photo %.0f was taken before the one "
				"that precedes it in path.json",
				entry->id, number_of(point, "original_step", -1));
		before = taken;
	}
	if (completed && count_photos(folder) != there)
		fault_run_violation(
			run, "scan '%s': %zu photos in its folder, %zu in its path",
			entry->id, count_photos(folder), there);
	cJSON_Delete(json);
}

/* The folder of the scan that this task made; the first one when there is none of it. */
static void scan_folder(const struct fault_run *run, const struct entry *entry,
			char *folder, size_t size)
{
	for (int n = 1; n <= SCANS_MAX; n++) {
		char path[PATH_MAX + 128];
		cJSON *scan;
		const cJSON *task;
		bool its;

		snprintf(folder, size, "%s/p%d/scan%02d", run->device.project_dir,
			 entry->order, n);
		snprintf(path, sizeof(path), "%s/scan.json", folder);
		if (!file_exists(path))
			break;
		scan = read_json(path);
		task = cJSON_GetObjectItemCaseSensitive(scan, "task_id");
		its = cJSON_IsString(task) && !strcmp(task->valuestring, entry->id);
		cJSON_Delete(scan);
		if (its)
			return;
	}
	snprintf(folder, size, "%s/p%d/scan01", run->device.project_dir, entry->order);
}

void photos_check(struct fault_run *run, const struct ledger *ledger)
{
	struct roll roll;

	roll_read(&roll, run);
	for (size_t i = 0; i < ledger->count; i++) {
		const struct entry *entry = &ledger->entries[i];
		char folder[PATH_MAX + 64];

		if (entry->order < 0 || run->orders[entry->order].kind != ORDER_SCAN)
			continue;
		scan_folder(run, entry, folder, sizeof(folder));
		scan_check(run, &roll, entry, folder);
		snprintf(folder, sizeof(folder), "%s/p%d/scan02", run->device.project_dir,
			 entry->order);
		if (file_exists(folder) &&
		    ledger_of_order(ledger, (size_t)entry->order, NULL) == 1)
			fault_run_violation(run, "scan '%s' made a second scan",
					    entry->id);
	}
	roll_check(run, &roll);
	free(roll.exposures);
}
