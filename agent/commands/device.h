/* What the verbs of motor, light, camera and trigger share. */
#ifndef AGENT_COMMANDS_DEVICE_H
#define AGENT_COMMANDS_DEVICE_H

#include "agent/commands/pending.h"
#include "hal/rig_json.h"

/* Pieces of the schemas. */
#define SCHEMA_NAME "\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64}"
#define SCHEMA_OBJECT(properties)                                                         \
	"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" properties \
	"}}"
#define SCHEMA_OBJECT_WITH(required, properties)                                         \
	"{\"type\":\"object\",\"additionalProperties\":false,\"required\":[" required    \
	"],\"properties\":{" properties "}}"

/* The devices of that kind that the command names, or all of them without a name; refused
 * when there are none. */
bool device_named(struct core *core, struct response *response, enum device_kind kind,
		  uint64_t *devices);

/* Leaves the command to a worker, which holds the devices that it names. */
void device_start(struct core *core, struct response *response, enum device_kind kind);

/* The same for verbs that move or expose: refused while the emergency stop is latched. */
void device_start_unless_estopped(struct core *core, struct response *response,
				  enum device_kind kind);

#endif
