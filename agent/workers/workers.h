/* The threads that do the work: runs of tasks and commands, one thread each.
 *
 * How many run at once is the scheduler's decision; threads are made when they are needed
 * and a few idle ones are kept.  What a run has to say goes to the mailbox. */
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

/* Stops every run, waits up to timeout_ms for them to end, frees everything when they
 * did. False when some did not: their threads go on until the process ends. */
bool workers_close(struct workers *workers, int64_t timeout_ms);

/* Copies what it needs. */
void workers_start(struct workers *workers, const struct run_params *params);

/* Any thread; a run that has ended meanwhile is not touched. */
void workers_pause(struct workers *workers, uint64_t run);
void workers_stop(struct workers *workers, uint64_t run, bool estopped);
void workers_go_on(struct workers *workers, uint64_t run);

/* For the loop, on each event it takes: fills a progress event with the newest value, and
 * lets go of a run that has ended. */
void workers_see(struct workers *workers, struct event *event);

#endif
