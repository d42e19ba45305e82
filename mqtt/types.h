/* The messages and filters that a connection carries. */
#ifndef MQTT_TYPES_H
#define MQTT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A received message.  The pointers are valid only during the callback. */
struct incoming {
	const char *topic; /* NUL-terminated; no NUL inside */
	const void *payload;
	size_t size;
	int qos;
	bool retained, duplicate;
	int packet_id;
	const char *response_topic; /* NULL without one; NUL-terminated */
	const void *correlation;    /* NULL without one */
	size_t correlation_size;
};

struct outgoing {
	uint64_t token; /* handed to sent(); 0: do not report */
	const char *topic;
	const void *payload; /* copied */
	size_t size;
	int qos;
	bool retain;
	int expiry_s; /* 0: never */
	const void *correlation;
	size_t correlation_size;
};

struct filter {
	const char *topic;
	int qos;
	bool no_local;
	bool retain_as_published;
	/* When the broker sends retained messages: 0 at every subscribe, 1 only if the
	 * subscription is new, 2 never. */
	int retain_handling;
};

#endif
