/* Takes photos with the real writer and checks them after each power cut. */
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

#define SIDE 16	 /* side of a photo in pixels */
#define CALLS 24 /* system calls that two photos need, about */
#define PHOTO_MAX (64 << 10)
#define FUSE_PERCENT 8
#define VERSIONS_MAX 8

/* A photo that was begun; it is taken again until it is reported, as a scan does. */
struct photo {
	bool reported;		       /* the newest version was reported */
	uint64_t hashes[VERSIONS_MAX]; /* of the bytes of each version */
	int versions;
};

struct sim_writer {
	struct folder *folder;
	struct photo_writer *writer;
	struct photo *photos;
	int count, room;
};

struct sim_writer *sim_writer_new(void)
{
	struct sim_writer *sim = calloc(1, sizeof(*sim));

	if (!sim)
		abort();
	return sim;
}

void sim_writer_begin(struct sim_writer *sim, uint64_t seed)
{
	sim_writer_process_gone(sim);
	sim->count = 0;
	sim_fs_format(seed);
}

void sim_writer_process_gone(struct sim_writer *sim)
{
	photo_writer_close(sim->writer);
	folder_close(sim->folder);
	sim->writer = NULL;
	sim->folder = NULL;
}

static bool sim_writer_open(struct sim_writer *sim)
{
	if (sim->writer)
		return true;
	return folder_open(&sim->folder, SIM_FS_FOLDER, NULL) == 0 &&
	       folder_make_all(sim->folder, "cup/scan01/metadata", NULL) == 0 &&
	       photo_writer_open(&sim->writer, sim->folder, NULL) == 0;
}

static void photo_path(char path[PHOTO_WRITER_PATH], int place)
{
	snprintf(path, PHOTO_WRITER_PATH, "cup/scan01/scan01_%03d.jpg", place);
}

static void metadata_path(char path[PHOTO_WRITER_PATH], int place)
{
	snprintf(path, PHOTO_WRITER_PATH, "cup/scan01/metadata/scan01_%03d.json", place);
}

/* ---- files on disk ---- */

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

/* Metadata is written before its photo, so it exists whenever the photo does, with the
 * photo's size. */
static void check_metadata(const struct sim_writer *sim, int place, size_t size)
{
	char path[PHOTO_WRITER_PATH];
	cJSON *metadata = NULL;

	metadata_path(path, place);
	if (folder_read_json(sim->folder, path, &metadata, NULL) < 0)
		violation("%s is not there whole, but its photo is", path);
	else if (sim->photos[place].reported &&
		 (size_t)json_number(metadata, "bytes", 0) != size)
		violation("%s says another size than its photo has", path);
	cJSON_Delete(metadata);
}

static void check_photo(const struct sim_writer *sim, int place)
{
	const struct photo *photo = &sim->photos[place];
	char path[PHOTO_WRITER_PATH], *bytes;
	size_t size;

	photo_path(path, place);
	if (folder_read(sim->folder, path, PHOTO_MAX, &bytes, &size, NULL) < 0) {
		if (photo->reported)
			violation("%s was reported and is gone after a power cut", path);
		return;
	}
	if (!is_version(photo, hash_of(bytes, size)))
		violation("%s %s, but not whole after a power cut", path,
			  photo->reported ? "was reported" : "is there");
	check_metadata(sim, place, size);
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

/* Notes the bytes that the writer will write. */
static void add_version(struct photo *photo, const struct frame *frame)
{
	void *bytes;
	size_t size;

	if (photo_format_encode(PHOTO_FORMAT_JPEG, frame, &bytes, &size, NULL) < 0)
		abort();
	photo->hashes[photo->versions++] = hash_of(bytes, size);
	free(bytes);
}

static void put(struct sim_writer *sim, struct prng *prng, int place)
{
	struct photo_writer_job job = {.place = place, .format = PHOTO_FORMAT_JPEG};

	photo_path(job.photo, place);
	metadata_path(job.metadata, place);
	job.frame = make_frame(prng);
	add_version(&sim->photos[place], job.frame);
	job.details = cJSON_CreateObject();
	if (photo_writer_put(sim->writer, &job, NULL) < 0)
		abort();
}

/* The number of a photo that is not reported yet, or of a new one. */
static int choose(struct sim_writer *sim, bool again)
{
	int newest = sim->count - 1;

	if (again && sim->count && !sim->photos[newest].reported &&
	    sim->photos[newest].versions < VERSIONS_MAX)
		return newest;
	if (sim->count == sim->room) {
		sim->room = sim->room ? 2 * sim->room : 64;
		sim->photos =
			realloc(sim->photos, (size_t)sim->room * sizeof(struct photo));
		if (!sim->photos)
			abort();
	}
	sim->photos[sim->count] = (struct photo){.reported = false};
	return sim->count++;
}

static int take(struct sim_writer *sim)
{
	struct photo_writer_report report;
	int reported = 0;

	while (photo_writer_take(sim->writer, true, &report)) {
		free(report.preview);
		trace("  photo %d: %s", report.place,
		      report.err.number ? report.err.text : "on disk");
		if (report.err.number)
			continue;
		sim->photos[report.place].reported = true;
		reported++;
	}
	return reported;
}

int sim_writer_take_photos(struct sim_writer *sim, struct prng *prng, bool cut)
{
	int reported;

	if (cut && prng_chance(prng, FUSE_PERCENT))
		sim_fs_cut_power_after(prng_below(prng, CALLS));
	if (!sim_writer_open(sim))
		return 0;
	put(sim, prng, choose(sim, true));
	if (prng_chance(prng, 50))
		put(sim, prng, choose(sim, false));
	reported = take(sim);
	sim_fs_cut_power_after(-1);
	return reported;
}

void sim_writer_power_cut(struct sim_writer *sim, struct prng *prng)
{
	sim_writer_process_gone(sim);
	sim_fs_power_cut(prng);
	if (!sim->count)
		return;
	if (folder_open(&sim->folder, SIM_FS_FOLDER, NULL) < 0)
		abort();
	for (int i = 0; i < sim->count; i++)
		check_photo(sim, i);
	sim_writer_process_gone(sim);
}
