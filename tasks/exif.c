#include "tasks/exif.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/clock.h"
#include "hal/frame.h"

#define TIFF 6 /* where the TIFF structure begins: behind "Exif\0\0" */
#define ENTRY 12
#define FILM_WIDTH 36.0 /* mm */

enum type { ASCII = 2, SHORT = 3, LONG = 4, RATIONAL = 5 };

enum tag {
	TAG_MODEL = 0x0110,
	TAG_ORIENTATION = 0x0112,
	TAG_SOFTWARE = 0x0131,
	TAG_DATE_TIME = 0x0132,
	TAG_EXPOSURE_TIME = 0x829a,
	TAG_EXIF_IFD = 0x8769,
	TAG_ISO = 0x8827,
	TAG_DATE_TIME_ORIGINAL = 0x9003,
	TAG_FOCAL_LENGTH_35MM = 0xa405,
};

/* A block that grows: entries fill the table that was opened last, values that do not fit
 * into an entry follow behind it. */
struct block {
	unsigned char *bytes;
	size_t table, size;
	unsigned entries;
};

static void put16(unsigned char *at, unsigned value)
{
	at[0] = (unsigned char)value;
	at[1] = (unsigned char)(value >> 8);
}

static void put32(unsigned char *at, uint32_t value)
{
	put16(at, value & 0xffff);
	put16(at + 2, value >> 16);
}

static void open_table(struct block *b, unsigned entries)
{
	b->table = b->size;
	b->entries = 0;
	b->size += 2 + entries * ENTRY + 4;
}

static unsigned char *add(struct block *b, enum tag tag, enum type type, uint32_t count)
{
	unsigned char *entry = b->bytes + b->table + 2 + b->entries * ENTRY;

	put16(b->bytes + b->table, ++b->entries);
	put16(entry, tag);
	put16(entry + 2, type);
	put32(entry + 4, count);
	return entry + 8;
}

static void add_short(struct block *b, enum tag tag, double value)
{
	put16(add(b, tag, SHORT, 1), (unsigned)fmin(fmax(round(value), 0), 65535));
}

static void add_text(struct block *b, enum tag tag, const char *text)
{
	uint32_t size = (uint32_t)strlen(text) + 1;
	unsigned char *value = add(b, tag, ASCII, size);

	if (size <= 4) {
		memcpy(value, text, size);
		return;
	}
	put32(value, (uint32_t)(b->size - TIFF));
	memcpy(b->bytes + b->size, text, size);
	b->size += size + size % 2;
}

static void add_ratio(struct block *b, enum tag tag, double value, uint32_t below)
{
	put32(add(b, tag, RATIONAL, 1), (uint32_t)(b->size - TIFF));
	put32(b->bytes + b->size, (uint32_t)fmin(round(value * below), UINT32_MAX));
	put32(b->bytes + b->size + 4, below);
	b->size += 8;
}

/* "2026:11:24 03:12:00" */
static void date_text(int64_t wall_ms, char text[CLOCK_TEXT])
{
	clock_text(wall_ms, text);
	text[4] = text[7] = ':';
	text[10] = ' ';
	text[19] = '\0';
}

size_t exif_write(const struct frame *frame, unsigned char bytes[EXIF_MAX])
{
	static const unsigned char head[] = {'E', 'x', 'i', 'f', 0, 0, 'I',
					     'I', 42,  0,   8,	 0, 0, 0};
	struct block b = {.bytes = bytes, .size = sizeof(head)};
	int side = frame->width > frame->height ? frame->width : frame->height;
	char date[CLOCK_TEXT];
	unsigned char *pointer;

	memset(bytes, 0, EXIF_MAX);
	memcpy(bytes, head, sizeof(head));
	date_text(frame->taken_at_ms, date);

	open_table(&b, 5);
	add_text(&b, TAG_MODEL, frame->camera);
	add_short(&b, TAG_ORIENTATION, frame->orientation);
	add_text(&b, TAG_SOFTWARE, "openscan-agent " OPENSCAN_VERSION);
	add_text(&b, TAG_DATE_TIME, date);
	pointer = add(&b, TAG_EXIF_IFD, LONG, 1);
	put32(pointer, (uint32_t)(b.size - TIFF));

	open_table(&b, 4);
	add_ratio(&b, TAG_EXPOSURE_TIME, frame->shutter_ms / 1000, 1000000);
	add_short(&b, TAG_ISO, frame->gain * 100);
	add_text(&b, TAG_DATE_TIME_ORIGINAL, date);
	if (frame->focal_px > 0)
		add_short(&b, TAG_FOCAL_LENGTH_35MM, frame->focal_px * FILM_WIDTH / side);
	return b.size;
}

static unsigned get(const unsigned char *at, size_t size, bool little)
{
	unsigned value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | at[little ? size - 1 - i : i];
	return value;
}

int exif_orientation(const unsigned char *bytes, size_t size)
{
	bool little;
	size_t table, count;

	if (size < TIFF + 8 || memcmp(bytes, "Exif\0", TIFF))
		return 1;
	bytes += TIFF;
	size -= TIFF;
	little = bytes[0] == 'I';
	table = get(bytes + 4, 4, little);
	if (table > size - 2)
		return 1;
	count = get(bytes + table, 2, little);
	for (size_t i = 0; i < count; i++) {
		size_t entry = table + 2 + i * ENTRY;
		unsigned value;

		if (entry + ENTRY > size)
			return 1;
		if (get(bytes + entry, 2, little) != TAG_ORIENTATION)
			continue;
		value = get(bytes + entry + 8, 2, little);
		return value >= 1 && value <= 8 ? (int)value : 1;
	}
	return 1;
}
