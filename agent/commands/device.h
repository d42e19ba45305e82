/* What the devices' nouns share: motor, light, camera, trigger, and device for all. */
#ifndef AGENT_COMMANDS_DEVICE_H
#define AGENT_COMMANDS_DEVICE_H

#include "agent/commands/pending.h"
#include "hal/rig_json.h"

/* Schemas of bodies. */
#define SCHEMA_NAME "\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64}"
#define SCHEMA_OBJECT(properties)                                                         \
	"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" properties \
	"}}"
#define SCHEMA_OBJECT_WITH(required, properties)                                         \
	"{\"type\":\"object\",\"additionalProperties\":false,\"required\":[" required    \
	"],\"properties\":{" properties "}}"

/* The devices of that kind that the command names, all without a name; refused when
 * there are none. */
bool device_named(struct core *core, struct response *response, enum device_kind kind,
		  uint64_t *devices);

/* Leaves the command to a worker, which holds the devices that it names. */
void device_start(struct core *core, struct response *response, enum device_kind kind);

/* The same for what moves or exposes: refused while the emergency stop is latched. */
void device_start_unless_estopped(struct core *core, struct response *response,
				  enum device_kind kind);

#endif
