/* Workers that play runs and acts: quick, slow and stuck ones, all of them as obedient as
 * the task API asks for. */
#ifndef TESTS_SIMULATION_SIM_WORKERS_H
#define TESTS_SIMULATION_SIM_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/model/effect.h"
#include "agent/workers/completion.h"
#include "tests/support/prng.h"
#include "tests/simulation/sim_mailbox.h"
#include "tests/simulation/sim_writer.h"

#define CREW_MAX 400
#define CREW_SAVED 24

struct member {
	uint64_t run;
	char id[72]; /* the task, or an act's verb */
	bool act;
	int kind; /* of the task; -1 for a dry_run and other acts */
	uint32_t claim;
	bool pause, stop, estopped;
	bool held;    /* stands at its gate and has said so */
	bool waits;   /* for a commit */
	bool over;    /* has said that it ended */
	bool saves;   /* its checkpoint is waiting */
	int patience; /* percent of its turns that it does nothing; 100: it is stuck until
			 the end of the history or of the process */
	int step;
	char saved[CREW_SAVED]; /* its last checkpoint */
	struct waiter waiter;	/* only its address is used */
};

struct crew {
	struct member members[CREW_MAX];
	int count;
	struct mail *mail;
	bool estopped; /* the rig refuses to move */
	int stuck;     /* of a thousand that start */
	struct studio *studio;
	bool cuts; /* the power may go while photos are written */
};

void crew_init(struct crew *crew, struct mail *mail);

/* Takes a START or an ACT. */
struct member *crew_start(struct crew *crew, const struct effect *effect,
			  struct prng *prng);
struct member *crew_find(struct crew *crew, uint64_t run); /* at work, or NULL */
struct member *crew_on(struct crew *crew, const char *task);

void crew_pause(struct crew *crew, uint64_t run);
void crew_stop(struct crew *crew, uint64_t run, bool estopped);
void crew_go_on(struct crew *crew, uint64_t run);

/* True when the waiter was a member's. */
bool crew_release(struct crew *crew, const struct waiter *waiter);

/* Is there one that can do something? */
bool crew_able(const struct crew *crew);

/* One of those that can do something does its next step; false when none can.  diligent:
 * it is an end, not a detour. */
bool crew_step(struct crew *crew, struct prng *prng, bool diligent);

/* The loop has taken this event: a run that has ended is let go of. */
void crew_see(struct crew *crew, const struct event *event);

#endif
