/* The photo writer: a queue of one photo and the thread that empties it. */
#include "tasks/project/photo_writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/frame.h"
#include "hal/rig.h"
#include "tasks/project/folder.h"
#include "tasks/capture/photo.h"

/* One photo on its way through the writer. */
struct piece {
	struct piece *next;
	struct photo_writer_job job;
	struct photo_writer_report report;
};

struct photo_writer {
	const struct folder *folder;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* of all members below */
	pthread_cond_t changed;
	bool closing;
	struct piece *work;	     /* in work on the thread */
	struct piece *waiting;	     /* waiting */
	struct piece *first, **last; /* done, with reports to take */
};

static int read_out(struct photo_writer_job *job, struct photo_writer_report *report)
{
	struct rig_shot *shot = job->shot;

	job->shot = NULL; /* read out or not, the shot is gone */
	if (!shot || rig_read_out(shot, &job->frame, &report->err) == 0)
		return 0;
	job->frame = NULL;
	report->unread = true;
	return -1;
}

/* Adds the frame's own metadata where OpenScan3 has that of the driver. */
static void describe(const struct photo_writer_job *job,
		     struct photo_writer_report *report)
{
	cJSON *camera = cJSON_GetObjectItemCaseSensitive(job->details, "camera_metadata");
	const struct frame *frame = job->frame;
	cJSON *raw = cJSON_CreateObject();

	cJSON_AddNumberToObject(raw, "taken_at_ms", (double)frame->taken_at_ms);
	cJSON_AddNumberToObject(raw, "shutter_ms", frame->shutter_ms);
	cJSON_AddNumberToObject(raw, "gain", frame->gain);
	cJSON_AddNumberToObject(raw, "focal_px", frame->focal_px);
	cJSON_AddNumberToObject(raw, "width", frame->width);
	cJSON_AddNumberToObject(raw, "height", frame->height);
	cJSON_AddItemToObject(camera ? camera : job->details, "raw_metadata", raw);

	quality_measure(frame, &report->quality);
	quality_put(&report->quality, cJSON_AddObjectToObject(job->details, "quality"));
	report->width = frame->width;
	report->height = frame->height;
	report->focal_px = frame->focal_px;
	report->focal_mm = frame->focal_mm;
}

static int write_photo(const struct photo_writer *writer, struct photo_writer_job *job,
		       struct photo_writer_report *report)
{
	void *bytes;
	size_t size;
	int ret;

	snprintf(job->frame->comment, sizeof(job->frame->comment), "%s", job->comment);
	ret = photo_format_encode(job->format, job->frame, &bytes, &size, &report->err);
	if (ret < 0)
		return ret;
	cJSON_AddNumberToObject(job->details, "bytes", (double)size);
	ret = folder_write_json(writer->folder, job->metadata, job->details,
				&report->err);
	if (ret == 0)
		ret = folder_write(writer->folder, job->photo, bytes, size, &report->err);
	free(bytes);
	report->bytes = (int64_t)size;
	return ret;
}

/* Frees the pixels as soon as possible. */
static void drop_job(struct photo_writer_job *job)
{
	rig_shot_drop(job->shot);
	frame_free(job->frame);
	cJSON_Delete(job->details);
}

/* A failed preview is no reason to lose the photo. */
static void do_piece(const struct photo_writer *writer, struct piece *piece)
{
	struct photo_writer_report *report = &piece->report;

	report->place = piece->job.place;
	if (read_out(&piece->job, report) == 0) {
		describe(&piece->job, report);
		if (write_photo(writer, &piece->job, report) == 0 &&
		    photo_preview(piece->job.frame, &report->preview,
				  &report->preview_size, NULL) < 0)
			report->preview = NULL;
	}
	drop_job(&piece->job);
}

static void *run(void *context)
{
	struct photo_writer *writer = context;

	pthread_mutex_lock(&writer->lock);
	for (;;) {
		struct piece *piece;

		while (!writer->work && !writer->closing)
			pthread_cond_wait(&writer->changed, &writer->lock);
		piece = writer->work;
		if (!piece)
			break;
		pthread_mutex_unlock(&writer->lock);
		do_piece(writer, piece);
		pthread_mutex_lock(&writer->lock);

		*writer->last = piece;
		writer->last = &piece->next;
		writer->work = writer->waiting;
		writer->waiting = NULL;
		pthread_cond_broadcast(&writer->changed);
	}
	pthread_mutex_unlock(&writer->lock);
	return NULL;
}

int photo_writer_open(struct photo_writer **out, const struct folder *folder,
		      struct err *err)
{
	struct photo_writer *writer = calloc(1, sizeof(*writer));
	int ret;

	if (!writer)
		return err_set(err, -ENOMEM, "out of memory");
	writer->folder = folder;
	writer->last = &writer->first;
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->changed, NULL);
	ret = pthread_create(&writer->thread, NULL, run, writer);
	if (ret != 0) { /* a positive errno, as POSIX has it */
		photo_writer_close(writer);
		return err_set(err, -ret, "no thread for the photo writer: %s",
			       strerror(ret));
	}
	writer->started = true;
	*out = writer;
	return 0;
}

void photo_writer_close(struct photo_writer *writer)
{
	struct photo_writer_report report;

	if (!writer)
		return;
	pthread_mutex_lock(&writer->lock);
	writer->closing = true;
	pthread_cond_broadcast(&writer->changed);
	pthread_mutex_unlock(&writer->lock);
	if (writer->started)
		pthread_join(writer->thread, NULL);
	while (photo_writer_take(writer, false, &report))
		free(report.preview);
	pthread_cond_destroy(&writer->changed);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}

int photo_writer_put(struct photo_writer *writer, const struct photo_writer_job *job,
		     struct err *err)
{
	struct piece *piece = calloc(1, sizeof(*piece));

	if (!piece) {
		struct photo_writer_job lost = *job;

		drop_job(&lost);
		return err_set(err, -ENOMEM, "out of memory");
	}
	piece->job = *job;
	pthread_mutex_lock(&writer->lock);
	while (writer->waiting)
		pthread_cond_wait(&writer->changed, &writer->lock);
	if (writer->work)
		writer->waiting = piece;
	else
		writer->work = piece;
	pthread_cond_broadcast(&writer->changed);
	pthread_mutex_unlock(&writer->lock);
	return 0;
}

static bool take(struct photo_writer *writer, bool wait, const atomic_bool *over,
		 struct photo_writer_report *report)
{
	struct piece *piece;

	pthread_mutex_lock(&writer->lock);
	while (wait && !writer->first && writer->work && !(over && atomic_load(over)))
		pthread_cond_wait(&writer->changed, &writer->lock);
	piece = writer->first;
	if (piece) {
		writer->first = piece->next;
		if (!writer->first)
			writer->last = &writer->first;
	}
	pthread_mutex_unlock(&writer->lock);

	if (!piece)
		return false;
	*report = piece->report;
	free(piece);
	return true;
}

bool photo_writer_take(struct photo_writer *writer, bool wait,
		       struct photo_writer_report *report)
{
	return take(writer, wait, NULL, report);
}

bool photo_writer_take_until(struct photo_writer *writer, const atomic_bool *over,
			     struct photo_writer_report *report)
{
	return take(writer, true, over, report);
}

void photo_writer_wake(struct photo_writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	pthread_cond_broadcast(&writer->changed);
	pthread_mutex_unlock(&writer->lock);
}
