/* Checks the agent against its contract, from outside: it sees what was received,
 * published and started, and now and then opens the database to see whether everything
 * published is in it.
 *
 * Each failed check calls violation() (trace.h). */
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

#define PUBLISHED_MAX 256

/* A task, as far as it is known from outside. */
struct known_task {
	char id[SIM_ID_SIZE];
	struct sim_command *command; /* its task/create; NULL when there may be several */
	bool accepted, published;
	int64_t rev;
	enum task_status status;
	bool cancelling;
	bool updated; /* somebody asked to change its priority */
	int started;  /* the turn of its first start, 0: never */
	/* the last turns in which this was published or requested, 0: never */
	int cancelled_at, paused_at, resumed_at, restarted_at;
	int saved, saving; /* the checkpoint whose commit its run was told of, and the
			      newest one */
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
	bool replies_lost;	      /* so old or so many that some were dropped */
	int any_resumed_at, any_restarted_at; /* by the short form, for an unknown task */
	struct known_task **started; /* plain ones in the order of their first start */
	int started_count, started_room;
	uint64_t *events; /* hashes, indexed by seq */
	int64_t last_seq, event_room;
	struct known_task *published[PUBLISHED_MAX]; /* published in this turn */
	int published_count;
};

void oracle_init(struct oracle *oracle, struct client *client,
		 struct sim_workers *workers);
void oracle_clear(struct oracle *oracle);

/* A turn begins. */
void oracle_turn(struct oracle *oracle, int turn);

/* A message was handled and is acknowledged; packet says how it was delivered. */
void oracle_handled(struct oracle *oracle, struct sim_command *command,
		    const struct packet *packet, bool disk_full);

/* The process ended during this message: it may have been handled or not. */
void oracle_maybe_handled(struct oracle *oracle, struct sim_command *command);

/* The process has ended; what was not saved is lost. */
void oracle_process_gone(struct oracle *oracle);

/* ---- the effects of a turn, in their order ---- */
void oracle_start(struct oracle *oracle, const struct effect *effect,
		  struct store *store);
void oracle_resume(struct oracle *oracle, const struct sim_worker *worker);
void oracle_command(struct oracle *oracle, const struct effect *effect, bool late);
void oracle_publish(struct oracle *oracle, const struct effect *effect,
		    struct store *store);
void oracle_estop_released(struct oracle *oracle, bool late);
void oracle_saving(struct oracle *oracle, const struct sim_worker *worker);
void oracle_saved(struct oracle *oracle, const struct sim_worker *worker);

/* All effects of the turn were carried out; checks each status that was published. */
void oracle_turn_end(struct oracle *oracle);

/* Checks that everything published is in this database. */
void oracle_check_rows(struct oracle *oracle, struct store *store);

/* Everything could finish; checks that it has, and that the broker retains the final
 * documents. */
void oracle_check_end(struct oracle *oracle, struct store *store,
		      const struct broker *broker);

#endif
