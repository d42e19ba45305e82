/* A contact sheet: all photos of a scan, small and upright, on one page.
 *
 * However many photos there are, the page is at most CONTACT_SHEET_SIDE pixels wide and
 * high, so its memory is bounded (12 MB, twice that while encoding).  One thread at a
 * time.
 */
#ifndef TASKS_CAPTURE_CONTACT_SHEET_H
#define TASKS_CAPTURE_CONTACT_SHEET_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"

struct contact_sheet;
struct frame;

#define CONTACT_SHEET_SIDE 2048

/* A page with room for count photos. */
int contact_sheet_open(struct contact_sheet **out, int count, struct err *err);
void contact_sheet_close(struct contact_sheet *sheet); /* NULL is fine */

/* Puts a JPEG (a preview is enough) at place 0 to count - 1; a place without a photo
 * stays grey.  -EBADMSG unless it is a complete JPEG. */
int contact_sheet_put(struct contact_sheet *sheet, int place, const void *jpeg,
		      size_t size, struct err *err);

/* As contact_sheet_put(), from pixels. */
int contact_sheet_paste(struct contact_sheet *sheet, int place, const struct frame *photo,
			struct err *err);

/* True when a photo was put at this place. */
bool contact_sheet_has(const struct contact_sheet *sheet, int place);

/* Encodes the page in its present state as a JPEG; the caller frees it. */
int contact_sheet_encode(const struct contact_sheet *sheet, void **jpeg, size_t *size,
			 struct err *err);

#endif
