/* The real agent as a separate process, with the simulated rig. */
#ifndef TESTS_SUPPORT_DEVICE_H
#define TESTS_SUPPORT_DEVICE_H

#include <limits.h>
#include <stdbool.h>

#include "tests/support/child.h"
#include "tests/support/folder.h"

#define DEVICE_ID "rig1"

struct device {
	struct child child;
	const struct folder *folder; /* the test's folder, with log, config and state */
	int port;		     /* of its broker */
	const char *url;       /* of its broker, when it is not plain MQTT on port */
	const char *id;	       /* DEVICE_ID unless changed before device_start() */
	const char *sim_speed; /* "1000" unless changed before device_start() */
	const char *log_level; /* "debug" unless changed before device_start() */
	const char *program;   /* the agent with the test task types */
	const char *more[8];   /* additional variables ("KEY=value"), NULL-terminated */
	char state_dir[PATH_MAX], project_dir[PATH_MAX], log[PATH_MAX];
	char community_dir[PATH_MAX];
	char rig_file[PATH_MAX], settings_file[PATH_MAX];
	char slow_disk[32]; /* a variable ("KEY=value"); "" for the normal disk */
};

/* Sets the paths and writes the rig's config and the settings (JSON texts in which ' is
 * written for "; NULL: the simulated rig with small photos, no settings).  Starts
 * nothing. */
int device_init(struct device *device, const struct folder *folder, const char *name,
		int port, const char *rig, const char *settings);

/* Replaces the settings for the next start. */
int device_settings(struct device *device, const char *settings);

/* Puts a file into its folder of community tasks; a program when it begins with "#!". */
int device_community(struct device *device, const char *name, const void *bytes,
		     size_t size);

/* From the next start on, each fsync() takes ms longer, as on a worn memory card, so that
 * tests can act in the middle of something that writes files or checkpoints. */
void device_slow_disk(struct device *device, int ms);

/* Starts the program; its status topic shows when it is online. */
int device_start(struct device *device);

/* Sends SIGTERM; returns the exit code, or -1 when it did not end in time or was
 * killed. */
int device_stop(struct device *device);

/* kill -9. */
void device_kill(struct device *device);

/* Prints the end of its log to stderr. */
void device_print_log(const struct device *device);

#endif
