/* Checks whether Home Assistant would accept a discovery message, by the rules of its
 * MQTT integration for device discovery, as far as they concern the entities that the
 * agent publishes. */
#ifndef TESTS_SUPPORT_DISCOVERY_RULES_H
#define TESTS_SUPPORT_DISCOVERY_RULES_H

#include <stddef.h>

#include <cjson/cJSON.h>

/* Returns 0, or -1 with the reason for the refusal in problem. */
int discovery_rules(const char *prefix, const char *topic, const cJSON *message,
		    char *problem, size_t size);

#endif
