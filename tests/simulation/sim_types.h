/* The task types and devices of the simulated agent, as the oracle knows them. */
#ifndef TESTS_SIMULATION_SIM_TYPES_H
#define TESTS_SIMULATION_SIM_TYPES_H

#include <stdint.h>

#include "agent/turn.h"
#include "tasks/registry.h"

enum { ROTOR = 1, TURNTABLE = 2, LIGHT = 4, CAMERA = 8, TRIGGER = 16 };

extern const struct task_type sim_types[];
extern const struct core_device sim_devices[];
#define SIM_TYPES 8
#define SIM_DEVICES 5

/* A registry of all types, or of all but the first. */
struct registry *sim_types_registry(bool all);

/* The index of a type, or -1. */
int sim_type_index(const char *name);

/* The devices that a run of this type holds. */
uint32_t sim_type_claim(int type);

/* The devices that a direct command holds. */
uint32_t sim_verb_claim(const char *verb, const char *body);

#endif
