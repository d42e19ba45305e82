/* All that the author of a task type needs.
 *
 * A task type is one struct: what it is called, what it uses, which arguments it takes,
 * and the function that does the work.  Copy tasks/examples/generator_task.c and go on
 * from there.  A run has a thread of its own; the host functions may be called from that
 * thread only. */
#ifndef TASKS_TASK_API_H
#define TASKS_TASK_API_H

#include <stdbool.h>
#include <stdint.h>

#define TASK_API_VERSION 1

/* What is wanted of a run at a moment. */
enum task_request { TASK_REQUEST_NONE, TASK_REQUEST_PAUSE, TASK_REQUEST_STOP };

struct task_run;      /* one run of one task; the host's, opaque */
struct task_services; /* rig and projects, for the types of this tree: tasks/services.h */
struct cancel;	      /* agent/base/cancel.h */

enum task_log { TASK_LOG_ERROR, TASK_LOG_WARN, TASK_LOG_INFO, TASK_LOG_DEBUG };

/* What the host lends to a run.  New members are added at the end; size tells which
 * exist. */
struct task_host {
	uint32_t version; /* TASK_API_VERSION */
	uint32_t size;	  /* sizeof(struct task_host) of the host */

	/* How far the work is.  Cheap, never waits, the newest wins; total 0 means that
	 * the end is not known.  message may be NULL. */
	void (*progress)(struct task_run *run, double current, double total,
			 const char *message);

	/* Says that the work has effects from now on that must not happen twice, and
	 * returns when that is on disk.  A run that was cut off before it said so (or
	 * reported progress) is started over as if it had never run. */
	int (*begin)(struct task_run *run);

	/* Saves state (a JSON text) and returns when it is on disk; a resumed run gets
	 * the last one back from saved().  Non-zero when the run shall stop: return soon.
	 */
	int (*checkpoint)(struct task_run *run, const char *state);

	/* The state to go on from, or NULL when this run starts at the beginning. */
	const char *(*saved)(struct task_run *run);

	/* Between two steps: returns 0 at once, waits while the task is paused, and
	 * returns non-zero when the run shall stop.  Then undo what must be undone and
	 * return that value.  Async types come here at least every 100 ms, blocking ones
	 * every 10 s. */
	int (*gate)(struct task_run *run);

	/* Lets time pass; comes back early, with gate()'s answer, for a pause or a stop.
	 */
	int (*sleep)(struct task_run *run, int64_t ms);

	/* Raised while a pause or a stop is asked for: hand it to calls that take long.
	 * NULL outside of this tree. */
	struct cancel *(*cancel)(struct task_run *run);

	/* One line for the task's log. */
	void (*log)(struct task_run *run, enum task_log level, const char *text);

	/* The result, a JSON text; the last call wins. */
	void (*result)(struct task_run *run, const char *json);

	/* Why the run fails: a code of the contract and a sentence.  Returns -1, so that
	 * `return host->fail_with(run, "hardware_fault", "…");` reads well. */
	int (*fail_with)(struct task_run *run, const char *code, const char *text);

	/* An event of this task on R/<d>/event ("scan.photo"); data is a JSON object. */
	void (*event)(struct task_run *run, const char *name, const char *data);

	const char *(*id)(struct task_run *run);
	int (*attempt)(struct task_run *run);

	/* True after the reason to stop is that the hardware must not move any more. */
	bool (*estopped)(struct task_run *run);

	/* A newer JPEG of a camera for its image topic; the host copies it. */
	void (*image)(struct task_run *run, const char *camera, const void *jpeg,
		      uint64_t size);

	const struct task_services *services; /* NULL outside of this tree */

	/* The rig, for types outside of this tree, as far as they say that they use it: a
	 * verb of tasks/community/README.md and its members as a JSON object.  Returns
	 * when it is done: 0 and the answer's value as JSON text (the host's, until the
	 * next call; answer may be NULL), or -1 after fail_with().  NULL within this
	 * tree, where there are services. */
	int (*rig)(struct task_run *run, const char *verb, const char *members,
		   const char **answer);

	/* What gate() would do, without doing it. */
	enum task_request (*request)(struct task_run *run);
};

/* What dry_run answers; a type without estimate() answers with zeros and no problems. */
struct task_estimate {
	double photos, bytes, seconds, bytes_free;
	char *problems; /* JSON array of {"code","message"}, malloc'ed, or NULL for none
			 */
};

/* What is wrong with arguments, and where. */
struct task_problem {
	char path[128]; /* JSON pointer below the arguments: "/project" */
	char sentence[512];
};

/* Every type is one of these. */
struct task_type {
	const char *name;     /* ^[a-z][a-z0-9_]*_task$ */
	const char *title;    /* "Photogrammetry scan" */
	const char *category; /* "core" "example" "community" "test" */
	bool is_exclusive;    /* runs alone */
	bool is_blocking;     /* may take 10 s between two gates */
	bool resumable;	      /* goes on from its last checkpoint */
	const char *const
		*uses;	  /* "motor" "light" "camera" "trigger": every device of the kind;
			   * "camera/sim": that one.  NULL-terminated, or NULL for none */
	const char *args; /* JSON Schema of the arguments */

	/* What the schema cannot say about arguments that fit it: 0, or -1 with the
	 * problem.  Asked when a task is created, so quick and without I/O; required
	 * arguments may still be missing in a chain.  NULL for types that have nothing to
	 * add. */
	int (*check)(const struct task_type *type, const char *args,
		     struct task_problem *problem);

	/* Does the work.  args is a JSON object that fits the schema, defaults filled in.
	 * 0 when done; what gate() said when stopped; -1 after fail_with(). */
	int (*run)(const struct task_type *type, const struct task_host *host,
		   struct task_run *run, const char *args);

	/* What a run with these arguments would take.  NULL for types that cannot tell.
	 * Runs on a worker thread, changes nothing.  Asked of the types of this tree
	 * only. */
	int (*estimate)(const struct task_type *type,
			const struct task_services *services, const char *args,
			struct task_estimate *estimate);

	/* No second task of the type is taken while one lives with the same text in this
	 * argument ("project"); NULL: as many as want. */
	const char *unique_by;
};

/* What a shared object shows the host: its types.  Types that were built against an older
 * version of this header keep working; size tells how far they go. */
struct task_types {
	uint32_t version;		      /* TASK_API_VERSION */
	uint32_t size;			      /* sizeof(struct task_type) */
	const struct task_type *const *types; /* NULL-terminated */
};

/* Stands once in a shared object: TASK_TYPES(&task_turn, &task_other); */
#define TASK_TYPES(...)                                                                  \
	extern const struct task_types openscan_task_types;                              \
	__attribute__((visibility("default")))                                           \
	const struct task_types openscan_task_types = {                                  \
		.version = TASK_API_VERSION,                                             \
		.size = sizeof(struct task_type),                                        \
		.types = (const struct task_type *const[]){__VA_ARGS__, 0},              \
	}

#endif
