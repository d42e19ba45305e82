/* Where the axes stand, kept in a file that a killed process cannot leave behind wrong.
 *
 * The file is mapped into memory.  The count of an axis is one machine word that carries
 * its own check, so it is never half written.  A step is written twice, in its pulse's
 * way before and as sent after it: a process that was killed in between leaves a count
 * that may be one step ahead of the rotor, and says so; any other is exact.
 *
 * Counts are in steps from 0 degrees, positive where the angle grows.  They are true as
 * long as the machine has not been restarted: the file carries the kernel's boot id, and
 * one of another boot says nothing, unless the caller chooses to trust it.
 *
 * Threads: an axis has one writer at a time; anybody may read any time. */
#ifndef HAL_POSITION_H
#define HAL_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

#define POSITION_BOOT_ID 40 /* a boot id and its NUL */
#define POSITION_AXES 16    /* records in a file */
#define POSITION_NAME 65    /* an axis' name and its NUL */

struct position_file;
struct position; /* one axis' record, of the file's memory */

/* The id that this boot of the kernel goes by. */
int position_boot_id(char boot_id[POSITION_BOOT_ID], struct err *err);

/* Opens path, or makes it.  A damaged file is moved aside, named in the log, and begun
 * anew.  assume trusts the counts of another boot where no axis was moving.  An axis that
 * was left within a pulse is doubted, not calibrated, and unsure by one step more. */
int position_open(struct position_file **out, const char *path, const char *boot_id,
		  bool assume, struct err *err);
void position_close(struct position_file *file); /* NULL is fine */

/* The memory that all counts stand in. */
const void *position_memory(const struct position_file *file, size_t *size);

/* The record of an axis, made with an unknown position when there is none.  A record that
 * counts other steps (steps_per_turn changed) becomes unknown. */
int position_find(struct position_file *file, const char *name, uint32_t steps_per_turn,
		  struct position **out, struct err *err);

int64_t position_count(const struct position *position);
bool position_known(const struct position *position);
bool position_calibrated(const struct position *position); /* found at an endstop */

/* By so many steps, either way, the count may be off. */
uint32_t position_unsure(const struct position *position);

/* One step, +1 or -1: counted, and on its way until position_sent(). */
void position_send(struct position *position, int step);
void position_sent(struct position *position);

/* The axis stands at count: because an endstop says so (calibrated), or somebody.  That
 * is sure, and ends every doubt. */
void position_declare(struct position *position, int64_t count, bool calibrated);
void position_forget(struct position *position);

/* What was calibrated is only known from now on: the axis may have been turned.  Doubts
 * stay. */
void position_uncalibrate(struct position *position);

/* An axis that has an endstop shall home before it moves on.  Any thread. */
void position_doubt(struct position *position, bool doubted);
bool position_doubted(const struct position *position);

/* Marks where a move begins and ends.  Where positions are trusted over a power cut, both
 * are on the disk when this returns. */
int position_moving(struct position_file *file, struct position *position, bool moving);

#endif
