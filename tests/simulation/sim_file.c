/* A file with its written and its synced bytes. */
#include "tests/simulation/sim_file.h"

#include <stdlib.h>
#include <string.h>

static void content_reserve(struct content *content, size_t room)
{
	if (room <= content->room)
		return;
	if (room < 2 * content->room)
		room = 2 * content->room;
	content->bytes = realloc(content->bytes, room);
	if (!content->bytes)
		abort();
	content->room = room;
}

static void content_resize(struct content *content, size_t size)
{
	content_reserve(content, size);
	if (size > content->size)
		memset(content->bytes + content->size, 0, size - content->size);
	content->size = size;
}

void content_copy(struct content *to, const struct content *from)
{
	content_reserve(to, from->size);
	if (from->size)
		memcpy(to->bytes, from->bytes, from->size);
	to->size = from->size;
}

void sim_file_empty(struct sim_file *file)
{
	file->now.size = 0;
	file->synced.size = 0;
	file->dirty_count = 0;
}

void sim_file_free(struct sim_file *file)
{
	free(file->now.bytes);
	free(file->synced.bytes);
	free(file->dirty);
	*file = (struct sim_file){0};
}

static void sim_file_dirty(struct sim_file *file, size_t from, size_t to)
{
	struct range *last =
		file->dirty_count ? &file->dirty[file->dirty_count - 1] : NULL;

	if (last && last->to == from) {
		last->to = to;
		return;
	}
	if (!file->dirty || file->dirty_count == file->dirty_room) {
		file->dirty_room = file->dirty_room ? 2 * file->dirty_room : 64;
		file->dirty =
			realloc(file->dirty, file->dirty_room * sizeof(*file->dirty));
		if (!file->dirty)
			abort();
	}
	file->dirty[file->dirty_count++] = (struct range){from, to};
}

void sim_file_write(struct sim_file *file, const void *bytes, size_t n, size_t at)
{
	if (at + n > file->now.size)
		content_resize(&file->now, at + n);
	memcpy(file->now.bytes + at, bytes, n);
	sim_file_dirty(file, at, at + n);
}

void sim_file_resize(struct sim_file *file, size_t size)
{
	content_resize(&file->now, size);
}

void sim_file_sync(struct sim_file *file)
{
	content_resize(&file->synced, file->now.size);
	for (size_t i = 0; i < file->dirty_count; i++) {
		struct range range = file->dirty[i];

		if (range.to > file->now.size)
			range.to = file->now.size;
		if (range.from < range.to)
			memcpy(file->synced.bytes + range.from,
			       file->now.bytes + range.from, range.to - range.from);
	}
	file->dirty_count = 0;
}

void sim_file_forget(struct sim_file *file)
{
	file->dirty_count = 0;
}

static void sector_lost(struct sim_file *file, size_t at, struct prng *prng,
			enum power_cut_loss power_cut_loss)
{
	size_t end = file->now.size, to = at + SECTOR < end ? at + SECTOR : end;
	int lot = power_cut_loss == LOSE_AT_RANDOM ? prng_below(prng, 16) : 15;

	if (power_cut_loss == LOSE_ALL || lot < 7 || at >= end)
		return;
	if (to > file->synced.size)
		content_resize(&file->synced, to);
	if (lot > 7)
		memcpy(file->synced.bytes + at, file->now.bytes + at, to - at);
	else
		memset(file->synced.bytes + at, prng_below(prng, 256), to - at);
}

void sim_file_power_cut(struct sim_file *file, struct prng *prng,
			enum power_cut_loss power_cut_loss)
{
	const size_t lengths[] = {file->synced.size, file->now.size};
	size_t length =
		lengths[power_cut_loss == LOSE_NONE ||
			(power_cut_loss == LOSE_AT_RANDOM && prng_chance(prng, 50))];

	for (size_t i = 0; i < file->dirty_count; i++) {
		size_t sector = file->dirty[i].from / SECTOR * SECTOR;

		for (; sector < file->dirty[i].to; sector += SECTOR)
			sector_lost(file, sector, prng, power_cut_loss);
	}
	content_resize(&file->synced, length);
	content_copy(&file->now, &file->synced);
	file->dirty_count = 0;
}
