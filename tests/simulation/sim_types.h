/* The task types and devices of the simulated agent, and what the judge knows of them. */
#ifndef TESTS_SIMULATION_SIM_TYPES_H
#define TESTS_SIMULATION_SIM_TYPES_H

#include <stdint.h>

#include "agent/turn.h"
#include "tasks/registry.h"

enum { ROTOR = 1, TURNTABLE = 2, LIGHT = 4, CAMERA = 8, TRIGGER = 16 };

extern const struct task_type kinds[];
extern const struct core_device kind_devices[];
#define KINDS 8
#define KIND_DEVICES 5

/* A registry of all kinds, or of all but the first. */
struct registry *kinds_registry(bool all);

/* Its number, -1 when there is no such kind. */
int kind_of(const char *name);

/* The devices that a run of this kind holds. */
uint32_t kind_claim(int kind);

/* The devices that a direct command holds. */
uint32_t verb_claim(const char *verb, const char *body);

#endif
