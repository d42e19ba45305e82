/* A broker with one session, the agent's: retained topics, a queue of QoS 1 messages,
 * subscriptions, acknowledgements that may be lost in either direction, and snapshots
 * that it can be restored from. */
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
	struct sim_command *command; /* NULL: topic and text belong to the packet */
	char *topic, *text;
	bool retained, duplicate;
	bool waited;   /* it was queued before the agent connected */
	bool released; /* its acknowledgement is on its way */
	bool at_most_once;
	int id; /* 0: not delivered yet */
	struct packet *next;
};

/* Something that the agent has sent and the broker has not received yet. */
enum sent_kind { SENT_PUBLISH, SENT_SUBSCRIBE, SENT_UNSUBSCRIBE, SENT_PUBACK };

struct sent_packet {
	enum sent_kind kind;
	struct effect effect; /* its strings belong to this packet */
	bool last;	      /* of a subscription's filters */
	struct sent_packet *next;
};

struct acknowledgement {
	uint64_t token;
	bool subscribed;
};

/* A retained publish whose acknowledgement the agent still waits for. */
struct in_flight {
	uint64_t token, topic; /* a hash */
};

struct broker_state {
	struct retained *retained;
	struct packet *queue; /* of the session, oldest first */
	bool session, commands, barrier;
};

#define ACKS_MAX 2048

struct broker {
	struct broker_state state, snapshot;
	bool has_snapshot;
	bool connected;
	uint32_t epoch;
	unsigned window;
	struct sent_packet *sent, **sent_last; /* by the agent */
	struct acknowledgement acks[ACKS_MAX];
	int ack_first, ack_count;
	struct in_flight in_flight[ACKS_MAX];
	int in_flight_count;
	int last_id;

	struct packet *outstanding;   /* delivered and not yet released */
	struct completion completion; /* of the outstanding message; only */
	bool waiting; /* the event of the outstanding message has not been released */
	struct sim_mailbox *mailbox;
};

void broker_init(struct broker *broker, struct sim_mailbox *mailbox);
void broker_clear(struct broker *broker);

/* A client publishes. */
void broker_publish(struct broker *broker, struct sim_command *command);

/* The agent connects; posts EVENT_LINK_UP. */
void broker_connect(struct broker *broker, struct prng *prng);

/* The connection breaks; posts a LINK_DOWN if the agent is alive.  A part of what was on
 * its way to the broker still arrives. */
void broker_disconnect(struct broker *broker, struct prng *prng, bool agent_lives);

void broker_take_snapshot(struct broker *broker);

/* The broker is killed and restarted from its snapshot, or empty.  Must not be called
 * while connected, nor while a message is not released. */
void broker_restart(struct broker *broker);

/* The session has expired.  The same conditions apply. */
void broker_lose_session(struct broker *broker);

/* Takes an effect of the agent that is meant for the broker, with its strings. */
void broker_take(struct broker *broker, struct effect *effect);

/* The next packet from the agent arrives; the next acknowledgement or message is sent
 * (again: it was delivered before).  False or NULL when there is none. */
bool broker_receive(struct broker *broker);
bool broker_acknowledge(struct broker *broker);
const struct packet *broker_deliver(struct broker *broker, bool *again);

/* True when the completion belonged to the outstanding message: the agent acknowledges
 * it. */
bool broker_release(struct broker *broker, const struct completion *completion);

const struct retained *broker_retained(const struct broker *broker, const char *topic);

/* Whether nothing is on its way in either direction. */
bool broker_is_idle(const struct broker *broker);

#endif
