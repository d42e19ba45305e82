/* One run of a task or a command: the functions that it may call, its state, and the
 * requests to it.
 *
 * The loop makes it, one thread executes it, and the loop frees it when it takes the
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

/* What the loop starts a run with. */
struct run_params {
	uint64_t run;
	const struct registered_type *type; /* of the task or the dry run, else NULL */
	const char *task;		    /* id; NULL for a command */
	const struct verb *verb;	    /* of a command, else NULL */
	const char *args;		    /* of the task, or the body of the command */
	const char *saved;		    /* the last checkpoint, or NULL */
	int attempt;
};

struct task_run {
	uint64_t id;
	struct mailbox *mailbox;
	const struct registered_type *type;
	const struct verb *verb; /* of a command, else NULL */
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

	struct task_run *next; /* the workers' lock */
};

enum run_request { RUN_PAUSE, RUN_STOP, RUN_ESTOP, RUN_RESUME };

/* Copies what it needs of params; without memory the process ends. */
struct task_run *run_new(const struct run_params *params, struct mailbox *mailbox);
void run_free(struct task_run *run);
void run_free_all(struct task_run *first); /* with all behind it */

/* The functions that a task type may call; each has the run as an argument. */
struct task_host run_host(const struct task_services *services);

/* On the run's thread: runs the task and returns EVENT_FINISHED. */
struct event *run_execute(struct task_run *run, const struct task_host *host);

struct event *run_event(const struct task_run *run, enum event_kind kind);

/* Copies as much of text as fits into size bytes, without cutting a character in two. */
void run_copy_text(char *place, size_t size, const char *text);

/* Any thread. */
void run_request(struct task_run *run, enum run_request request);

/* On the loop's thread: fills a progress event with the newest value; counts a line of
 * the log that was taken. */
void run_fill_progress(struct task_run *run, struct event *event);
void run_log_taken(struct task_run *run);

#endif
