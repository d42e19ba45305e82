/* The tables of verbs, ended by a row without a name: one per file of verbs. */
#ifndef AGENT_COMMANDS_TABLES_H
#define AGENT_COMMANDS_TABLES_H

#include "agent/model/verb.h"

extern const struct verb task_create_verbs[], task_verbs[], task_list_verbs[],
	queue_verbs[], project_verbs[], motor_verbs[], light_verbs[], camera_verbs[],
	trigger_verbs[], settings_verbs[], device_verbs[], gpio_verbs[], agent_verbs[],
	estop_verbs[];

#endif
