/* People and programs that want something of the agent: wishes, made by lot, and sent
 * once, twice or much later again. */
#ifndef TESTS_SIMULATION_CLIENT_H
#define TESTS_SIMULATION_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/prng.h"

#define ROOT "openscan/v1"
#define DEVICE "rig1"
#define OURS ROOT "/" DEVICE "/"
#define GROUP "lab"
#define REPLY_TOPIC ROOT "/_reply/sim" /* with the wish's number as Correlation Data */

#define WISH_ID 72
#define WISH_AFTER 3
#define WISH_DONE 8

struct wish {
	int number;
	char verb[24];
	char topic[128];
	char *body;
	char id[WISH_ID], request[24];
	bool retained; /* sent with the retain flag */
	bool rivalled; /* another wish has its id or request and wants something else */
	bool wild;     /* nobody knows what it asks for */
	bool hears;    /* its replies can be told from others */
	bool correlated;

	/* of a create */
	int type, priority;
	char after[WISH_AFTER][WISH_ID];
	int after_count;
	bool plain; /* nothing about it changes its place in the queue */

	/* what came of it, kept by the oracle */
	int sent;		    /* how often it was queued for the agent */
	int handled, first_handled; /* how often, and in which turn first */
	bool replied;
	uint64_t done[WISH_DONE]; /* hashes of the replies that said it was done */
	int done_count;
	char done_id[WISH_ID];
};

struct client {
	struct wish **wishes;
	int count, room;
	char (*ids)[WISH_ID]; /* tasks that may exist, oldest first */
	int id_count, id_room;
	int temper[8]; /* how likely each sort of wish is in this history */
	bool wild;     /* there were wild wishes: any may use another's id or request */
};

void client_init(struct client *client, struct prng *prng);
void client_clear(struct client *client);

/* A new wish, or an older one that is sent again. */
struct wish *client_make(struct client *client, struct prng *prng);

/* One whose body is random, byte by byte. */
struct wish *client_make_wild(struct client *client, struct prng *prng);

/* One with this verb and body, "" for none. */
struct wish *client_plain(struct client *client, const char *verb, const char *body);

/* The wish that a reply on this topic answers, NULL when nobody can tell. */
struct wish *client_of_reply(const struct client *client, const char *topic,
			     const void *correlation, size_t size);

/* A task that was heard of. */
void client_heard(struct client *client, const char *id);

#endif
