/* Finds the focus batches of a scan on disk. */
#include "tasks/project/focus_batch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tasks/project/folder.h"

static int check(const struct scan *scan, struct err *err)
{
	if (scan_stacks(scan) < 2)
		return err_code(err, -EINVAL, "invalid_state",
				"scan %d of '%s' has one photo at each point, nothing to "
				"stack: scan with focus_stacks of 2 or more",
				scan_index(scan), scan_project(scan));
	if (scan_format(scan) != PHOTO_FORMAT_JPEG)
		return err_code(err, -EINVAL, "invalid_state",
				"the photos of scan %d of '%s' are %s; only jpeg can be "
				"stacked",
				scan_index(scan), scan_project(scan),
				photo_format_name(scan_format(scan)));
	return 0;
}

static int count_photos(const struct scan *scan, const struct folder *folder, int index)
{
	char path[SCAN_PATH];
	int there = 0;

	for (int i = 0; i < scan_stacks(scan); i++) {
		scan_photo_path(scan, (struct scan_photo){index, i}, path);
		there += folder_file_size(folder, path) > 0;
	}
	return there;
}

static int by_index(const void *a, const void *b)
{
	const struct focus_batch *x = a, *y = b;

	return x->index - y->index;
}

int focus_batches_find(struct focus_batch **out, size_t *count, const struct scan *scan,
		       const struct folder *folder, struct err *err)
{
	size_t n, found = 0;
	const struct path_point *points = scan_points(scan, &n);
	struct focus_batch *batches;
	int ret = check(scan, err);

	if (ret < 0)
		return ret;
	batches = calloc(n, sizeof(*batches));
	if (!batches)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		int photos = count_photos(scan, folder, points[i].index);

		if (photos > 0)
			batches[found++] = (struct focus_batch){points[i].index, photos};
	}
	if (!found) {
		free(batches);
		return err_code(err, -ENOENT, "not_found",
				"scan %d of '%s' has no photos to stack yet",
				scan_index(scan), scan_project(scan));
	}
	qsort(batches, found, sizeof(*batches), by_index);
	*out = batches;
	*count = found;
	return 0;
}

void focus_batch_output(const struct scan *scan, int index, char name[SCAN_PATH])
{
	snprintf(name, SCAN_PATH, "stacked/stacked_scan%02d_%03d.jpg", scan_index(scan),
		 index);
}

void focus_batch_calibration(const struct scan *scan, char name[SCAN_PATH])
{
	snprintf(name, SCAN_PATH, "stacked/calibration_scan%02d.json", scan_index(scan));
}
