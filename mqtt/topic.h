/* The topics of the contract: makes them, and tells what a received one means. */
#ifndef MQTT_TOPIC_H
#define MQTT_TOPIC_H

#include <stdbool.h>
#include <stddef.h>

#define TOPIC_MAX 257 /* 256 bytes and a NUL */
#define NAME_MAX_LENGTH 64

/* ^[A-Za-z0-9_-]{1,64}$: device ids, task ids, groups. */
bool topic_name_valid(const char *name);

/* ^[A-Za-z0-9._:-]{1,64}$: request ids. */
bool topic_request_valid(const char *request);

/* A device id: a valid name that does not begin with '_'. */
bool topic_device_valid(const char *name);

enum topic_kind {
	TOPIC_COMMAND,
	TOPIC_BARRIER, /* R/<d>/reply/_barrier */
	TOPIC_INFO,    /* R/<d>/info */
	TOPIC_TASK,    /* R/<d>/task/<t> */
	TOPIC_TYPE,    /* R/<d>/types/<type> */
	TOPIC_BIRTH,   /* <prefix>/status of Home Assistant, outside of root */
	TOPIC_OTHER,
};

enum topic_scope { SCOPE_DEVICE, SCOPE_GROUP, SCOPE_ALL };

struct topic {
	enum topic_kind kind;
	enum topic_scope scope;
	char noun[NAME_MAX_LENGTH + 1]; /* "task"; "" if the depth is wrong */
	char verb[NAME_MAX_LENGTH + 1]; /* "create"; "" for estop */
	char name[NAME_MAX_LENGTH + 1]; /* the group, the task's id or the type */
};

/* Finds what the topic in text means to device below root.  A command of a wrong depth is
 * TOPIC_COMMAND with an empty noun. */
void topic_parse(const char *root, const char *device, const char *text,
		 struct topic *topic);

/* Writes root/device/rest (rest as by printf) and returns out; "" if it is longer than
 * 256 bytes, since a truncated topic would be another one. */
char *topic_make(char out[TOPIC_MAX], const char *root, const char *device,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* May a reply be published to topic?  Only R/<d>/reply/… and R/_reply/…, at most 256
 * bytes, no wildcard, no empty level, not the barrier. */
bool topic_reply_allowed(const char *root, const char *device, const char *topic);

#endif
