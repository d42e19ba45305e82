/* Reads photos out of the camera, encodes them and writes them to disk on a thread of its
 * own, so that the axes can move meanwhile.
 *
 * One photo is in work at a time and one waits, so memory is bounded: a slow card slows
 * the scan down.
 *
 * One thread hands photos over and takes the reports; it may be any. */
#ifndef TASKS_PROJECT_PHOTO_WRITER_H
#define TASKS_PROJECT_PHOTO_WRITER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"

#include "tasks/capture/photo_format.h"
#include "tasks/capture/quality.h"

struct photo_writer;
struct folder;
struct frame;
struct rig_shot; /* hal/rig.h */

#define PHOTO_WRITER_PATH 512

/* One photo and where it goes, below the folder. */
struct photo_writer_job {
	int place; /* the caller's, comes back in the report */
	char photo[PHOTO_WRITER_PATH];
	char metadata[PHOTO_WRITER_PATH]; /* written before the photo, with its size as
					   * "bytes"
					   */
	enum photo_format format;
	char comment[160]; /* for the photo's EXIF block; may be empty */
	struct rig_shot
		*shot;	     /* to be read out; the writer's from photo_writer_put() on */
	struct frame *frame; /* or this, which is read out already; the writer's too */
	cJSON *details;	     /* what metadata shall say; the writer's too.  It adds what
			      * the frame says of itself and how good the photo is */
};

/* What became of it. */
struct photo_writer_report {
	int place;
	int64_t bytes; /* of the photo, which is on disk now */
	void *preview; /* a small JPEG, to be freed; NULL when it failed */
	size_t preview_size;
	struct quality quality;
	int width, height;	   /* pixels */
	double focal_px, focal_mm; /* as of the frame */
	bool unread;		   /* err is the camera's: it gave no photo */
	struct err err;		   /* number 0: all is well */
};

/* folder must outlive the writer. */
int photo_writer_open(struct photo_writer **out, const struct folder *folder,
		      struct err *err);

/* Finishes what is in work; reports that nobody took are dropped.  NULL is fine. */
void photo_writer_close(struct photo_writer *writer);

/* Hands a photo over; waits while there is one that waits, not for reports to be taken.
 * -ENOMEM: shot, frame and details are freed all the same. */
int photo_writer_put(struct photo_writer *writer, const struct photo_writer_job *job,
		     struct err *err);

/* Takes the oldest report.  wait: until there is one, or nothing is in work any more.
 * False when there is none. */
bool photo_writer_take(struct photo_writer *writer, bool wait,
		       struct photo_writer_report *report);

/* The same, waiting, but no longer than *enough is false; whoever sets it calls
 * photo_writer_wake(), from any thread. */
bool photo_writer_take_until(struct photo_writer *writer, const atomic_bool *enough,
			     struct photo_writer_report *report);
void photo_writer_wake(struct photo_writer *writer);

#endif
