/* Would Home Assistant take this discovery message?  The rules of its MQTT integration
 * for device discovery, as far as they concern the kinds of entities that we tell it of.
 */
#ifndef TESTS_SUPPORT_DISCOVERY_RULES_H
#define TESTS_SUPPORT_DISCOVERY_RULES_H

#include <stddef.h>

#include <cjson/cJSON.h>

/* 0, or -1 and in problem what it would be refused for. */
int discovery_rules(const char *prefix, const char *topic, const cJSON *message,
		    char *problem, size_t size);

#endif
