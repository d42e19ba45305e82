#include "agent/outbox/telemetry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <utlist.h>

#define BOARD_TIDY 256 /* pumps between two looks for spent topics */

struct notice {
	char *topic;
	int qos;
	bool retain, once;
	int64_t interval_ms, next_at;
	int expiry_s;
	char *value;
	size_t size;
	bool waits;		    /* newer than what was sent */
	uint64_t token;		    /* in flight; 0: not */
	struct notice *prev, *next; /* in the list of those that wait */
	bool listed;
	UT_hash_handle hh;
};

struct board {
	struct notice *notices;
	struct notice *waiting; /* oldest first */
	unsigned flying;
	unsigned pumps;
	int64_t dropped;
};

int board_open(struct board **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

static void notice_free(struct notice *notice)
{
	free(notice->topic);
	free(notice->value);
	free(notice);
}

void board_close(struct board *board)
{
	struct notice *notice, *next;

	if (!board)
		return;
	HASH_ITER(hh, board->notices, notice, next) {
		HASH_DEL(board->notices, notice);
		notice_free(notice);
	}
	free(board);
}

static struct notice *board_find(const struct board *board, const char *topic)
{
	struct notice *notice;

	HASH_FIND_STR(board->notices, topic, notice);
	return notice;
}

static struct notice *board_add(struct board *board, const struct board_topic *topic)
{
	struct notice *notice = calloc(1, sizeof(*notice));

	if (!notice || !(notice->topic = strdup(topic->topic)))
		abort(); /* see effects_add() */
	notice->qos = topic->qos;
	notice->retain = topic->retain;
	notice->once = topic->once;
	notice->interval_ms = topic->interval_ms;
	notice->expiry_s = topic->expiry_s;
	HASH_ADD_KEYPTR(hh, board->notices, notice->topic, strlen(notice->topic), notice);
	return notice;
}

static void board_wait(struct board *board, struct notice *notice)
{
	notice->waits = true;
	if (notice->listed)
		return;
	notice->listed = true;
	DL_APPEND(board->waiting, notice);
}

static void board_unlist(struct board *board, struct notice *notice)
{
	if (!notice->listed)
		return;
	notice->listed = false;
	DL_DELETE(board->waiting, notice);
}

void board_set(struct board *board, const struct board_topic *topic, const void *value,
	       size_t size)
{
	struct notice *notice = board_find(board, topic->topic);

	if (!notice)
		notice = board_add(board, topic);
	else if (notice->retain && notice->size == size && notice->value &&
		 !memcmp(notice->value, value, size))
		return;
	if (notice->waits && notice->once)
		board->dropped++;
	if (size > notice->size || !notice->value) {
		char *room = realloc(notice->value, size + 1);

		if (!room)
			abort();
		notice->value = room;
	}
	memcpy(notice->value, value, size);
	notice->size = size;
	board_wait(board, notice);
}

void board_again(struct board *board)
{
	struct notice *notice, *next;

	HASH_ITER(hh, board->notices, notice, next)
		if (notice->retain && notice->value)
			board_wait(board, notice);
}

void board_again_topic(struct board *board, const char *topic)
{
	struct notice *notice = board_find(board, topic);

	if (!notice || !notice->value)
		return;
	board_unlist(board, notice);
	board_wait(board, notice);
}

bool board_due(const struct board *board, const char *topic, int64_t now)
{
	const struct notice *notice = board_find(board, topic);

	return !notice || notice->next_at <= now;
}

static void board_send(struct board *board, struct notice *notice,
		       struct effects *effects, uint32_t epoch, int64_t now,
		       uint64_t token)
{
	struct effect *effect = effects_add(effects, EFFECT_PUBLISH);

	effect->epoch = epoch;
	effect->token = token;
	effect->name = strdup(notice->topic);
	effect->text = malloc(notice->size + 1);
	if (!effect->name || !effect->text)
		abort();
	memcpy(effect->text, notice->value, notice->size);
	effect->size = notice->size;
	effect->qos = notice->qos;
	effect->retain = notice->retain;
	effect->expiry_s = notice->expiry_s;
	notice->token = token;
	notice->waits = false;
	notice->next_at = now + notice->interval_ms;
	if (notice->qos)
		board->flying++;
}

/* Progress topics of tasks that have ended.  They stay for their interval, which is what
 * keeps the rate, and go when somebody looks. */
static void board_tidy(struct board *board, int64_t now)
{
	struct notice *notice, *next;

	HASH_ITER(hh, board->notices, notice, next) {
		if (!notice->once || notice->waits || notice->token ||
		    notice->next_at > now)
			continue;
		HASH_DEL(board->notices, notice);
		notice_free(notice);
	}
}

void board_pump(struct board *board, struct effects *effects, uint32_t epoch, int64_t now,
		unsigned flying, unsigned window, uint64_t *token)
{
	struct notice *notice, *next;

	if (++board->pumps % BOARD_TIDY == 0)
		board_tidy(board, now);
	DL_FOREACH_SAFE(board->waiting, notice, next) {
		if (notice->token || notice->next_at > now)
			continue;
		if (notice->qos && flying + board->flying >= window)
			continue;
		board_unlist(board, notice);
		board_send(board, notice, effects, epoch, now, ++*token);
	}
}

bool board_sent(struct board *board, uint64_t token)
{
	struct notice *notice, *next;

	HASH_ITER(hh, board->notices, notice, next) {
		if (notice->token != token)
			continue;
		notice->token = 0;
		if (notice->qos)
			board->flying--;
		return true;
	}
	return false;
}

void board_link_down(struct board *board)
{
	struct notice *notice, *next;

	HASH_ITER(hh, board->notices, notice, next) {
		if (notice->token && notice->retain)
			board_wait(board, notice);
		notice->token = 0;
		if (!notice->once)
			continue;
		/* Progress of a time when nobody listened is of no use to anybody. */
		board_unlist(board, notice);
		HASH_DEL(board->notices, notice);
		notice_free(notice);
	}
	board->flying = 0;
}

unsigned board_flying(const struct board *board)
{
	return board->flying;
}

bool board_settled(const struct board *board)
{
	return !board->flying && !board->waiting;
}

int64_t board_wake(const struct board *board, int64_t now)
{
	const struct notice *notice;
	int64_t wake = -1;

	DL_FOREACH(board->waiting, notice) {
		int64_t at = notice->next_at > now ? notice->next_at : now;

		if (!notice->token && (wake < 0 || at < wake))
			wake = at;
	}
	return wake;
}

int64_t board_dropped(const struct board *board)
{
	return board->dropped;
}
