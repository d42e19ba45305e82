/* One run of a task or a command: what the code of a task type is lent while it works,
 * what it tells, and what it is asked for meanwhile.
 *
 * Made by the loop, worked on by one thread, freed by the loop when it has taken the
 * event that ends it. */
#ifndef AGENT_WORKERS_RUN_H
#define AGENT_WORKERS_RUN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/cancel.h"
#include "agent/model/event.h"
#include "agent/model/verb.h"
#include "agent/workers/mailbox.h"
#include "tasks/registry.h"
#include "tasks/services.h"

#define RUN_MESSAGE_BYTES 257

struct run_params {
	uint64_t run;
	const struct registered_type *type; /* of the task, or of a dry_run */
	const char *task;		    /* its id; NULL for a command */
	const struct verb *verb;	    /* of a command */
	const char *args;		    /* or the body of a command */
	const char *saved;		    /* its last checkpoint, or NULL */
	int attempt;
};

struct task_run {
	uint64_t id;
	struct mailbox *mailbox;
	const struct registered_type *type;
	const struct verb *verb; /* NULL: a task's */
	char *task, *args, *saved;
	int attempt;
	struct cancel cancel;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	bool pause, stop, estopped, parked;
	bool posted; /* a progress event is on its way */
	double current, total;
	char message[RUN_MESSAGE_BYTES];
	int log_lines, log_dropped;

	/* the run's thread alone */
	char *result;
	char code[32];
	char *text;

	struct task_run *next; /* the lock of the workers */
};

enum run_ask { ASK_PAUSE, ASK_STOP, ASK_ESTOP, ASK_GO_ON };

/* Copies what it needs of order; without memory the process ends. */
struct task_run *run_new(const struct run_params *params, struct mailbox *mailbox);
void run_free(struct task_run *run);
void run_free_all(struct task_run *first); /* and all behind it */

/* What a task type is lent; the run is an argument of each function in it. */
struct task_host run_host(const struct task_services *services);

/* For the run's thread: works on the task and returns the event that tells its end. */
struct event *run_work(struct task_run *run, const struct task_host *host);

struct event *run_event(const struct task_run *run, enum event_kind kind);

/* Copies as much of text as fits into size bytes, without cutting a character in two. */
void run_copy_text(char *place, size_t size, const char *text);

/* Any thread. */
void run_ask(struct task_run *run, enum run_ask ask);

/* For the loop: fills a progress event with the newest value; a line of the log was
 * taken. */
void run_see_progress(struct task_run *run, struct event *event);
void run_see_log(struct task_run *run);

#endif
