/* One promise of the outbox: a task document, a clearing or a reply that the broker has
 * not acknowledged.  Without memory for one the process ends, see effects_add(). */
#ifndef AGENT_OUTBOX_MESSAGE_H
#define AGENT_OUTBOX_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>
#include <utlist.h>

#include "agent/store/store.h"

/* It is in one of the lists of the outbox, which owns it. */
struct letter {
	enum promise kind;
	int64_t number; /* its row; 0: not stored */
	char *topic;
	char task[TASK_ID];
	char *payload; /* a reply's */
	void *correlation;
	size_t correlation_size;
	int packet; /* a stored reply: the message that it answers, 0 for none */
	char message[SHA256_HEX];
	int64_t age, not_before;
	uint64_t token; /* 0: not in flight */
	bool changed;	/* a newer version came while it flew */
	bool refused;	/* the broker said no: not again on this connection */
	struct letter *prev, *next;
	UT_hash_handle hh; /* by topic: documents and clearings */
};

/* topic is copied. */
struct letter *letter_new(enum promise kind, const char *topic);
void letter_free(struct letter *letter);
void letters_free(struct letter **list);

/* Copies bytes; NULL: it has none. */
void letter_set_correlation(struct letter *letter, const void *bytes, size_t size);

/* Is it the reply to that message? */
bool letter_answers(const struct letter *letter, int packet, const char *message);

#endif
