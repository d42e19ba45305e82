#include "agent/outbox/message.h"

#include <stdlib.h>
#include <string.h>

void letter_free(struct letter *letter)
{
	free(letter->topic);
	free(letter->payload);
	free(letter->correlation);
	free(letter);
}

struct letter *letter_new(enum promise kind, const char *topic)
{
	struct letter *letter = calloc(1, sizeof(*letter));

	if (!letter || !(letter->topic = strdup(topic)))
		abort(); /* see effects_add() */
	letter->kind = kind;
	return letter;
}

void letter_set_correlation(struct letter *letter, const void *bytes, size_t size)
{
	if (!bytes)
		return;
	letter->correlation = malloc(size ? size : 1);
	if (!letter->correlation)
		abort();
	memcpy(letter->correlation, bytes, size);
	letter->correlation_size = size;
}

bool letter_answers(const struct letter *letter, int packet, const char *message)
{
	return letter->packet == packet && !strcmp(letter->message, message);
}

void letters_free(struct letter **list)
{
	struct letter *letter, *next;

	DL_FOREACH_SAFE(*list, letter, next) {
		DL_DELETE(*list, letter);
		letter_free(letter);
	}
}
