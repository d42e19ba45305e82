/* The list of all tables, and the search in it. */
#include "agent/commands/verbs.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/suggest.h"
#include "agent/commands/tables.h"

static const struct verb *const tables[] = {
	task_create_verbs, task_verbs,	task_list_verbs, queue_verbs,	project_verbs,
	motor_verbs,	   light_verbs, camera_verbs,	 trigger_verbs, settings_verbs,
	device_verbs,	   gpio_verbs,	agent_verbs,	 estop_verbs,
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < TABLES; i++)
		for (const struct verb *verb = tables[i]; verb->name; verb++)
			if (!strcmp(verb->name, name))
				return verb;
	return NULL;
}

void verb_name(char name[VERB_NAME_SIZE], const struct topic *topic)
{
	snprintf(name, VERB_NAME_SIZE, "%s%s%s", topic->noun, *topic->verb ? "/" : "",
		 topic->verb);
}

const struct verb *verb_of_topic(const struct topic *topic)
{
	char name[VERB_NAME_SIZE];

	verb_name(name, topic);
	return verb_find(name);
}

void verb_suggest(struct suggest *suggest)
{
	for (size_t i = 0; i < TABLES; i++)
		for (const struct verb *verb = tables[i]; verb->name; verb++)
			suggest_offer(suggest, verb->name);
}
