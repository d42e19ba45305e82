/* Encodes photos and writes them to disk on a thread of its own, so that the axes can
 * move meanwhile.
 *
 * One photo is in work at a time and none waits: with the one that the camera takes
 * meanwhile there are never more than two in memory.  A slow card slows the scan down.
 *
 * One thread hands photos over and takes the reports; it may be any. */
#ifndef TASKS_WRITER_H
#define TASKS_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"

struct writer;
struct folder;
struct frame;

#define WRITER_PATH 512

/* One photo and where it goes, below the folder. */
struct writer_job {
	int place; /* the caller's, comes back in the report */
	char photo[WRITER_PATH];
	char metadata[WRITER_PATH]; /* written before the photo, with its size as "bytes"
				     */
	struct frame *frame;	    /* the writer's from writer_put() on */
	cJSON *details;		    /* what metadata shall say; the writer's too */
};

/* What became of it. */
struct writer_report {
	int place;
	int64_t bytes; /* of the photo, which is on disk now */
	void *preview; /* a small JPEG, to be freed; NULL when it failed */
	size_t preview_size;
	struct err err; /* number 0: all is well */
};

/* folder must outlive the writer. */
int writer_open(struct writer **out, const struct folder *folder, struct err *err);

/* Finishes what is in work; reports that nobody took are dropped.  NULL is fine. */
void writer_close(struct writer *writer);

/* Hands a photo over; waits until the one before is done, not for its report to be taken.
 * -ENOMEM: frame and details are freed all the same. */
int writer_put(struct writer *writer, const struct writer_job *job, struct err *err);

/* Takes the oldest report.  wait: until there is one, or nothing is in work any more.
 * False when there is none. */
bool writer_take(struct writer *writer, bool wait, struct writer_report *report);

#endif
