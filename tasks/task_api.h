/* Everything the author of a task type needs.
 *
 * A task type is one struct: its name, the devices it uses, the arguments it takes, and
 * the function that does the work.  Start from a copy of tasks/examples/blink_task.c.
 * Each run has its own thread; the host functions may be called from that thread only.
 */
#ifndef TASKS_TASK_API_H
#define TASKS_TASK_API_H

#include <stdbool.h>
#include <stdint.h>

#define TASK_API_VERSION 1

/* What the user currently requests of a run. */
enum task_request { TASK_REQUEST_NONE, TASK_REQUEST_PAUSE, TASK_REQUEST_STOP };

struct task_run;      /* one run of one task; the host's, opaque */
struct task_services; /* rig and projects, for the types of this tree: tasks/services.h */
struct cancel;	      /* agent/base/cancel.h */

enum task_log { TASK_LOG_ERROR, TASK_LOG_WARN, TASK_LOG_INFO, TASK_LOG_DEBUG };

/* The functions that the host offers to a run.  New members are added at the end; size
 * says which exist. */
struct task_host {
	uint32_t version; /* TASK_API_VERSION */
	uint32_t size;	  /* sizeof(struct task_host) of the host */

	/* Reports how far the work is.  Cheap, never waits; only the latest call counts.
	 * total 0 means that the end is not known.  message may be NULL. */
	void (*progress)(struct task_run *run, double current, double total,
			 const char *message);

	/* Announces that the work will now have effects that must not happen twice;
	 * returns when that is on disk.  A run that is cut off before this call (and
	 * before its first progress()) is started again as if it had never run. */
	int (*begin)(struct task_run *run);

	/* Saves state (a JSON text) and returns when it is on disk; a resumed run gets
	 * the last one back from saved().  Non-zero when the run should stop: return
	 * soon.
	 */
	int (*checkpoint)(struct task_run *run, const char *state);

	/* The state to resume from, or NULL when this run starts at the beginning. */
	const char *(*saved)(struct task_run *run);

	/* Called between two steps: returns 0 immediately, waits while the task is
	 * paused, and returns non-zero when the run should stop.  Then undo what must be
	 * undone and return that value.  Async types must call it at least every 100 ms,
	 * blocking ones every 10 s. */
	int (*gate)(struct task_run *run);

	/* Waits; during a pause as long as gate() does.  A stop ends the wait early with
	 * gate()'s answer. */
	int (*sleep)(struct task_run *run, int64_t ms);

	/* Requested while a pause or a stop is: pass it to calls that take long.  NULL
	 * outside this tree. */
	struct cancel *(*cancel)(struct task_run *run);

	/* One line for the task's log. */
	void (*log)(struct task_run *run, enum task_log level, const char *text);

	/* The result, a JSON text; the last call wins. */
	void (*result)(struct task_run *run, const char *json);

	/* Sets why the run fails: a code of the contract and a sentence.  Returns -1, so
	 * that `return host->fail_with(run, "hardware_fault", "…");` reads well. */
	int (*fail_with)(struct task_run *run, const char *code, const char *text);

	/* Publishes an event of this task on R/<d>/event ("scan.photo"); data is a JSON
	 * object. */
	void (*event)(struct task_run *run, const char *name, const char *data);

	const char *(*id)(struct task_run *run);
	int (*attempt)(struct task_run *run);

	/* True when the run should stop because of an emergency stop: do not move the
	 * hardware any more. */
	bool (*estopped)(struct task_run *run);

	/* Publishes a JPEG on the image topic of a camera; the host copies it. */
	void (*image)(struct task_run *run, const char *camera, const void *jpeg,
		      uint64_t size);

	const struct task_services *services; /* NULL outside this tree */

	/* The rig for types outside this tree, limited to the devices they declare: a
	 * verb of tasks/community/README.md and its members as a JSON object.  Returns
	 * when the call is done: 0 and the answer's value as JSON text (owned by the host
	 * until the next call; answer may be NULL), or -1 after fail_with().  NULL within
	 * this tree, which has services. */
	int (*rig)(struct task_run *run, const char *verb, const char *members,
		   const char **answer);

	/* What gate() would act on, without acting on it. */
	enum task_request (*request)(struct task_run *run);
};

/* The answer to dry_run; a type without estimate() answers zeros and no problems. */
struct task_estimate {
	double photos, bytes, seconds, bytes_free;
	/* JSON array of {"code","message"}, malloc'ed, or NULL for none. */
	char *problems;
};

/* What is wrong with arguments, and where. */
struct task_problem {
	char path[128]; /* JSON pointer below the arguments: "/project" */
	char sentence[512];
};

/* A task type. */
struct task_type {
	const char *name;     /* ^[a-z][a-z0-9_]*_task$ */
	const char *title;    /* "Photogrammetry scan" */
	const char *category; /* "core" "example" "community" "test" */
	bool is_exclusive;    /* runs alone */
	bool is_blocking;     /* may take 10 s between two gates */
	bool resumable;	      /* resumes from its last checkpoint */
	/* The devices that a run holds.  "motor" "light" "camera" "trigger": every device
	 * of the kind; "camera/sim": that one.  NULL-terminated, or NULL for none. */
	const char *const *uses;
	const char *args; /* JSON Schema of the arguments */

	/* Checks what the schema cannot express, on arguments that fit it: 0, or -1 with
	 * the problem.  Called when a task is created, so it must be quick and do no I/O;
	 * in a chain, required arguments may still be missing.  NULL for types that need
	 * no more than the schema. */
	int (*check)(const struct task_type *type, const char *args,
		     struct task_problem *problem);

	/* Does the work.  args is a JSON object that fits the schema, with its defaults.
	 * 0 when done; gate()'s answer when stopped; -1 after fail_with(). */
	int (*run)(const struct task_type *type, const struct task_host *host,
		   struct task_run *run, const char *args);

	/* Estimates a run with these arguments, on a worker thread and without changing
	 * anything.  NULL for types that cannot.  Called for types of this tree only. */
	int (*estimate)(const struct task_type *type,
			const struct task_services *services, const char *args,
			struct task_estimate *estimate);

	/* The argument ("project") whose value must differ among the unfinished tasks of
	 * this type: another task with the same value is refused.  NULL for no limit. */
	const char *unique_by;
};

/* The types that a shared object exports.  Types built against an older version of this
 * header keep working; size says which members they have. */
struct task_types {
	uint32_t version;		      /* TASK_API_VERSION */
	uint32_t size;			      /* sizeof(struct task_type) */
	const struct task_type *const *types; /* NULL-terminated */
};

/* Used once per shared object: TASK_TYPES(&task_turn, &task_other); */
#define TASK_TYPES(...)                                                                  \
	extern const struct task_types openscan_task_types;                              \
	__attribute__((visibility("default")))                                           \
	const struct task_types openscan_task_types = {                                  \
		.version = TASK_API_VERSION,                                             \
		.size = sizeof(struct task_type),                                        \
		.types = (const struct task_type *const[]){__VA_ARGS__, 0},              \
	}

#endif
