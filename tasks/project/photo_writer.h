/* A thread that reads photos out of the camera, encodes them and writes them to disk
 * while the axes move.
 *
 * One photo is in work at a time and one waits, so memory is bounded, and a slow card
 * slows the scan down.
 *
 * One thread, any, hands photos over and takes the reports. */
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

/* One photo and its paths below the folder. */
struct photo_writer_job {
	int place; /* the caller's number for it, repeated in the report */
	char photo[PHOTO_WRITER_PATH];
	char metadata[PHOTO_WRITER_PATH]; /* written before the photo, "bytes" included */
	enum photo_format format;
	char comment[160]; /* for the photo's EXIF block; may be empty */

	/* The writer owns these from photo_writer_put() on. */
	struct rig_shot *shot; /* the photo, to be read out */
	struct frame *frame;   /* or the photo that was read out already */
	cJSON *details;	       /* the metadata; the frame's and the quality are added */
};

/* The outcome of one job. */
struct photo_writer_report {
	int place;
	int64_t bytes; /* of the photo, which is on disk */
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

/* Finishes the photos in work; reports that were not taken are dropped.  NULL is fine. */
void photo_writer_close(struct photo_writer *writer);

/* Hands a photo over; blocks while another one waits, but never for reports to be taken.
 * On -ENOMEM shot, frame and details are freed as well. */
int photo_writer_put(struct photo_writer *writer, const struct photo_writer_job *job,
		     struct err *err);

/* Takes the oldest report; with wait, blocks until there is one or nothing is in work.
 * False when there is none. */
bool photo_writer_take(struct photo_writer *writer, bool wait,
		       struct photo_writer_report *report);

/* Takes the oldest report, and waits for it until *over is true: set it on any thread,
 * then call photo_writer_wake(). */
bool photo_writer_take_until(struct photo_writer *writer, const atomic_bool *over,
			     struct photo_writer_report *report);
void photo_writer_wake(struct photo_writer *writer);

#endif
