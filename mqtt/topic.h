/* The topics of the contract: their names, and what a topic that came in means. */
#ifndef MQTT_TOPIC_H
#define MQTT_TOPIC_H

#include <stdbool.h>
#include <stddef.h>

#define TOPIC_MAX 257 /* 256 bytes and a NUL */
#define NAME_MAX_LENGTH 64

/* ^[A-Za-z0-9_-]{1,64}$ : device ids, task ids, groups. */
bool topic_name_valid(const char *name);

/* ^[A-Za-z0-9._:-]{1,64}$ : request ids. */
bool topic_request_valid(const char *request);

/* A device id: a valid name that does not begin with '_'. */
bool topic_device_valid(const char *name);

enum topic_kind {
	TOPIC_COMMAND,
	TOPIC_BARRIER, /* R/<d>/reply/_barrier */
	TOPIC_INFO,    /* R/<d>/info */
	TOPIC_TASK,    /* R/<d>/task/<t> */
	TOPIC_TYPE,    /* R/<d>/types/<type> */
	TOPIC_BIRTH, /* <prefix>/status of Home Assistant: any such topic outside of root
		      */
	TOPIC_OTHER,
};

enum topic_scope { SCOPE_DEVICE, SCOPE_GROUP, SCOPE_ALL };

struct topic {
	enum topic_kind kind;
	enum topic_scope scope;
	char noun[NAME_MAX_LENGTH + 1]; /* "task"; "" when the depth is wrong */
	char verb[NAME_MAX_LENGTH + 1]; /* "create"; "" for estop */
	char name[NAME_MAX_LENGTH + 1]; /* the group, the task's id or the type */
};

/* What topic means to device below root; a command of a wrong depth is TOPIC_COMMAND with
 * an empty noun. */
void topic_parse(const char *root, const char *device, const char *text,
		 struct topic *topic);

/* Writes root/device/rest (printf form) and returns out; "" when that is longer than 256
 * bytes: half a topic is somebody else's. */
char *topic_make(char out[TOPIC_MAX], const char *root, const char *device,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* May a reply go there?  Only R/<d>/reply/… and R/_reply/…, at most 256 bytes, no
 * wildcard, no empty level, not the barrier. */
bool topic_reply_allowed(const char *root, const char *device, const char *topic);

#endif
