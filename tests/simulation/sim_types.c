/* The tables of task types and devices. */
#include "tests/simulation/sim_types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* sim_workers.h plays the runs instead. */
static int never_called(const struct task_type *type, const struct task_host *host,
			struct task_run *run, const char *args)
{
	(void)type;
	(void)host;
	(void)run;
	(void)args;
	abort();
}

#define ARGS                                                                             \
	"{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\",\"minimum\":"  \
	"1,"                                                                             \
	"\"maximum\":999},\"project\":{\"type\":\"string\"}}}"
#define NEEDY_ARGS                                                                       \
	"{\"type\":\"object\",\"required\":[\"n\"],\"properties\":{\"n\":{\"type\":"     \
	"\"integer\"}}}"

static const char *const motors[] = {"motor", NULL};
static const char *const turntable[] = {"motor/turntable", NULL};
static const char *const camera_light[] = {"camera/sim", "light", NULL};
static const char *const whole_rig[] = {"motor", "camera", "light", "trigger", NULL};

const struct task_type sim_types[SIM_TYPES] = {
	{.name = "brief_task",
	 .title = "Brief",
	 .category = "test",
	 .args = ARGS,
	 .run = never_called},
	{.name = "plain_task",
	 .title = "Plain",
	 .category = "test",
	 .args = ARGS,
	 .run = never_called},
	{.name = "step_task",
	 .title = "Steps",
	 .category = "test",
	 .resumable = true,
	 .args = ARGS,
	 .run = never_called},
	{.name = "alone_task",
	 .title = "Alone",
	 .category = "test",
	 .is_exclusive = true,
	 .resumable = true,
	 .uses = whole_rig,
	 .args = ARGS,
	 .run = never_called},
	{.name = "block_task",
	 .title = "Blocks",
	 .category = "test",
	 .is_blocking = true,
	 .uses = turntable,
	 .args = ARGS,
	 .run = never_called},
	{.name = "move_task",
	 .title = "Moves",
	 .category = "test",
	 .resumable = true,
	 .uses = motors,
	 .args = ARGS,
	 .run = never_called},
	{.name = "photo_task",
	 .title = "Looks",
	 .category = "test",
	 .uses = camera_light,
	 .args = ARGS,
	 .run = never_called},
	{.name = "needy_task",
	 .title = "Needs",
	 .category = "test",
	 .is_blocking = true,
	 .args = NEEDY_ARGS,
	 .run = never_called},
};

static const uint32_t claims[SIM_TYPES] = {
	[3] = ROTOR | TURNTABLE | LIGHT | CAMERA | TRIGGER,
	[4] = TURNTABLE,
	[5] = ROTOR | TURNTABLE,
	[6] = CAMERA | LIGHT,
};

const struct core_device sim_devices[SIM_DEVICES] = {
	{DEVICE_MOTOR, "rotor"},      {DEVICE_MOTOR, "turntable"},
	{DEVICE_LIGHT, "ringlight"},  {DEVICE_CAMERA, "sim"},
	{DEVICE_TRIGGER, "external"},
};

struct registry *sim_types_registry(bool all)
{
	static const char *const namespaces[] = {"core", "test", NULL};
	const struct registry_options options = {.enabled = true,
						 .namespaces = namespaces};
	struct type_offer offers[SIM_TYPES + 1] = {{NULL, NULL}};
	struct registry *registry = NULL;
	struct err err;
	size_t n = 0;

	for (size_t i = all ? 0 : 1; i < SIM_TYPES; i++)
		offers[n++] = (struct type_offer){"test", &sim_types[i]};
	if (registry_open(&registry, &options, offers, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(2);
	}
	return registry;
}

int sim_type_index(const char *name)
{
	for (int i = 0; i < SIM_TYPES; i++)
		if (!strcmp(sim_types[i].name, name))
			return i;
	return -1;
}

uint32_t sim_type_claim(int type)
{
	return claims[type];
}

uint32_t sim_verb_claim(const char *verb, const char *body)
{
	if (!strcmp(verb, "motor/move") || !strcmp(verb, "motor/home") ||
	    !strcmp(verb, "motor/override"))
		return strstr(body, "\"rotor\"")       ? ROTOR
		       : strstr(body, "\"turntable\"") ? TURNTABLE
						       : ROTOR | TURNTABLE;
	if (!strncmp(verb, "light/", 6))
		return LIGHT;
	if (!strncmp(verb, "camera/", 7))
		return CAMERA;
	return !strcmp(verb, "trigger/fire") ? TRIGGER : 0;
}
