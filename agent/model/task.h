/* A task: one requested piece of work, and the document that is published about it. */
#ifndef AGENT_MODEL_TASK_H
#define AGENT_MODEL_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/json.h"
#include "tasks/registry.h"

#define TASK_ID 65 /* 64 bytes and a NUL */
#define TASK_AFTER_MAX 32
#define TASK_MESSAGE 257
#define TASK_DOCUMENT_MAX (16 * 1024)
#define TASK_ARGS_IN_DOCUMENT (4 * 1024)
#define TASK_RESULT_IN_DOCUMENT (8 * 1024)

enum task_status {
	TASK_PENDING,
	TASK_RUNNING,
	TASK_PAUSED,
	TASK_COMPLETED,
	TASK_CANCELLED,
	TASK_ERROR,
	TASK_INTERRUPTED,
};

enum task_stopping { STOPPING_NOT, STOPPING_PAUSE, STOPPING_CANCEL };

/* Why a run was asked to stop; decides the status of its task. */
enum stop_reason {
	STOP_NONE,
	STOP_CANCEL,
	STOP_TIMEOUT,
	STOP_ESTOP,
	STOP_MOTION, /* motor/stop: nothing may move, but the stop is not latched */
	STOP_SHUTDOWN,
	STOP_PAUSED_TOO_LONG,
};

struct task {
	/* as created */
	int64_t number; /* its row; counts all tasks ever created */
	char id[TASK_ID];
	char type_name[65];
	const struct registered_type *type; /* NULL: this agent does not know it */
	char category[16];
	bool is_exclusive, is_blocking, resumable;
	char *args;   /* JSON object, defaults filled in */
	char *labels; /* JSON object */
	char after[TASK_AFTER_MAX][TASK_ID];
	size_t after_count;
	uint32_t after_open; /* bit i: after[i] has not ended yet */
	/* In a "then" chain: the task whose result fills in missing arguments. */
	char predecessor[TASK_ID];
	int priority, retries;
	int64_t retry_delay_ms, timeout_ms; /* timeout 0: none */
	bool resumes;	    /* on_interrupt: continue after an interruption */
	char boot[17];	    /* the start of the agent that created it */
	int64_t created_at; /* wall clock, for people */

	/* as it runs */
	enum task_status status;
	enum task_stopping stopping;
	int64_t rev;
	int64_t durable_rev; /* the last one that changed more than progress */
	int64_t arrival;     /* orders tasks of equal priority */
	int attempt, retries_left, resumed, crashes;
	double current, total;
	char message[TASK_MESSAGE];
	char *checkpoint; /* what its last run saved, or NULL */
	bool has_effects; /* the present attempt may have had effects */
	bool requeued;	  /* pending because it ran before: a retry, a restore */
	char *result;
	char error_code[32];
	char *error_message;
	int64_t started_at, completed_at; /* wall clock; 0: not yet */
	int64_t elapsed_ms; /* running time, pauses not counted, up to running_since */
	int64_t attempt_ms; /* the same for this attempt alone */
	int64_t ended_age;  /* age of the agent when it ended */

	/* only while the agent runs */
	uint64_t claim;	     /* the devices that it holds while it runs, one bit each */
	uint64_t run;	     /* its run; 0: none */
	int64_t start_order; /* counts every start; the highest started last */
	bool parked;	     /* the run waits at its gate */
	enum stop_reason stop;
	int64_t stop_asked;	/* monotonic; 0: not asked */
	int64_t running_since;	/* monotonic; 0: its clock is stopped */
	int64_t paused_since;	/* monotonic */
	int64_t not_before;	/* monotonic; a retry waits until then */
	int64_t progress_saved; /* monotonic */
	bool progress_waits;	/* newer than what is saved */
	double first_current;	/* current when this run began, for the ETA */
	int64_t first_ms;	/* elapsed_ms then */
	int64_t step_ms;	/* elapsed_ms when current last changed */
	int photos;		/* taken, for R/<d>/current; -1: not a photo task */
};

struct task *task_new(void);
void task_free(struct task *task); /* NULL is fine */

/* Makes an ended task pending again, for another attempt: without result and error, and
 * without progress unless it continues from its checkpoint. */
void task_reset(struct task *task, bool from_checkpoint);

bool task_is_live(const struct task *task);   /* pending, running or paused */
bool task_is_active(const struct task *task); /* holds a slot: running or paused */

const char *task_status_name(enum task_status status);
int task_status_parse(const char *name); /* -1 for anything else */

/* Running time so far, in milliseconds. */
int64_t task_elapsed(const struct task *task, int64_t now);

/* Seconds until the end at the present pace; -1 when unknown or more than a year. */
double task_eta(const struct task *task, int64_t now);

/* 0 to 100; -1 when the total is unknown. */
double task_percent(const struct task *task);

/* Replaces an owned text with a copy; NULL empties it. */
void task_set_text(char **place, const char *text);

/* Sets the error of a task: a code of the contract and a sentence, or NULL. */
void task_set_error(struct task *task, const char *code, const char *text);
void task_clear_error(struct task *task);

/* The document of contract section 4.  place is its place in the queue (0: at the head),
 * -1 when it is not queued.  whole: keep arguments and results of any size (task/get). */
cJSON *task_document(const struct task *task, const char *store, int place, int64_t now,
		     bool whole);

#endif
