/* A program that openscan-task-host keeps for us, and the lines between it and us.
 *
 * One thread at a time.  Freeing it is the end of the program and of all that it started.
 */
#ifndef TASKS_COMMUNITY_PROCESS_H
#define TASKS_COMMUNITY_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/base/cancel.h"

#define PROCESS_LINE_MAX (256 * 1024)

struct process;

struct process_options {
	const char *host;	    /* the path of openscan-task-host */
	const char *isolation;	    /* what process_probe() said */
	const char *const *command; /* the first is an absolute path; NULL-terminated */
	const char *const *environment; /* NULL-terminated */
	const char *folder;		/* its working folder */
	int64_t memory, folder_bytes;	/* bytes */
	int processes, files;
	int nice; /* 0: as important as we are */
	int64_t kill_after_ms;
};

/* Starts it; whether the program itself could begin is told by its end. */
int process_start(struct process **out, const struct process_options *options,
		  struct err *err);
void process_free(struct process *process); /* NULL is fine */

/* How far programs can be shut in here: "user-pid", "pid" or "none". */
int process_probe(const char *host, char isolation[16], struct err *err);

enum process_news {
	PROCESS_LINE,  /* a line of standard output, without its newline */
	PROCESS_SAID,  /* one of standard error */
	PROCESS_LONG,  /* a line longer than PROCESS_LINE_MAX came; nothing more can be
			  read */
	PROCESS_WOKEN, /* the cancel is requested */
	PROCESS_TIME,  /* it is until */
	PROCESS_ENDED, /* it is gone, with all that it started and all it had to say */
};

/* Waits for news; *line is valid until the next call, *size without the NUL behind it.
 * cancel NULL or until (monotonic ms) -1: not waited for. */
enum process_news process_wait(struct process *process, struct cancel *cancel,
			       int64_t until, const char **line, size_t *size);

/* A line for its standard input.  Never waits: what a program does not read is kept, up
 * to a MiB, and then false says that it is lost. */
bool process_tell(struct process *process, const char *line);

/* Stops the program and all that it started where they are, and returns when they stand.
 */
void process_freeze(struct process *process);
void process_wake(struct process *process);

void process_end(struct process *process);  /* politely, by force after kill_after_ms */
void process_kill(struct process *process); /* now */

/* After PROCESS_ENDED: a sentence about what it did wrong in the eyes of its keeper, else
 * NULL; else the signal that ended it, else 0; and its exit code. */
const char *process_fault(const struct process *process);
int process_signal(const struct process *process);
int process_exit(const struct process *process);

#endif
