/* One run of tests/faults/run: a broker, an agent and a client that saw everything, and
 * how the first two are stopped in ways that nobody plans for. */
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

struct order;

enum stop_kind {
	STOP_KILL,   /* kill -9 of the agent */
	STOP_TERM,   /* SIGTERM to the agent */
	STOP_BROKER, /* kill -9 of the broker, or SIGTERM */
};

struct stop {
	enum stop_kind kind;
	int64_t wall_ms;
	size_t mark; /* of the client: what came before and after */
};

struct fault_run {
	uint64_t seed;
	unsigned number;
	bool with_broker; /* it is stopped too */
	struct prng prng;
	struct folder folder;
	struct broker broker;
	struct device device;
	struct client *client;
	struct order *orders;
	size_t order_count, order_room;
	struct stop stops[STOPS_MAX];
	size_t stop_count;
	unsigned questions; /* numbers the questions */
	unsigned violations;
};

/* Starts everything and waits until the agent is online.  0, or -1 with a violation. */
int fault_run_open(struct fault_run *run, uint64_t seed, unsigned number,
		   bool with_broker);

/* Removes all traces; after a violation the folder with the agent's log is kept and
 * named. */
void fault_run_close(struct fault_run *run);

/* Prints a sentence about what must not be, with what repeats it. */
void fault_run_violation(struct fault_run *run, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- stopping and starting ---- */

void fault_run_kill_agent(struct fault_run *run);
void fault_run_terminate_agent(struct fault_run *run); /* SIGTERM; must exit 0 */

/* Starts it; waits until it says online. */
void fault_run_start_agent(struct fault_run *run);
/* Starts it without waiting. */
void fault_run_launch_agent(struct fault_run *run);

/* Kills (or ends) the broker and starts it again, with its file or without. */
void fault_run_restart_broker(struct fault_run *run);

/* Lets the broker write its file now, as it does each half hour. */
void fault_run_save_broker(struct fault_run *run);

/* How many stops of that kind there were. */
size_t fault_run_stops(const struct fault_run *run, enum stop_kind kind);

/* ---- asking ---- */

/* The reply to a command (JSON with ' for "), which the caller frees; NULL when none
 * came. */
cJSON *fault_run_ask(struct fault_run *run, const char *verb, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Text with ' replaced by ", to be freed. */
char *quote(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *quote_list(const char *fmt, va_list list);

/* The member's text, "" when there is none. */
const char *text_of(const cJSON *json, const char *key);
/* The member's number, otherwise when there is none. */
double number_of(const cJSON *json, const char *key, double otherwise);

#endif
