/* Positions of the axes, in a file that stays correct when the process is killed.
 *
 * The file is mapped into memory.  The count of an axis is one machine word that carries
 * its own check, so it is never half written.  Each step is written twice: as pending
 * before its pulse, and as sent after it.  A process that was killed in between leaves a
 * count that may be one step ahead of the rotor, and is marked as such; any other count
 * is exact.
 *
 * Counts are in steps from 0 degrees, positive where the angle grows.  They are valid
 * until the machine restarts: the file carries the kernel's boot id, and counts of
 * another boot are unknown unless the caller chooses to trust them.
 *
 * Threads: one writer per axis at a time; any thread may read at any time. */
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
struct position; /* one axis' record, in the file's memory */

/* The kernel's id of this boot. */
int position_boot_id(char boot_id[POSITION_BOOT_ID], struct err *err);

/* Opens path, or creates it.  A damaged file is moved aside, logged, and started afresh.
 * assume trusts the counts of another boot for axes that were not moving.  An axis that
 * was left within a pulse is doubted, not calibrated, and unsure by one more step. */
int position_open(struct position_file **out, const char *path, const char *boot_id,
		  bool assume, struct err *err);
void position_close(struct position_file *file); /* NULL is fine */

/* The memory of all counts. */
const void *position_memory(const struct position_file *file, size_t *size);

/* The record of an axis; a new one has an unknown position.  So has a record whose
 * steps_per_turn changed. */
int position_find(struct position_file *file, const char *name, uint32_t steps_per_turn,
		  struct position **out, struct err *err);

int64_t position_count(const struct position *position);
bool position_known(const struct position *position);
bool position_calibrated(const struct position *position); /* found at an endstop */

/* By how many steps, either way, the count may be off. */
uint32_t position_uncertainty(const struct position *position);

/* One step, +1 or -1: counted, and pending until position_end_step(). */
void position_begin_step(struct position *position, int step);
void position_end_step(struct position *position);

/* The axis is at count, found at an endstop (calibrated) or declared by a person.
 * Certain, and ends every doubt. */
void position_declare(struct position *position, int64_t count, bool calibrated);
void position_forget(struct position *position);

/* A calibrated position is only known from now on: the axis may have been turned by hand.
 * Doubts stay. */
void position_uncalibrate(struct position *position);

/* Whether an axis with an endstop must home before it moves on.  Any thread. */
void position_doubt(struct position *position, bool doubted);
bool position_doubted(const struct position *position);

/* Marks the beginning and the end of a move.  Where positions are trusted over a power
 * cut, the mark is on the disk when this returns. */
int position_moving(struct position_file *file, struct position *position, bool moving);

#endif
