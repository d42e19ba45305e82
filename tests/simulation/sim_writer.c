#include "tests/simulation/sim_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "hal/frame.h"
#include "tasks/project/folder.h"
#include "tasks/capture/photo_format.h"
#include "tasks/project/photo_writer.h"
#include "tests/simulation/sim_fs.h"
#include "tests/simulation/trace.h"

#define SIDE 16	 /* pixels of a photo */
#define CALLS 24 /* that two photos make of the drive, about */
#define PHOTO_MAX (64 << 10)
#define FUSE_PERCENT 8
#define VERSIONS_MAX 8

/* A photo that was begun; it is taken again until it is reported, as a scan does. */
struct photo {
	bool reported;		       /* it is the newest version */
	uint64_t hashes[VERSIONS_MAX]; /* of the bytes of each */
	int versions;
};

struct studio {
	struct folder *folder;
	struct photo_writer *writer;
	struct photo *photos;
	int count, room;
};

struct studio *studio_new(void)
{
	struct studio *studio = calloc(1, sizeof(*studio));

	if (!studio)
		abort();
	return studio;
}

void studio_begin(struct studio *studio, uint64_t seed)
{
	studio_process_gone(studio);
	studio->count = 0;
	sim_fs_format(seed);
}

void studio_process_gone(struct studio *studio)
{
	photo_writer_close(studio->writer);
	folder_close(studio->folder);
	studio->writer = NULL;
	studio->folder = NULL;
}

static bool studio_open(struct studio *studio)
{
	if (studio->writer)
		return true;
	return folder_open(&studio->folder, SIM_FS_FOLDER, NULL) == 0 &&
	       folder_make_all(studio->folder, "cup/scan01/metadata", NULL) == 0 &&
	       photo_writer_open(&studio->writer, studio->folder, NULL) == 0;
}

static void photo_path(char path[PHOTO_WRITER_PATH], int place)
{
	snprintf(path, PHOTO_WRITER_PATH, "cup/scan01/scan01_%03d.jpg", place);
}

static void metadata_path(char path[PHOTO_WRITER_PATH], int place)
{
	snprintf(path, PHOTO_WRITER_PATH, "cup/scan01/metadata/scan01_%03d.json", place);
}

/* ---- what lies on the drive ---- */

/* FNV-1a */
static uint64_t hash_of(const char *bytes, size_t size)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (uint8_t)bytes[i]) * 1099511628211u;
	return hash;
}

static bool is_version(const struct photo *photo, uint64_t hash)
{
	for (int i = photo->reported ? photo->versions - 1 : 0; i < photo->versions; i++)
		if (photo->hashes[i] == hash)
			return true;
	return false;
}

/* Written before the photo, so it is there when that is, and says how long it is. */
static void check_metadata(const struct studio *studio, int place, size_t size)
{
	char path[PHOTO_WRITER_PATH];
	cJSON *metadata = NULL;

	metadata_path(path, place);
	if (folder_read_json(studio->folder, path, &metadata, NULL) < 0)
		broken("%s is not there whole, but its photo is", path);
	else if (studio->photos[place].reported &&
		 (size_t)json_number(metadata, "bytes", 0) != size)
		broken("%s says another size than its photo has", path);
	cJSON_Delete(metadata);
}

static void check_photo(const struct studio *studio, int place)
{
	const struct photo *photo = &studio->photos[place];
	char path[PHOTO_WRITER_PATH], *bytes;
	size_t size;

	photo_path(path, place);
	if (folder_read(studio->folder, path, PHOTO_MAX, &bytes, &size, NULL) < 0) {
		if (photo->reported)
			broken("%s was reported and is gone after a power cut", path);
		return;
	}
	if (!is_version(photo, hash_of(bytes, size)))
		broken("%s %s, but not whole after a power cut", path,
		       photo->reported ? "was reported" : "is there");
	check_metadata(studio, place, size);
	free(bytes);
}

/* ---- taking photos ---- */

static struct frame *make_frame(struct prng *prng)
{
	struct frame *frame = frame_new(SIDE, SIDE);

	if (!frame)
		abort();
	for (int i = 0; i < SIDE * SIDE * 3; i++)
		frame->rgb[i] = (uint8_t)prng_below(prng, 256);
	frame->rows = SIDE;
	frame->orientation = 1;
	frame->jpeg_quality = 90;
	return frame;
}

/* What the writer will write. */
static void add_version(struct photo *photo, const struct frame *frame)
{
	void *bytes;
	size_t size;

	if (photo_format_encode(PHOTO_FORMAT_JPEG, frame, &bytes, &size, NULL) < 0)
		abort();
	photo->hashes[photo->versions++] = hash_of(bytes, size);
	free(bytes);
}

static void put(struct studio *studio, struct prng *prng, int place)
{
	struct photo_writer_job job = {.place = place, .format = PHOTO_FORMAT_JPEG};

	photo_path(job.photo, place);
	metadata_path(job.metadata, place);
	job.frame = make_frame(prng);
	add_version(&studio->photos[place], job.frame);
	job.details = cJSON_CreateObject();
	if (photo_writer_put(studio->writer, &job, NULL) < 0)
		abort();
}

/* One that is not reported yet, or a new one. */
static int choose(struct studio *studio, bool again)
{
	int newest = studio->count - 1;

	if (again && studio->count && !studio->photos[newest].reported &&
	    studio->photos[newest].versions < VERSIONS_MAX)
		return newest;
	if (studio->count == studio->room) {
		studio->room = studio->room ? 2 * studio->room : 64;
		studio->photos = realloc(studio->photos,
					 (size_t)studio->room * sizeof(struct photo));
		if (!studio->photos)
			abort();
	}
	studio->photos[studio->count] = (struct photo){.reported = false};
	return studio->count++;
}

static int take(struct studio *studio)
{
	struct photo_writer_report report;
	int reported = 0;

	while (photo_writer_take(studio->writer, true, &report)) {
		free(report.preview);
		trace("  photo %d: %s", report.place,
		      report.err.number ? report.err.text : "on disk");
		if (report.err.number)
			continue;
		studio->photos[report.place].reported = true;
		reported++;
	}
	return reported;
}

int studio_shoot(struct studio *studio, struct prng *prng, bool cut)
{
	int reported;

	if (cut && prng_chance(prng, FUSE_PERCENT))
		sim_fs_cut_power_after(prng_below(prng, CALLS));
	if (!studio_open(studio))
		return 0;
	put(studio, prng, choose(studio, true));
	if (prng_chance(prng, 50))
		put(studio, prng, choose(studio, false));
	reported = take(studio);
	sim_fs_cut_power_after(-1);
	return reported;
}

void studio_power_cut(struct studio *studio, struct prng *prng)
{
	studio_process_gone(studio);
	sim_fs_power_cut(prng);
	if (!studio->count)
		return;
	if (folder_open(&studio->folder, SIM_FS_FOLDER, NULL) < 0)
		abort();
	for (int i = 0; i < studio->count; i++)
		check_photo(studio, i);
	studio_process_gone(studio);
}
