/* Plays the runs and direct commands of the workers: quick, slow and stuck ones, all of
 * which obey the task API. */
#ifndef TESTS_SIMULATION_SIM_WORKERS_H
#define TESTS_SIMULATION_SIM_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/model/effect.h"
#include "agent/workers/completion.h"
#include "tests/support/prng.h"
#include "tests/simulation/sim_mailbox.h"
#include "tests/simulation/sim_writer.h"

#define SIM_WORKERS_MAX 400
#define SIM_WORKERS_SAVED 24

struct sim_worker {
	uint64_t run;
	char id[72]; /* of the task, or the verb of a direct command */
	bool command;
	int type; /* of the task; -1 for dry_run and direct commands */
	uint32_t claim;
	bool pause, stop, estopped;
	bool parked;  /* it is parked at its gate and has reported that */
	bool waits;   /* it waits for a commit */
	bool over;    /* it has reported its end */
	bool saves;   /* its checkpoint waits for a commit */
	int patience; /* percent of its turns in which it does nothing; 100: it is stuck
			 until the end of the history or of the process */
	int step;
	char saved[SIM_WORKERS_SAVED]; /* its latest checkpoint */
	struct completion completion;  /* only its address is used */
};

struct sim_workers {
	struct sim_worker workers[SIM_WORKERS_MAX];
	int count;
	struct sim_mailbox *mailbox;
	bool estopped; /* the rig refuses to move */
	int stuck;     /* how many of a thousand get stuck */
	struct sim_writer *sim_writer;
	bool cuts; /* the power may be cut while photos are written */
};

void sim_workers_init(struct sim_workers *workers, struct sim_mailbox *mailbox);

/* Takes an EFFECT_START or an EFFECT_COMMAND. */
struct sim_worker *sim_workers_start(struct sim_workers *workers,
				     const struct effect *effect, struct prng *prng);
/* The worker of a run that has not ended, or NULL. */
struct sim_worker *sim_workers_find(struct sim_workers *workers, uint64_t run);
struct sim_worker *sim_workers_find_task(struct sim_workers *workers, const char *task);

void sim_workers_pause(struct sim_workers *workers, uint64_t run);
void sim_workers_stop(struct sim_workers *workers, uint64_t run, bool estopped);
void sim_workers_resume(struct sim_workers *workers, uint64_t run);

/* True when the completion belonged to a worker. */
bool sim_workers_release(struct sim_workers *workers,
			 const struct completion *completion);

/* Whether any of them can do something. */
bool sim_workers_able(const struct sim_workers *workers);

/* Lets one of those that can do something take its next step; false when none can.
 * diligent: it ends its run as soon as it may. */
bool sim_workers_step(struct sim_workers *workers, struct prng *prng, bool diligent);

/* The loop has taken this event: a run that has ended is forgotten. */
void sim_workers_event_taken(struct sim_workers *workers, const struct event *event);

#endif
