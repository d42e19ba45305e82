/* The contact sheet: scales photos into cells, then packs the cells into a page. */
#include "tasks/capture/contact_sheet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "hal/frame.h"
#include "tasks/capture/photo.h"

#define CELL_MAX 240
#define MARGIN 2 /* around each photo */
#define GREY 0x40
#define QUALITY 85

struct contact_sheet {
	int count, columns, cell;
	int wide, tall; /* the largest photo so far with its margin; at most a cell */
	bool *filled;
	struct frame *page;
};

int contact_sheet_open(struct contact_sheet **out, int count, struct err *err)
{
	struct contact_sheet *sheet = calloc(1, sizeof(*sheet));
	int rows;

	if (!sheet)
		return err_set(err, -ENOMEM, "out of memory");
	sheet->count = count;
	sheet->columns = 1;
	while (sheet->columns * sheet->columns < count)
		sheet->columns++;
	rows = (count + sheet->columns - 1) / sheet->columns;
	sheet->cell = CONTACT_SHEET_SIDE / sheet->columns;
	if (sheet->cell > CELL_MAX)
		sheet->cell = CELL_MAX;

	sheet->filled = calloc((size_t)count, sizeof(*sheet->filled));
	sheet->page = frame_new(sheet->columns * sheet->cell, rows * sheet->cell);
	if (!sheet->filled || !sheet->page) {
		contact_sheet_close(sheet);
		return err_set(err, -ENOMEM, "out of memory");
	}
	memset(sheet->page->rgb, GREY,
	       (size_t)sheet->page->width * (size_t)sheet->page->height * 3);
	sheet->page->orientation = 1;
	sheet->page->jpeg_quality = QUALITY;
	sheet->page->taken_at_ms = clock_wall_ms();
	*out = sheet;
	return 0;
}

void contact_sheet_close(struct contact_sheet *sheet)
{
	if (!sheet)
		return;
	frame_free(sheet->page);
	free(sheet->filled);
	free(sheet);
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

/* Centres the photo in its cell. */
static void paste(struct contact_sheet *sheet, int place, const struct frame *photo)
{
	int x = place % sheet->columns * sheet->cell + (sheet->cell - photo->width) / 2;
	int y = place / sheet->columns * sheet->cell + (sheet->cell - photo->height) / 2;
	size_t row = (size_t)photo->width * 3;

	sheet->wide = larger(sheet->wide, photo->width + 2 * MARGIN);
	sheet->tall = larger(sheet->tall, photo->height + 2 * MARGIN);
	for (int i = 0; i < photo->height; i++)
		memcpy(sheet->page->rgb + ((size_t)(y + i) * (size_t)sheet->page->width +
					   (size_t)x) *
						  3,
		       photo->rgb + (size_t)i * row, row);
}

int contact_sheet_paste(struct contact_sheet *sheet, int place, const struct frame *photo,
			struct err *err)
{
	struct frame *small = photo_fit(photo, sheet->cell - 2 * MARGIN);
	struct frame *upright = small ? photo_upright(small) : NULL;

	frame_free(small);
	if (!upright)
		return err_set(err, -ENOMEM, "out of memory");
	paste(sheet, place, upright);
	sheet->filled[place] = true;
	frame_free(upright);
	return 0;
}

int contact_sheet_put(struct contact_sheet *sheet, int place, const void *jpeg,
		      size_t size, struct err *err)
{
	struct frame *photo;
	int ret = photo_decode(jpeg, size, sheet->cell - 2 * MARGIN, &photo, err);

	if (ret < 0)
		return ret;
	ret = contact_sheet_paste(sheet, place, photo, err);
	frame_free(photo);
	return ret;
}

bool contact_sheet_has(const struct contact_sheet *sheet, int place)
{
	return sheet->filled[place];
}

/* Fills row y of the packed page from the covered parts of the cells. */
static void pack_row(const struct contact_sheet *sheet, struct frame *packed, int y)
{
	int beside = (sheet->cell - sheet->wide) / 2,
	    above = (sheet->cell - sheet->tall) / 2;
	int from = y / sheet->tall * sheet->cell + above + y % sheet->tall;
	const uint8_t *source =
		sheet->page->rgb + (size_t)from * (size_t)sheet->page->width * 3;
	uint8_t *target = packed->rgb + (size_t)y * (size_t)packed->width * 3;
	size_t part = (size_t)sheet->wide * 3;

	for (int i = 0; i < sheet->columns; i++)
		memcpy(target + (size_t)i * part,
		       source + (size_t)(i * sheet->cell + beside) * 3, part);
}

/* Packs the photos closely: cells are squares, photos usually are not. */
static struct frame *pack(const struct contact_sheet *sheet)
{
	int rows = sheet->page->height / sheet->cell;
	struct frame *packed =
		frame_new(sheet->columns * sheet->wide, rows * sheet->tall);

	if (!packed)
		return NULL;
	for (int y = 0; y < packed->height; y++)
		pack_row(sheet, packed, y);
	packed->orientation = sheet->page->orientation;
	packed->jpeg_quality = sheet->page->jpeg_quality;
	packed->taken_at_ms = sheet->page->taken_at_ms;
	return packed;
}

int contact_sheet_encode(const struct contact_sheet *sheet, void **jpeg, size_t *size,
			 struct err *err)
{
	struct frame *packed = sheet->wide ? pack(sheet) : NULL;
	int ret;

	if (sheet->wide && !packed)
		return err_set(err, -ENOMEM, "out of memory");
	ret = photo_encode(packed ? packed : sheet->page, jpeg, size, err);
	frame_free(packed);
	return ret;
}
