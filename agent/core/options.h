/* The options of the core, with the interfaces through which it stops hardware and reads
 * settings. */
#ifndef AGENT_CORE_OPTIONS_H
#define AGENT_CORE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "agent/store/disk_reserve.h"
#include "hal/rig.h"

struct registry;

/* The time of a turn. */
struct core_time {
	int64_t ms;   /* monotonic */
	int64_t wall; /* for people */
};

/* Stops something immediately, before any commit. */
struct stop_ops {
	void *context;
	void (*pause_run)(void *context, uint64_t run);
	void (*stop_run)(void *context, uint64_t run, bool estopped);
	void (*stop_motion)(void *context);
	void (*estop)(void *context);
};

/* Settings that take effect without a restart. */
struct tunables {
	int max_concurrent;
	int64_t max_pause_ms, kill_after_ms, reply_spread_ms;
	int64_t keep_tasks, keep_ms;
	bool group_motion;
};

/* Access to the settings, which are outside the core.  Called on the loop's thread. */
struct settings_access {
	void *context;
	/* A tree with secrets masked; the caller deletes it. */
	cJSON *(*values)(void *context);
	/* Keys; the caller deletes them. */
	cJSON *(*restart_needed)(void *context);
	/* Sentences; the caller deletes them. */
	cJSON *(*problems)(void *context);
	/* Changes settings durably, all or none; fills in the new tunables. */
	int (*set)(void *context, const cJSON *changes, struct tunables *tunables,
		   struct err *err);
	/* Reads the device config again, for the caller to delete; use_config() confirms
	 * that the rig has it now.  NULL where the rig cannot be reloaded. */
	int (*read_config)(void *context, cJSON **config, struct err *err);
	void (*use_config)(void *context);
};

struct core_device {
	enum device_kind kind;
	const char *name;
};

struct core_options {
	const char *root, *device, *state_dir;
	struct registry *registry;
	bool looks_for_types;	    /* agent/sync has a worker look for community types */
	bool sets_up_wifi;	    /* without a network, a Wi-Fi code is looked for */
	const char *isolation;	    /* of community processes, for info; NULL: none run */
	const cJSON *type_problems; /* about files of community types, an array */
	/* Of the rig at the start; at most RIG_DEVICES_MAX. */
	const struct core_device *devices;
	size_t device_count;
	const char *backend;   /* of the rig, for info */
	const char *boot;      /* 16 random hex digits of this start */
	const char *new_store; /* 16 more: the name of the database if it is new */
	uint64_t seed;	       /* of the delays that spread the replies of a fleet */
	int blocking_threads;
	struct tunables tunables;
	const cJSON *groups;	  /* array of strings */
	const char *birth_prefix; /* Home Assistant's, "homeassistant" */
	bool discovery;		  /* publish for Home Assistant */
	struct settings_access settings;
	const cJSON *problems; /* of start-up, an array of strings */
	struct disk_reserve reserve;
	struct stop_ops stop_ops;
};

#endif
