/* What an end-to-end test stands on: a broker, an agent with the simulated rig, and a
 * client that saw everything.  One world a test; broken down after it, also when it
 * failed (then the agent's log and the last messages are printed).
 *
 * In JSON texts given to these functions ' stands for ", so that a test stays readable:
 *     ask_ok(w, "task/create", "{'id':'a','type':'generator_task'}");
 * Functions that cannot do what they say fail the test with a sentence.  JSON that they
 * return belongs to the world. */
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

/* Everything zero is a good default. */
struct world_options {
	const char *settings;  /* the agent's --config file */
	const char *rig;       /* the device config */
	const char *sim_speed; /* instead of "1000" */
	bool persistence;      /* the broker keeps its state over a restart */
	bool agent_later;      /* the test calls world_start_agent() itself */
	const char *community; /* a file for the folder of community tasks; a path of this
				* tree or an absolute one */
};

struct world {
	struct folder folder;
	struct broker broker;
	struct device device;
	struct disk disk; /* a test that mounts it finds it gone after itself */
	struct client *client;
	bool passed;
	unsigned asked; /* numbers the requests */
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

/* Runs the tests one after the other; argv[1], when given, is a pattern of the names to
 * run
 * ("behaviour_1*").  Returns what main() shall return. */
int world_run(const char *group, const struct test *tests, size_t count, int argc,
	      char **argv);

/* Ends the test here, neither good nor bad, with a sentence that says why. */
void world_skip(struct world *w, const char *why);

/* ---- the agent's life ---- */

/* Starts it and waits for the status online. */
void world_start_agent(struct world *w);
void world_kill_agent(struct world *w);	   /* kill -9 */
void world_stop_agent(struct world *w);	   /* SIGTERM; must exit 0 */
void world_restart_agent(struct world *w); /* kill -9 and start */

/* Starts the broker again, which was stopped or killed; the agent is held until the
 * client has subscribed, so that it sees also what is told once. */
void world_restart_broker(struct world *w);

/* ---- commands ---- */

/* Publishes to BASE/cmd/<verb> with a Response Topic and correlation data, and returns
 * the reply that carries both. */
const cJSON *ask(struct world *w, const char *verb, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same; the reply must say ok. */
const cJSON *ask_ok(struct world *w, const char *verb, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same; the reply must be a refusal with this code. */
const cJSON *ask_refused(struct world *w, const char *verb, const char *code,
			 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* As ask(), to any topic (for groups, _all, wrong depths). */
const cJSON *ask_topic(struct world *w, const char *topic, const char *payload,
		       size_t size);

/* Publishes and waits for no reply. */
void tell(struct world *w, const char *verb, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ms times TEST_PATIENCE, in seconds: for what must last while the test looks at it. */
double patient_s(int64_t ms);

/* task/create of type with id and args ("{'total_steps':5}", NULL for none); must be ok.
 */
const cJSON *create(struct world *w, const char *id, const char *type, const char *args);

/* ---- what the agent says ---- */

/* Waits until task id has status and returns that document.  Looks from the document that
 * the last call for this id returned, so transitions can be followed one by one. */
const cJSON *wait_status(struct world *w, const char *id, const char *status);

/* The same with any of the members' sentences: waits until test is true of the document.
 */
typedef bool (*document_test)(const cJSON *document, const void *context);
const cJSON *wait_task(struct world *w, const char *id, document_test test,
		       const void *context, const char *sentence);

/* Waits until the stored progress of a task is at least this far; the document. */
const cJSON *wait_progress(struct world *w, const char *id, double current);

/* Waits until its progress topic has told that it is at least this far: sooner. */
void wait_step(struct world *w, const char *id, double current);

/* Waits for the next message on a topic from mark on, that has text as a part (NULL:
 * any). */
const struct message *wait_message(struct world *w, size_t mark, const char *filter,
				   const char *part);

/* The same for what the agent may tell as late as that. */
const struct message *wait_message_late(struct world *w, size_t mark, const char *filter,
					const char *part, int64_t late_ms);

/* Waits until the topic is cleared, from mark on, and is so at the broker. */
void wait_cleared(struct world *w, size_t mark, const char *topic);

/* Waits until the newest message of a topic is a document with key (dotted) equal to
 * value. */
const cJSON *wait_value(struct world *w, const char *topic, const char *key,
			const char *value);

/* Waits for the event of this name and id (NULL: any) from mark on; the event. */
const cJSON *wait_event(struct world *w, size_t mark, const char *name, const char *id);

/* Has that event come since mark? */
bool event_seen(struct world *w, size_t mark, const char *name, const char *id);

/* The task as task/get tells it now. */
const cJSON *task_now(struct world *w, const char *id);
void assert_status(struct world *w, const char *id, const char *status);

/* The document a new subscriber of the topic gets from the broker, or NULL for none. */
char *retained(struct world *w, const char *topic);

/* Fails when any two documents of one task topic go back in rev. */
void assert_revs_grow(struct world *w);

/* ---- tasks that wait for the test ---- */

/* The argument up_to of resume_count_task and stubborn_task: a member
 * ("'up_to':'<path>'") that holds the task before its first step. */
char *held(struct world *w);

/* Lets the held task take its first steps, so many. */
void allow(struct world *w, int steps);

/* ---- JSON ---- */

/* Parses message's payload. */
const cJSON *document(struct world *w, const struct message *message);

/* Parses text that must be there. */
const cJSON *parsed(struct world *w, const char *text);

/* The member at a dotted path ("progress.current"), or NULL. */
const cJSON *at(const cJSON *value, const char *path);

/* The member at a dotted path, which must be there and of that kind. */
const char *text_at(const cJSON *value, const char *path);
double number_at(const cJSON *value, const char *path);
bool bool_at(const cJSON *value, const char *path);
int count_at(const cJSON *value, const char *path); /* members of the array or object */

/* Text that lives as long as the world, ' replaced by ". */
char *quoted(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A path below the test's own folder that lives as long as the world. */
char *below(struct world *w, const char *name);

/* Waits until a file contains text; its content. */
const char *wait_file(struct world *w, const char *path, const char *text);

/* How many lines the file has; 0 when it does not exist. */
size_t lines_of(const char *path);

#endif
