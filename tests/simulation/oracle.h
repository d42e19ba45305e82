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
struct known_task {
	char id[SIM_ID_SIZE];
	struct sim_command *command; /* its create, NULL when there may be several */
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

struct oracle {
	struct known_task *tasks;
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
	struct known_task **started; /* plain ones in the order of their first start */
	int started_count, started_room;
	uint64_t *events; /* hashes by seq */
	int64_t last_seq, event_room;
	struct known_task *told[TOLD_MAX]; /* in this turn */
	int told_count;
};

void oracle_init(struct oracle *oracle, struct client *client,
		 struct sim_workers *workers);
void oracle_clear(struct oracle *oracle);

/* The turn that begins is number turn. */
void oracle_turn(struct oracle *oracle, int turn);

/* A message was handled and is acknowledged: retained and waited say how it came, held
 * that the disk is full. */
void oracle_handled(struct oracle *oracle, struct sim_command *command,
		    const struct packet *packet, bool held);

/* The process ended with a message in hand: nobody can tell whether it was handled. */
void oracle_maybe_handled(struct oracle *oracle, struct sim_command *command);

/* The process has ended; what was not saved is forgotten. */
void oracle_process_gone(struct oracle *oracle);

/* ---- the effects of a turn, in their order ---- */
void oracle_start(struct oracle *oracle, const struct effect *effect,
		  struct store *store);
void oracle_go_on(struct oracle *oracle, const struct sim_worker *worker);
void oracle_act(struct oracle *oracle, const struct effect *effect, bool late);
void oracle_publish(struct oracle *oracle, const struct effect *effect,
		    struct store *store);
void oracle_estop_released(struct oracle *oracle, bool late);
void oracle_saving(struct oracle *oracle, const struct sim_worker *worker);
void oracle_saved(struct oracle *oracle, const struct sim_worker *worker);

/* All effects of the turn are carried out: is every status that it told true? */
void oracle_turn_end(struct oracle *oracle);

/* Is all that was told in this database? */
void oracle_check_rows(struct oracle *oracle, struct store *store);

/* Everything was allowed to finish: has it, and does the broker hold the truth? */
void oracle_check_end(struct oracle *oracle, struct store *store,
		      const struct broker *broker);

#endif
