#include "tests/simulation/sim_disk.h"

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

void sectors_empty(struct sectors *sectors)
{
	sectors->now.size = 0;
	sectors->synced.size = 0;
	sectors->dirty_count = 0;
}

void sectors_free(struct sectors *sectors)
{
	free(sectors->now.bytes);
	free(sectors->synced.bytes);
	free(sectors->dirty);
	*sectors = (struct sectors){0};
}

static void sectors_dirty(struct sectors *sectors, size_t from, size_t to)
{
	struct range *last =
		sectors->dirty_count ? &sectors->dirty[sectors->dirty_count - 1] : NULL;

	if (last && last->to == from) {
		last->to = to;
		return;
	}
	if (!sectors->dirty || sectors->dirty_count == sectors->dirty_room) {
		sectors->dirty_room = sectors->dirty_room ? 2 * sectors->dirty_room : 64;
		sectors->dirty = realloc(sectors->dirty,
					 sectors->dirty_room * sizeof(*sectors->dirty));
		if (!sectors->dirty)
			abort();
	}
	sectors->dirty[sectors->dirty_count++] = (struct range){from, to};
}

void sectors_write(struct sectors *sectors, const void *bytes, size_t n, size_t at)
{
	if (at + n > sectors->now.size)
		content_resize(&sectors->now, at + n);
	memcpy(sectors->now.bytes + at, bytes, n);
	sectors_dirty(sectors, at, at + n);
}

void sectors_resize(struct sectors *sectors, size_t size)
{
	content_resize(&sectors->now, size);
}

void sectors_sync(struct sectors *sectors)
{
	content_resize(&sectors->synced, sectors->now.size);
	for (size_t i = 0; i < sectors->dirty_count; i++) {
		struct range range = sectors->dirty[i];

		if (range.to > sectors->now.size)
			range.to = sectors->now.size;
		if (range.from < range.to)
			memcpy(sectors->synced.bytes + range.from,
			       sectors->now.bytes + range.from, range.to - range.from);
	}
	sectors->dirty_count = 0;
}

void sectors_forget(struct sectors *sectors)
{
	sectors->dirty_count = 0;
}

static void sector_lost(struct sectors *sectors, size_t at, struct prng *prng,
			enum mercy mercy)
{
	size_t end = sectors->now.size, to = at + SECTOR < end ? at + SECTOR : end;
	int lot = mercy == BY_LOT ? prng_below(prng, 16) : 15;

	if (mercy == ALL_LOST || lot < 7 || at >= end)
		return;
	if (to > sectors->synced.size)
		content_resize(&sectors->synced, to);
	if (lot > 7)
		memcpy(sectors->synced.bytes + at, sectors->now.bytes + at, to - at);
	else
		memset(sectors->synced.bytes + at, prng_below(prng, 256), to - at);
}

void sectors_power_cut(struct sectors *sectors, struct prng *prng, enum mercy mercy)
{
	const size_t lengths[] = {sectors->synced.size, sectors->now.size};
	size_t length =
		lengths[mercy == ALL_KEPT || (mercy == BY_LOT && prng_chance(prng, 50))];

	for (size_t i = 0; i < sectors->dirty_count; i++) {
		size_t sector = sectors->dirty[i].from / SECTOR * SECTOR;

		for (; sector < sectors->dirty[i].to; sector += SECTOR)
			sector_lost(sectors, sector, prng, mercy);
	}
	content_resize(&sectors->synced, length);
	content_copy(&sectors->now, &sectors->synced);
	sectors->dirty_count = 0;
}
