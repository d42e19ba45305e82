/* The surroundings of an end-to-end test: a broker, an agent with the simulated rig, and
 * a client that receives everything.  One world per test, removed after it even when it
 * failed; then the end of the agent's log and the last messages are printed.
 *
 * In JSON texts given to these functions ' is written for ", so that a test stays
 * readable:
 *     ask_ok(w, "task/create", "{'id':'a','type':'generator_task'}");
 * A function that cannot do what its comment says fails the test with a sentence.  JSON
 * that they return belongs to the world. */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <cjson/cJSON.h>

#include "tests/support/broker.h"
#include "tests/support/client.h"
#include "tests/support/deadline.h"
#include "tests/support/device.h"
#include "tests/support/disk.h"
#include "tests/support/folder.h"

#define ROOT "openscan/v1"
#define BASE ROOT "/" DEVICE_ID

/* All zero is the default. */
struct world_options {
	const char *settings;  /* the agent's --config file */
	const char *rig;       /* the device config */
	const char *sim_speed; /* instead of "1000" */
	bool persistence;      /* the broker keeps its state over a restart */
	bool agent_later;      /* the test calls world_start_agent() itself */
	const char *community; /* a file for the folder of community tasks; a path in this
				  tree or an absolute one */
};

struct world {
	struct folder folder;
	struct broker broker;
	struct device device;
	struct disk disk; /* unmounted after the test */
	struct client *client;
	bool passed;
	unsigned asked; /* the number of requests so far */
	const struct test *test;
	struct kept *kept;
	struct cursor *cursors;
};

struct test {
	const char *name;
	void (*body)(struct world *w);
	const struct world_options *options; /* NULL: the defaults */
};

/* clang-format off */
#define TEST(function) { #function, function, NULL }
#define TEST_WITH(function, with) { #function, function, &(with) }
/* clang-format on */

/* Runs the tests one after another; argv[1], if given, is a pattern for names of tests
 * ("behaviour_1*").  Returns the exit code for main(). */
int world_run(const char *group, const struct test *tests, size_t count, int argc,
	      char **argv);

/* Ends the test as skipped, with a sentence that says why. */
void world_skip(struct world *w, const char *why);

/* ---- starting and stopping ---- */

/* Starts it and waits for the status online. */
void world_start_agent(struct world *w);
void world_kill_agent(struct world *w);	   /* kill -9 */
void world_stop_agent(struct world *w);	   /* SIGTERM; must exit 0 */
void world_restart_agent(struct world *w); /* kill -9 and start */

/* Restarts a broker that was stopped or killed; the agent is suspended until the client
 * has subscribed, so that it receives messages that are published only once. */
void world_restart_broker(struct world *w);

/* ---- commands ---- */

/* Publishes to BASE/cmd/<verb> with a Response Topic and correlation data, and returns
 * the reply that carries both. */
const cJSON *ask(struct world *w, const char *verb, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same; the reply must be ok. */
const cJSON *ask_ok(struct world *w, const char *verb, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same; the reply must be a refusal with this code. */
const cJSON *ask_refused(struct world *w, const char *verb, const char *code,
			 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Like ask(), on any topic (for groups, _all, wrong depths). */
const cJSON *ask_topic(struct world *w, const char *topic, const char *payload,
		       size_t size);

/* Publishes without waiting for a reply. */
void tell(struct world *w, const char *verb, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ms multiplied by TEST_PATIENCE, in seconds: for states that must last while the test
 * examines them. */
double patient_s(int64_t ms);

/* task/create of type with id and args ("{'total_steps':5}", NULL for none); must be ok.
 */
const cJSON *create(struct world *w, const char *id, const char *type, const char *args);

/* ---- messages of the agent ---- */

/* Waits until task id has status, and returns that document.  Starts from the document
 * that the last call for this id returned, so that transitions can be followed one by
 * one. */
const cJSON *wait_status(struct world *w, const char *id, const char *status);

/* The same for any condition: waits until test is true of the document. sentence names
 * the condition in a failure. */
typedef bool (*document_test)(const cJSON *document, const void *context);
const cJSON *wait_task(struct world *w, const char *id, document_test test,
		       const void *context, const char *sentence);

/* Waits until the stored progress of a task has reached current; returns the document. */
const cJSON *wait_progress(struct world *w, const char *id, double current);

/* Waits until its progress topic has reached current, which is sooner. */
void wait_step(struct world *w, const char *id, double current);

/* Waits for the next message on a topic from mark on whose payload contains part (NULL:
 * any). */
const struct message *wait_message(struct world *w, size_t mark, const char *filter,
				   const char *part);

/* The same for messages that may take up to late_ms longer. */
const struct message *wait_message_late(struct world *w, size_t mark, const char *filter,
					const char *part, int64_t late_ms);

/* Waits until the topic is cleared, from mark on, also at the broker. */
void wait_cleared(struct world *w, size_t mark, const char *topic);

/* Waits until the newest message of a topic is a document whose key (dotted) equals
 * value. */
const cJSON *wait_value(struct world *w, const char *topic, const char *key,
			const char *value);

/* Waits for the event with this name and id (NULL: any) from mark on, and returns it. */
const cJSON *wait_event(struct world *w, size_t mark, const char *name, const char *id);

/* Whether that event has been published since mark. */
bool event_seen(struct world *w, size_t mark, const char *name, const char *id);

/* The current reply of task/get. */
const cJSON *task_now(struct world *w, const char *id);
void assert_status(struct world *w, const char *id, const char *status);

/* The payload that a new subscriber of the topic gets from the broker, or NULL. */
char *retained(struct world *w, const char *topic);

/* Fails when the rev of any task topic has decreased. */
void assert_revs_grow(struct world *w);

/* ---- tasks that wait for the test ---- */

/* The argument up_to of resume_count_task and ignores_cancel_task: a member
 * ("'up_to':'<path>'") that holds the task before its first step. */
char *held(struct world *w);

/* Allows the held task its first steps, up to this number. */
void allow(struct world *w, int steps);

/* ---- JSON ---- */

/* Parses message's payload. */
const cJSON *document(struct world *w, const struct message *message);

/* Parses text, which must not be NULL. */
const cJSON *parsed(struct world *w, const char *text);

/* The member at a dotted path ("progress.current"), or NULL. */
const cJSON *at(const cJSON *value, const char *path);

/* The member at a dotted path, which must exist and have that type. */
const char *text_at(const cJSON *value, const char *path);
double number_at(const cJSON *value, const char *path);
bool bool_at(const cJSON *value, const char *path);
int count_at(const cJSON *value, const char *path); /* members of the array or object */

/* Formatted text that lives as long as the world, with ' replaced by ". */
char *quoted(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A path in the test's folder that lives as long as the world. */
char *below(struct world *w, const char *name);

/* Waits until a file contains text; returns its contents. */
const char *wait_file(struct world *w, const char *path, const char *text);

/* The number of lines of the file; 0 when it does not exist. */
size_t lines_of(const char *path);

#endif
