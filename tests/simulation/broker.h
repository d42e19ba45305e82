/* A broker with one session, the agent's: retained topics, a queue of QoS 1 messages,
 * subscriptions, acknowledgements in both directions that may be lost, and snapshots of
 * itself that it may come back from. */
#ifndef TESTS_SIMULATION_BROKER_H
#define TESTS_SIMULATION_BROKER_H

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>

#include "agent/model/effect.h"
#include "agent/workers/completion.h"
#include "tests/support/prng.h"
#include "tests/simulation/client.h"
#include "tests/simulation/sim_mailbox.h"

struct retained {
	char *topic, *text;
	size_t size;
	UT_hash_handle hh;
};

/* A message for the agent. */
struct packet {
	struct sim_command *command; /* NULL: the texts are the packet's own */
	char *topic, *text;
	bool retained, duplicate;
	bool waited;   /* it was here before the agent connected */
	bool released; /* its acknowledgement is on its way */
	bool at_most_once;
	int id; /* 0: not delivered yet */
	struct packet *next;
};

/* Something that the agent has sent and the broker has not seen yet, or its answer. */
enum parcel_kind { PARCEL_PUBLISH, PARCEL_SUBSCRIBE, PARCEL_UNSUBSCRIBE, PARCEL_PUBACK };

struct parcel {
	enum parcel_kind kind;
	struct effect effect; /* its strings are the parcel's */
	bool last;	      /* of a subscription's filters */
	struct parcel *next;
};

struct answer_due {
	uint64_t token;
	bool subscribed;
};

/* A retained message that the agent waits to hear of. */
struct flight {
	uint64_t token, topic; /* a hash */
};

struct broker_state {
	struct retained *retained;
	struct packet *queue; /* the session's, oldest first */
	bool session, commands, barrier;
};

#define ANSWERS_MAX 2048

struct broker {
	struct broker_state state, snapshot;
	bool has_snapshot;
	bool connected;
	uint32_t epoch;
	unsigned window;
	struct parcel *sent, **sent_last; /* by the agent */
	struct answer_due answers[ANSWERS_MAX];
	int answer_first, answer_count;
	struct flight flights[ANSWERS_MAX];
	int flight_count;
	int last_id;

	struct packet *outstanding; /* delivered and not released */
	struct waiter waiter; /* the outstanding message's; only its address is used */
	bool waiting;	      /* the event of the outstanding message is not released */
	struct sim_mailbox *mailbox;
};

void broker_init(struct broker *broker, struct sim_mailbox *mailbox);
void broker_clear(struct broker *broker);

/* A client publishes. */
void broker_publish(struct broker *broker, struct sim_command *command);

/* The agent connects; its CONNECTED is posted. */
void broker_connect(struct broker *broker, struct prng *prng);

/* The connection breaks; a DISCONNECTED is posted when the agent lives.  Of what was on
 * its way to the broker a part arrives. */
void broker_disconnect(struct broker *broker, struct prng *prng, bool agent_lives);

void broker_take_snapshot(struct broker *broker);

/* Killed and started again: back to its snapshot, or to nothing.  Not while connected,
 * nor while a message is not released. */
void broker_come_back(struct broker *broker);

/* The session has expired.  The same conditions. */
void broker_lose_session(struct broker *broker);

/* Takes an effect of the agent's for the broker; its strings with it. */
void broker_take(struct broker *broker, struct effect *effect);

/* The next thing from the agent arrives; the next answer, the next message leaves (again:
 * it was delivered before).  False or NULL when there is none. */
bool broker_receive(struct broker *broker);
bool broker_answer(struct broker *broker);
const struct packet *broker_deliver(struct broker *broker, bool *again);

/* True when the waiter was the outstanding message's: the agent acknowledges. */
bool broker_release(struct broker *broker, const struct waiter *waiter);

const struct retained *broker_retained(const struct broker *broker, const char *topic);

/* Is nothing on its way in either direction? */
bool broker_quiet(const struct broker *broker);

#endif
