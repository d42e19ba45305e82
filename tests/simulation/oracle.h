/* Holds the agent to its contract, from outside: it sees what came in, what was told and
 * what was started, and now and then it opens the database to see whether what was told
 * is there.
 *
 * Every promise that it finds broken is said with broken() (trace.h). */
#ifndef TESTS_SIMULATION_ORACLE_H
#define TESTS_SIMULATION_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>

#include "agent/model/effect.h"
#include "agent/store/store.h"
#include "tests/simulation/broker.h"
#include "tests/simulation/client.h"
#include "tests/simulation/sim_workers.h"

#define TOLD_MAX 256

/* A task, as far as somebody outside can know it. */
struct known {
	char id[WISH_ID];
	struct wish *wish; /* its create, NULL when there may be several */
	bool accepted, told;
	int64_t rev;
	enum task_status status;
	bool cancelling;
	bool updated; /* somebody wanted to change its priority */
	int started;  /* the turn in which it was started first, 0: never */
	/* the last turns in which this was told or wished, 0: never */
	int cancelled_at, paused_at, resumed_at, restarted_at;
	int saved, saving; /* the checkpoint that was acknowledged to its run, and the
			      newest */
	UT_hash_handle hh;
};

struct judge {
	struct known *tasks;
	struct client *client;
	struct sim_workers *workers;
	int turn;
	int max_concurrent, blocking_threads;
	bool estopped, estop_unsaved; /* unsaved: carried out on a full disk */
	bool was_full;		      /* the disk */
	bool may_repeat;	      /* the broker came back from a snapshot */
	bool replies_lost; /* they waited so long, or were so many, that some were given
			      up */
	int any_resumed_at, any_restarted_at; /* by the short form, whoever was meant */
	struct known **started; /* plain ones in the order of their first start */
	int started_count, started_room;
	uint64_t *events; /* hashes by seq */
	int64_t last_seq, event_room;
	struct known *told[TOLD_MAX]; /* in this turn */
	int told_count;
};

void judge_init(struct judge *judge, struct client *client, struct sim_workers *workers);
void judge_clear(struct judge *judge);

/* The turn that begins is number turn. */
void judge_turn(struct judge *judge, int turn);

/* A message was handled and is acknowledged: retained and waited say how it came, held
 * that the disk is full. */
void judge_handled(struct judge *judge, struct wish *wish, const struct packet *packet,
		   bool held);

/* The process ended with a message in hand: nobody can tell whether it was handled. */
void judge_in_hand(struct judge *judge, struct wish *wish);

/* The process has ended; what was not saved is forgotten. */
void judge_process_gone(struct judge *judge);

/* ---- the effects of a turn, in their order ---- */
void judge_start(struct judge *judge, const struct effect *effect, struct store *store);
void judge_go_on(struct judge *judge, const struct sim_worker *worker);
void judge_act(struct judge *judge, const struct effect *effect, bool late);
void judge_publish(struct judge *judge, const struct effect *effect, struct store *store);
void judge_estop_released(struct judge *judge, bool late);
void judge_saving(struct judge *judge, const struct sim_worker *worker);
void judge_saved(struct judge *judge, const struct sim_worker *worker);

/* All effects of the turn are carried out: is every status that it told true? */
void judge_turn_end(struct judge *judge);

/* Is all that was told in this database? */
void judge_rows(struct judge *judge, struct store *store);

/* Everything was allowed to finish: has it, and does the broker hold the truth? */
void judge_end(struct judge *judge, struct store *store, const struct broker *broker);

#endif
