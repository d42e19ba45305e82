/* The slot of the rig, in which it can be swapped while the agent runs.
 *
 * Tasks and commands use task_services.rig directly; the core makes sure that none of
 * them runs during a swap.  Stops and requests for a state come at any time and on any
 * thread, so they go through the functions here.  During a swap there is no rig: the old
 * one is stopped and dark, and an emergency stop applies to the new one. */
#ifndef AGENT_WORKERS_RIG_SLOT_H
#define AGENT_WORKERS_RIG_SLOT_H

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "hal/rig.h"
#include "tasks/services.h"

struct rig_slot;

/* Opens the rig of config (taken over, also on failure) and puts it into services, which
 * must outlive the slot. */
int rig_slot_open(struct rig_slot **out, cJSON *config, const struct rig_options *options,
		  struct task_services *services, struct err *err);
void rig_slot_close(struct rig_slot *slot); /* NULL is fine */

/* Closes the rig and opens the rig of config, of which a copy is kept; takes seconds with
 * real cameras.  A config with any problem is refused and leaves the old rig as it is.
 * Nothing else may use the rig until this returns. */
int rig_slot_swap(struct rig_slot *slot, const cJSON *config, struct err *err);

/* {"backend", "problems": [sentences], "devices": [{"kind","name"}]}; the caller deletes
 * it.  Not during a swap. */
cJSON *rig_slot_describe(const struct rig_slot *slot);

/* Calls the options' changed() for every device. */
void rig_slot_notify_all(const struct rig_slot *slot);

/* The state of a device ("motor/rotor"), NULL if there is none of that name; the caller
 * deletes it.  Any thread, as are the functions below. */
cJSON *rig_slot_state(struct rig_slot *slot, const char *device);

/* Do nothing during a swap, but an emergency stop is kept for the new rig. */
void rig_slot_stop_motion(struct rig_slot *slot);
void rig_slot_estop(struct rig_slot *slot);
void rig_slot_release_estop(struct rig_slot *slot);

#endif
