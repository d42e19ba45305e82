/* The threads that do the work: runs of tasks and commands, one thread each.
 *
 * The scheduler decides how many run concurrently; threads are created when they are
 * needed, and a few idle ones are kept.  Runs report to the mailbox. */
#ifndef AGENT_WORKERS_WORKERS_H
#define AGENT_WORKERS_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/model/event.h"
#include "agent/model/verb.h"
#include "agent/workers/mailbox.h"
#include "agent/workers/run.h"
#include "tasks/registry.h"
#include "tasks/services.h"

struct rig_slot; /* agent/workers/rig_slot.h */
struct workers;

int workers_open(struct workers **out, struct mailbox *mailbox,
		 const struct task_services *services, struct rig_slot *rig_slot,
		 struct err *err);

/* Stops every run, waits up to timeout_ms for their ends, then frees everything.  False
 * when some did not end: their threads continue until the process ends. */
bool workers_close(struct workers *workers, int64_t timeout_ms);

/* Starts a run; copies what it needs of params. */
void workers_start(struct workers *workers, const struct run_params *params);

/* Any thread; without effect on a run that has ended. */
void workers_pause(struct workers *workers, uint64_t run);
void workers_stop(struct workers *workers, uint64_t run, bool estopped);
void workers_resume(struct workers *workers, uint64_t run);

/* The loop calls this for each event that it takes: fills a progress event with the
 * newest value, and frees a run that has ended. */
void workers_take_event(struct workers *workers, struct event *event);

#endif
