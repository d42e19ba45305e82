/* A program supervised by openscan-task-host, and its standard streams as lines.
 *
 * One thread at a time.  Freeing the process ends the program and all that it started. */
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
	const char *host;	    /* path of openscan-task-host */
	const char *isolation;	    /* from process_probe() */
	const char *const *command; /* begins with an absolute path; NULL-terminated */
	const char *const *environment; /* NULL-terminated */
	const char *folder;		/* the working directory */
	int64_t memory, folder_bytes;	/* limits in bytes */
	int processes, files;
	int nice;
	int64_t kill_after_ms; /* from process_terminate() to SIGKILL */
};

/* Starts the program.  If it cannot be executed, that is reported when it has exited. */
int process_start(struct process **out, const struct process_options *options,
		  struct err *err);
void process_free(struct process *process); /* NULL is fine */

/* The strongest isolation available here: "user-pid", "pid" or "none". */
int process_probe(const char *host, char isolation[16], struct err *err);

enum process_event {
	PROCESS_STDOUT_LINE,   /* a line, without its newline */
	PROCESS_STDERR_LINE,   /* a line, without its newline */
	PROCESS_LINE_TOO_LONG, /* over PROCESS_LINE_MAX; nothing more can be read */
	PROCESS_CANCELLED,     /* the cancel was requested */
	PROCESS_TIMEOUT,
	PROCESS_EXITED, /* with all that it started; all its lines have been read */
};

/* Waits for an event.  *line is valid until the next call; *size does not count the NUL
 * after it.  cancel may be NULL; until is in monotonic ms, -1 for no timeout. */
enum process_event process_wait(struct process *process, struct cancel *cancel,
				int64_t until, const char **line, size_t *size);

/* Sends a line to standard input.  Never blocks: what the program has not read is
 * buffered. false when more than a MiB would be buffered; the line is lost then. */
bool process_send(struct process *process, const char *line);

/* Stops the program and all that it started (SIGSTOP), and returns when they have
 * stopped. */
void process_freeze(struct process *process);
void process_thaw(struct process *process); /* SIGCONT */

/* SIGTERM after a second, SIGKILL after kill_after_ms. */
void process_terminate(struct process *process);
void process_kill(struct process *process); /* SIGKILL now */

/* After PROCESS_EXITED: a sentence about a limit that was exceeded or a failed start, or
 * NULL; the signal that ended the program, or 0; and its exit code. */
const char *process_fault(const struct process *process);
int process_signal(const struct process *process);
int process_exit_code(const struct process *process);

#endif
