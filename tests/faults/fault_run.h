/* One run of tests/faults/run: a broker, an agent and a client that receives everything,
 * and the ways in which the first two are stopped. */
#ifndef TESTS_FAULTS_FAULT_RUN_H
#define TESTS_FAULTS_FAULT_RUN_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "tests/support/broker.h"
#include "tests/support/client.h"
#include "tests/support/deadline.h"
#include "tests/support/device.h"
#include "tests/support/folder.h"
#include "tests/support/prng.h"

#define ROOT "openscan/v1"
#define BASE ROOT "/" DEVICE_ID

#define STOPS_MAX 64

struct command;

enum stop_kind {
	STOP_KILL,   /* kill -9 of the agent */
	STOP_TERM,   /* SIGTERM to the agent */
	STOP_BROKER, /* kill -9 of the broker, or SIGTERM */
};

struct stop {
	enum stop_kind kind;
	int64_t wall_ms;
	size_t mark; /* of the client: splits its messages into before and after */
};

struct fault_run {
	uint64_t seed;
	unsigned number;
	bool with_broker; /* the broker is stopped too */
	struct prng prng;
	struct folder folder;
	struct broker broker;
	struct device device;
	struct client *client;
	struct command *commands;
	size_t command_count, command_room;
	struct stop stops[STOPS_MAX];
	size_t stop_count;
	unsigned questions; /* how many were asked */
	unsigned violations;
};

/* Starts everything and waits until the agent is online.  Returns 0, or -1 with a
 * violation. */
int fault_run_open(struct fault_run *run, uint64_t seed, unsigned number,
		   bool with_broker);

/* Removes everything; after a violation the folder with the agent's log is kept and its
 * path printed. */
void fault_run_close(struct fault_run *run);

/* Counts a violation and prints it, with the options that repeat the run. */
void fault_run_violation(struct fault_run *run, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- stopping and starting ---- */

void fault_run_kill_agent(struct fault_run *run);
void fault_run_terminate_agent(struct fault_run *run); /* SIGTERM; must exit 0 */

/* Starts it and waits until its status is online. */
void fault_run_start_agent(struct fault_run *run);
/* Starts it without waiting. */
void fault_run_launch_agent(struct fault_run *run);

/* Kills or terminates the broker and starts it again, with or without its database. */
void fault_run_restart_broker(struct fault_run *run);

/* Makes the broker write its database now, as it does every half hour. */
void fault_run_save_broker(struct fault_run *run);

/* The number of stops of that kind so far. */
size_t fault_run_stops(const struct fault_run *run, enum stop_kind kind);

/* ---- asking ---- */

/* Sends a command (JSON with ' for ") and returns the reply, which the caller frees; NULL
 * when none came. */
cJSON *fault_run_ask(struct fault_run *run, const char *verb, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Text with ' replaced by "; the caller frees it. */
char *quote(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *quote_list(const char *fmt, va_list list);

/* The member's text, "" when there is none. */
const char *text_of(const cJSON *json, const char *key);
/* The member's number, otherwise when there is none. */
double number_of(const cJSON *json, const char *key, double otherwise);

#endif
