/* The file of the simulated motors' true counts. */
#include "hal/sim/ground_truth.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/mmap_file.h"

#define TRUTH_MAGIC "osctru1"
#define TRUTH_NAME 65

struct ground_truth_axis {
	char name[TRUTH_NAME]; /* "" where it is free */
	_Atomic int64_t count;
};

struct ground_truth_page {
	char magic[8];
	_Atomic uint64_t shutters;
	struct ground_truth_axis axes[GROUND_TRUTH_AXES];
};

struct ground_truth {
	struct ground_truth_page *page;
	bool is_new;
	struct ground_truth_axis *axes[GROUND_TRUTH_AXES]; /* by number */
};

static int ground_truth_create(struct ground_truth *truth, const char *path,
			       struct err *err)
{
	static const struct ground_truth_page empty = {.magic = TRUTH_MAGIC};
	void *map;
	int ret = mmap_file_create(&map, path, &empty, sizeof(empty), err);

	if (ret < 0)
		return ret;
	truth->page = map;
	truth->is_new = true;
	return 0;
}

static int ground_truth_map(struct ground_truth *truth, const char *path, struct err *err)
{
	void *map = NULL;
	int ret = mmap_file_open(&map, path, sizeof(*truth->page), err);

	if (ret == -ENOENT)
		return ground_truth_create(truth, path, err);
	if (ret < 0 && ret != -EBADMSG)
		return ret;
	truth->page = map;
	if (map &&
	    memcmp(truth->page->magic, TRUTH_MAGIC, sizeof(truth->page->magic)) == 0)
		return 0;

	mmap_file_close(map, sizeof(*truth->page));
	truth->page = NULL;
	ret = mmap_file_set_aside(path, "it is no file of true positions", err);
	return ret < 0 ? ret : ground_truth_create(truth, path, err);
}

static struct ground_truth_axis *ground_truth_axis(struct ground_truth_page *page,
						   const char *name)
{
	for (size_t i = 0; i < GROUND_TRUTH_AXES; i++)
		if (strcmp(page->axes[i].name, name) == 0)
			return &page->axes[i];
	return NULL;
}

static int ground_truth_add(struct ground_truth *truth, size_t i, const char *name,
			    int64_t count, struct err *err)
{
	struct ground_truth_axis *axis = ground_truth_axis(truth->page, name);

	if (!axis) {
		axis = ground_truth_axis(truth->page, "");
		if (!axis)
			return err_set(err, -ENOSPC, "there is no room for the motor %s",
				       name);
		axis->count = count;
		snprintf(axis->name, sizeof(axis->name), "%s", name);
	}
	truth->axes[i] = axis;
	return 0;
}

int ground_truth_open(struct ground_truth **out, const char *path,
		      const char *const *names, const int64_t *counts, size_t n,
		      struct err *err)
{
	struct ground_truth *truth = calloc(1, sizeof(*truth));
	int ret;

	if (!truth)
		return err_set(err, -ENOMEM, "out of memory");
	ret = ground_truth_map(truth, path, err);
	for (size_t i = 0; ret == 0 && i < n; i++)
		ret = ground_truth_add(truth, i, names[i], counts[i], err);
	if (ret < 0)
		goto fail;

	*out = truth;
	return 0;
fail:
	ground_truth_close(truth);
	return ret;
}

void ground_truth_close(struct ground_truth *truth)
{
	if (!truth)
		return;
	mmap_file_close(truth->page, sizeof(*truth->page));
	free(truth);
}

bool ground_truth_is_new(const struct ground_truth *truth)
{
	return truth->is_new;
}

int64_t ground_truth_count(const struct ground_truth *truth, size_t axis)
{
	return atomic_load_explicit(&truth->axes[axis]->count, memory_order_relaxed);
}

void ground_truth_step(struct ground_truth *truth, size_t axis, int sign)
{
	atomic_fetch_add_explicit(&truth->axes[axis]->count, sign, memory_order_release);
}

uint64_t ground_truth_next_shutter(struct ground_truth *truth)
{
	return atomic_fetch_add(&truth->page->shutters, 1) + 1;
}
