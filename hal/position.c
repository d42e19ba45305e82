/* The file of step counts: its records, its checks, and recovery after a kill. */
#include "hal/position.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "hal/mmap_file.h"

#define POSITION_MAGIC "oscpos1"
#define CHECK_BITS 16
#define CHECK_MASK ((UINT64_C(1) << CHECK_BITS) - 1)
#define UNSURE_MOST 1000 /* steps; more is damage */

/* Values that a torn or zeroed page does not show by chance. */
enum { STATE_UNKNOWN = 0x75a3c1d0, STATE_KNOWN, STATE_CALIBRATED };
enum { MARK_OFF = 0x3e5b7700, MARK_ON };

struct position {
	char name[POSITION_NAME]; /* "" for a free record */
	uint32_t steps_per_turn;
	_Atomic uint32_t state;
	_Atomic uint32_t moving;
	_Atomic uint32_t doubted;
	_Atomic uint32_t unsure; /* steps */
	_Atomic uint64_t word;	 /* the count and its check, inverted within a pulse */
};
/* Files of older versions are read: new fields are where zeros were. */
_Static_assert(sizeof(struct position) == 96, "the records of files in use");

struct position_page {
	char magic[8];
	char boot_id[POSITION_BOOT_ID];
	struct position axes[POSITION_AXES];
};

struct position_file {
	struct position_page *page;
	bool assume; /* trust the counts of another boot */
};

int position_boot_id(char boot_id[POSITION_BOOT_ID], struct err *err)
{
	const char *path = "/proc/sys/kernel/random/boot_id";
	FILE *file = fopen(path, "re");
	char *line;

	if (!file)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	line = fgets(boot_id, POSITION_BOOT_ID, file);
	fclose(file);
	if (!line)
		return err_set(err, -EIO, "%s is empty", path);
	boot_id[strcspn(boot_id, "\n")] = '\0';
	return 0;
}

/* The top bits of a multiplicative hash, so that no shifted count passes for another. */
static uint64_t position_check(uint64_t count)
{
	return (count * 0x9e3779b97f4a7c15u) >> (64 - CHECK_BITS);
}

static uint64_t position_pack(int64_t count)
{
	uint64_t high = (uint64_t)count << CHECK_BITS;

	return high | position_check(high >> CHECK_BITS);
}

static bool position_at_rest(uint64_t word)
{
	return (word & CHECK_MASK) == position_check(word >> CHECK_BITS);
}

/* Whether the last step of this word was still pending. */
static bool position_within_pulse(uint64_t word)
{
	return position_at_rest(word ^ CHECK_MASK);
}

static const char *record_damage(const struct position *record)
{
	if (!memchr(record->name, '\0', sizeof(record->name)))
		return "a name does not end";
	if (!record->name[0])
		return NULL;
	if (record->state - STATE_UNKNOWN > STATE_CALIBRATED - STATE_UNKNOWN)
		return "a state is none";
	if (record->moving - MARK_OFF > 1 || record->doubted - MARK_OFF > 1)
		return "a mark is none";
	if (!position_at_rest(record->word) && !position_within_pulse(record->word))
		return "a count does not fit its check";
	if (record->unsure > UNSURE_MOST)
		return "an uncertainty is none";
	return NULL;
}

/* Why the page cannot be used, or NULL. */
static const char *page_damage(const struct position_page *page)
{
	const char *why;

	if (memcmp(page->magic, POSITION_MAGIC, sizeof(page->magic)) != 0)
		return "it is no file of positions";
	if (!memchr(page->boot_id, '\0', sizeof(page->boot_id)))
		return "the boot id does not end";
	for (size_t i = 0; i < POSITION_AXES; i++) {
		why = record_damage(&page->axes[i]);
		if (why)
			return why;
	}
	return NULL;
}

static int page_create(struct position_file *file, const char *path, struct err *err)
{
	static const struct position_page empty = {.magic = POSITION_MAGIC};
	void *map;
	int ret = mmap_file_create(&map, path, &empty, sizeof(empty), err);

	if (ret < 0)
		return ret;
	file->page = map;
	return 0;
}

static int page_open(struct position_file *file, const char *path, struct err *err)
{
	struct err why = {0};
	const char *damage;
	void *map;
	int ret = mmap_file_open(&map, path, sizeof(*file->page), &why);

	if (ret == -ENOENT)
		return page_create(file, path, err);
	if (ret == -EBADMSG) {
		damage = why.text;
	} else if (ret < 0) {
		return err_set(err, ret, "%s", why.text);
	} else {
		damage = page_damage(map);
		if (!damage) {
			file->page = map;
			return 0;
		}
		mmap_file_close(map, sizeof(*file->page));
	}

	ret = mmap_file_set_aside(path, damage, err);
	return ret < 0 ? ret : page_create(file, path, err);
}

/* After a restart of the machine. */
static void record_enter_boot(struct position *record, bool assume)
{
	if (!position_known(record) || (assume && record->moving != MARK_ON))
		return;
	log_warn("the machine was restarted: the position of %s is unknown",
		 record->name);
	position_forget(record);
}

/* After a kill.  A pending pulse counts as sent, for the kernel ends a call before it
 * ends its caller. */
