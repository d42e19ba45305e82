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

struct ordeal {
	uint64_t seed;
	unsigned run;
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
	unsigned asked; /* numbers the questions */
	unsigned violations;
};

/* Starts everything and waits until the agent is online.  0, or -1 with a violation. */
int ordeal_open(struct ordeal *ordeal, uint64_t seed, unsigned run, bool with_broker);

/* Removes all traces; after a violation the folder with the agent's log is kept and
 * named. */
void ordeal_close(struct ordeal *ordeal);

/* Prints a sentence about what must not be, with what repeats it. */
void ordeal_blame(struct ordeal *ordeal, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- stopping and starting ---- */

void ordeal_kill_agent(struct ordeal *ordeal);
void ordeal_end_agent(struct ordeal *ordeal); /* SIGTERM; must exit 0 */

/* Starts it; waits until it says online. */
void ordeal_start_agent(struct ordeal *ordeal);
/* Starts it without waiting. */
void ordeal_launch_agent(struct ordeal *ordeal);

/* Kills (or ends) the broker and starts it again, with its file or without. */
void ordeal_restart_broker(struct ordeal *ordeal);

/* Lets the broker write its file now, as it does each half hour. */
void ordeal_save_broker(struct ordeal *ordeal);

/* How many stops of that kind there were. */
size_t ordeal_stops(const struct ordeal *ordeal, enum stop_kind kind);

/* ---- asking ---- */

/* The reply to a command (JSON with ' for "), which the caller frees; NULL when none
 * came. */
cJSON *ordeal_ask(struct ordeal *ordeal, const char *verb, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Text with ' replaced by ", to be freed. */
char *quote(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *quote_list(const char *fmt, va_list list);

/* The member's text, "" when there is none. */
const char *text_of(const cJSON *json, const char *key);
/* The member's number, otherwise when there is none. */
double number_of(const cJSON *json, const char *key, double otherwise);

#endif
