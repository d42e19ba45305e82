/* Where the rig sits, so that it can be exchanged while the agent runs.
 *
 * Tasks and commands use the rig that stands in task_services; the core sees to it that
 * none of them does while it is exchanged.  What comes at any moment and on any thread
 * goes through the functions here: stops, and questions for a state.  Between two rigs
 * there is none: it was stopped and dark when it was closed, and an emergency stop meets
 * the next one. */
#ifndef AGENT_WORKERS_RIG_SLOT_H
#define AGENT_WORKERS_RIG_SLOT_H

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "hal/rig.h"
#include "tasks/services.h"

struct seat;

/* Opens the rig of config (taken over, also when it fails) and puts it into services,
 * which must outlive the seat. */
int seat_open(struct seat **out, cJSON *config, const struct rig_options *options,
	      struct task_services *services, struct err *err);
void seat_close(struct seat *seat); /* NULL is fine */

/* Closes the rig and opens that of config, a copy of which is kept; takes seconds with
 * real cameras.  A config in which anything is wrong is refused and leaves the old rig as
 * it is. Nobody may use the rig meanwhile. */
int seat_exchange(struct seat *seat, const cJSON *config, struct err *err);

/* {"backend", "problems": [sentences], "devices": [{"kind","name"}]}; the caller deletes
 * it.  Not while it is exchanged. */
cJSON *seat_describe(const struct seat *seat);

/* Tells the options' changed() of every device. */
void seat_tell_all(const struct seat *seat);

/* The state of a device ("motor/rotor"); NULL when there is none of that name. */
cJSON *seat_state(struct seat *seat, const char *device);

void seat_stop_motion(struct seat *seat);
void seat_estop(struct seat *seat);
void seat_release_estop(struct seat *seat);

#endif