static void record_recover(struct position *record)
{
	if (!position_within_pulse(record->word))
		return;
	/* In this order: a kill in between only makes it less sure. */
	record->doubted = MARK_ON;
	if (record->unsure < UNSURE_MOST)
		record->unsure++;
	position_uncalibrate(record);
	position_end_step(record);
	if (position_known(record))
		log_warn("the agent was killed within a pulse of %s: its position may be "
			 "off by %u "
			 "of %u steps a turn",
			 record->name, record->unsure, record->steps_per_turn);
}

static void page_enter_boot(struct position_file *file, const char *boot_id)
{
	struct position_page *page = file->page;
	bool other = strcmp(page->boot_id, boot_id) != 0;

	for (size_t i = 0; i < POSITION_AXES; i++) {
		struct position *record = &page->axes[i];

		if (!record->name[0])
			continue;
		if (other)
			record_enter_boot(record, file->assume);
		record_recover(record);
		record->moving = MARK_OFF;
	}
	snprintf(page->boot_id, sizeof(page->boot_id), "%s", boot_id);
}

int position_open(struct position_file **out, const char *path, const char *boot_id,
		  bool assume, struct err *err)
{
	struct position_file *file = calloc(1, sizeof(*file));
	int ret;

	if (!file)
		return err_set(err, -ENOMEM, "out of memory");
	file->assume = assume;
	ret = page_open(file, path, err);
	if (ret < 0)
		goto fail;

	page_enter_boot(file, boot_id);
	*out = file;
	return 0;
fail:
	position_close(file);
	return ret;
}

const void *position_memory(const struct position_file *file, size_t *size)
{
	*size = sizeof(*file->page);
	return file->page;
}

void position_close(struct position_file *file)
{
	if (!file)
		return;
	if (file->page && mmap_file_sync(file->page, sizeof(*file->page)) < 0)
		log_error("the positions could not be written to the disk");
	mmap_file_close(file->page, sizeof(*file->page));
	free(file);
}

static struct position *page_record(struct position_page *page, const char *name)
{
	for (size_t i = 0; i < POSITION_AXES; i++)
		if (strcmp(page->axes[i].name, name) == 0)
			return &page->axes[i];
	return NULL;
}

static void record_begin(struct position *record, const char *name)
{
	record->state = STATE_UNKNOWN;
	record->moving = MARK_OFF;
	record->doubted = MARK_OFF;
	record->unsure = 0;
	record->word = position_pack(0);
	/* The name last: a record with a name is complete, even after a kill. */
	atomic_signal_fence(memory_order_release);
	snprintf(record->name, sizeof(record->name), "%s", name);
}

int position_find(struct position_file *file, const char *name, uint32_t steps_per_turn,
		  struct position **out, struct err *err)
{
	struct position *record = page_record(file->page, name);

	if (!record) {
		record = page_record(file->page, "");
		if (!record)
			return err_set(err, -ENOSPC,
				       "there is no room for the position of %s", name);
		record->steps_per_turn = steps_per_turn;
		record_begin(record, name);
	}
	if (record->steps_per_turn != steps_per_turn) {
		log_warn("%s has other steps than before: its position is unknown", name);
		position_forget(record);
		record->steps_per_turn = steps_per_turn;
	}
	*out = record;
	return 0;
}

int64_t position_count(const struct position *position)
{
	uint64_t word = atomic_load_explicit(&position->word, memory_order_relaxed);
	uint64_t count = word >> CHECK_BITS;
	uint64_t sign = UINT64_C(1) << (63 - CHECK_BITS);

	return (int64_t)((count ^ sign) - sign);
}

bool position_known(const struct position *position)
{
	return position->state != STATE_UNKNOWN;
}

bool position_calibrated(const struct position *position)
{
	return position->state == STATE_CALIBRATED;
}

uint32_t position_uncertainty(const struct position *position)
{
	return position->unsure;
}

static void position_write(struct position *position, uint64_t word)
{
	atomic_store_explicit(&position->word, word, memory_order_release);
}

void position_begin_step(struct position *position, int step)
{
	position_write(position,
		       position_pack(position_count(position) + step) ^ CHECK_MASK);
}

void position_end_step(struct position *position)
{
	position_write(position, position_pack(position_count(position)));
}

void position_declare(struct position *position, int64_t count, bool calibrated)
{
	/* Unknown in between: a kill must not leave the old count as known. */
	position->state = STATE_UNKNOWN;
	position_write(position, position_pack(count));
	position->doubted = MARK_OFF;
	position->unsure = 0;
	position->state = calibrated ? STATE_CALIBRATED : STATE_KNOWN;
}

void position_forget(struct position *position)
{
	position->state = STATE_UNKNOWN;
}

void position_uncalibrate(struct position *position)
{
	if (position->state == STATE_CALIBRATED)
		position->state = STATE_KNOWN;
}

void position_doubt(struct position *position, bool doubted)
{
	position->doubted = doubted ? MARK_ON : MARK_OFF;
}

bool position_doubted(const struct position *position)
{
	return position->doubted == MARK_ON;
}

int position_moving(struct position_file *file, struct position *position, bool moving)
{
	position->moving = moving ? MARK_ON : MARK_OFF;
	return file->assume ? mmap_file_sync(file->page, sizeof(*file->page)) : 0;
}
