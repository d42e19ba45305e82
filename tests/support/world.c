/* Sets up a world per test, and waits for what the agent publishes. */
#include "tests/support/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLY_MS 15000
#define LAST_MESSAGES 40

struct kept {
	struct kept *next;
	cJSON *json;
	char *text;
};

/* The message from which the search for a task's next document starts. */
struct cursor {
	struct cursor *next;
	char *id;
	size_t from;
};

/* ---- memory ---- */

static struct kept *keep(struct world *w)
{
	struct kept *kept = calloc(1, sizeof(*kept));

	if (!kept)
		abort();
	kept->next = w->kept;
	w->kept = kept;
	return kept;
}

static const cJSON *keep_json(struct world *w, const char *text, const char *whose)
{
	cJSON *json = cJSON_Parse(text);

	if (!json)
		fail_msg("%s is not JSON: %s", whose, text);
	keep(w)->json = json;
	return json;
}

static char *quoted_list(struct world *w, const char *fmt, va_list list)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, list) < 0)
		abort();
	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	keep(w)->text = text;
	return text;
}

char *quoted(struct world *w, const char *fmt, ...)
{
	va_list list;
	char *text;

	va_start(list, fmt);
	text = quoted_list(w, fmt, list);
	va_end(list);
	return text;
}

char *below(struct world *w, const char *name)
{
	char path[PATH_MAX];
	char *text = strdup(folder_path(&w->folder, path, name));

	if (!text)
		abort();
	keep(w)->text = text;
	return text;
}

static void drop_kept(struct world *w)
{
	struct kept *kept, *next;
	struct cursor *cursor, *after;

	for (kept = w->kept; kept; kept = next) {
		next = kept->next;
		cJSON_Delete(kept->json);
		free(kept->text);
		free(kept);
	}
	for (cursor = w->cursors; cursor; cursor = after) {
		after = cursor->next;
		free(cursor->id);
		free(cursor);
	}
}

/* ---- setting up and tearing down ---- */

static void print_messages(struct world *w)
{
	size_t count = w->client ? client_mark(w->client) : 0;
	size_t from = count > LAST_MESSAGES ? count - LAST_MESSAGES : 0;

	fprintf(stderr, "---- the last messages ----\n");
	for (size_t i = from; i < count; i++) {
		const struct message *message = client_at(w->client, i);

		if (!strstr(message->topic, "/image") &&
		    !strstr(message->topic, "/types/"))
			fprintf(stderr, "%s%s %.400s\n", message->topic,
				message->retain ? " (retained)" : "", message->payload);
	}
}

static int world_close(void **state)
{
	struct world *w = *state;

	if (!w)
		return 0;
	if (!w->passed) {
		fprintf(stderr, "==== %s failed ====\n", w->test->name);
		device_print_log(&w->device);
		print_messages(w);
	}
	child_kill(&w->device.child);
	client_close(w->client);
	broker_kill(&w->broker);
	drop_kept(w);
	disk_unmount(&w->disk);
	folder_remove(&w->folder);
	free(w);
	return 0;
}

static int bring(struct world *w, const char *file)
{
	char *path = quoted(w, "%s%s", *file == '/' ? "" : OPENSCAN_SOURCE_DIR "/", file);
	size_t size = 0;
	char *text = file_read(path, &size);
	int ret = -1;

	if (text)
		ret = device_community(&w->device, strrchr(path, '/') + 1, text, size);

	free(text);
	return ret;
}

static int world_open(void **state)
{
	static const char *const filters[] = {ROOT "/#", "homeassistant/#", NULL};
	static const struct world_options defaults;
	const struct test *test = *state;
	const struct world_options *o = test->options ? test->options : &defaults;
	struct world *w = calloc(1, sizeof(*w));

	*state = w;
	if (!w)
		return -1;
	w->test = test;
	if (folder_make(&w->folder) < 0 ||
	    broker_start(&w->broker, w->folder.path, o->persistence) < 0 ||
	    device_init(&w->device, &w->folder, DEVICE_ID, w->broker.port, o->rig,
			o->settings) < 0)
		goto fail;
	if (o->community && bring(w, o->community) < 0)
		goto fail;
	if (o->sim_speed)
		w->device.sim_speed = o->sim_speed;
	if (client_open(&w->client, &(struct client_options){.port = w->broker.port,
							     .filters = filters}) < 0)
		goto fail;
	return 0;
fail:
	fprintf(stderr, "%s: the broker or the client could not be started\n",
		test->name);
	world_close(state);
	*state = NULL;
	return -1;
}

/* A report of a sanitizer fails the test, even when everything looked right from
 * outside. */
static void assert_sanitizers_silent(struct world *w)
{
	static const char *const signs[] = {"Sanitizer", "runtime error: "};
	char *log = file_read(w->device.log, NULL);
	bool silent = true;

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		silent = silent && !(log && strstr(log, signs[i]));
	free(log);
	if (!silent)
		fail_msg("a sanitizer reported something in the agent's log");
}

static void world_body(void **state)
{
	struct world *w = *state;

	if (!w->test->options || !w->test->options->agent_later)
		world_start_agent(w);
	w->test->body(w);
	assert_sanitizers_silent(w);
	w->passed = true;
}

void world_skip(struct world *w, const char *why)
{
	printf("%s is skipped: %s\n", w->test->name, why);
	w->passed = true;
	skip();
}

int world_run(const char *group, const struct test *tests, size_t count, int argc,
	      char **argv)
{
	struct CMUnitTest *units = calloc(count, sizeof(*units));
	int failed;

	if (!units)
		return 1;
	for (size_t i = 0; i < count; i++)
		units[i] = (struct CMUnitTest){
			.name = tests[i].name,
			.test_func = world_body,
			.setup_func = world_open,
			.teardown_func = world_close,
			.initial_state = (void *)(uintptr_t)&tests[i],
		};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = _cmocka_run_group_tests(group, units, count, NULL, NULL);
	free(units);
	return failed;
}

/* ---- starting and stopping ---- */

static bool is_text(const struct message *message, const void *context)
{
	return strcmp(message->payload, context) == 0;
}

void world_start_agent(struct world *w)
{
	size_t mark = client_mark(w->client);

	if (device_start(&w->device) < 0)
		fail_msg("the agent could not be started");
	if (!client_wait(w->client, mark, BASE "/status", is_text, "online",
			 deadline_patient(REPLY_MS), NULL))
		fail_msg("the agent did not come online");
}

void world_kill_agent(struct world *w)
{
	device_kill(&w->device);
}

void world_stop_agent(struct world *w)
{
	assert_int_equal(device_stop(&w->device), 0);
}

void world_restart_agent(struct world *w)
{
	device_kill(&w->device);
	world_start_agent(w);
}

void world_restart_broker(struct world *w)
{
	size_t before = client_subscriptions(w->client);
	int ret;

	child_signal(&w->device.child, SIGSTOP);
	ret = broker_restart(&w->broker);
	if (ret == 0)
		ret = client_wait_subscribed(w->client, before);
	child_signal(&w->device.child, SIGCONT);
	if (ret < 0)
		fail_msg("the broker or the client did not come back: %s",
			 strerror(-ret));
}

/* ---- commands ---- */

static bool has_correlation(const struct message *message, const void *context)
{
	return message->correlation && strcmp(message->correlation, context) == 0;
}

const cJSON *ask_topic(struct world *w, const char *topic, const char *payload,
		       size_t size)
{
	char *number = quoted(w, "n%u", ++w->asked);
	char *reply_topic = quoted(w, BASE "/reply/test-%u", w->asked);
	struct publish publish = {
		.qos = 1,
		.response_topic = reply_topic,
		.correlation = number,
	};
	size_t mark = client_mark(w->client);
	const struct message *reply;

	if (client_publish(w->client, topic, payload, size, &publish) < 0)
		fail_msg("the broker did not take %s", topic);
	reply = client_wait(w->client, mark, reply_topic, has_correlation, number,
			    deadline_patient(REPLY_MS), NULL);
	if (!reply)
		fail_msg("no reply to %s %.200s", topic, payload);
	return document(w, reply);
}

static const cJSON *ask_list(struct world *w, const char *verb, const char *fmt,
			     va_list list)
{
	char *topic = quoted(w, BASE "/cmd/%s", verb);
	char *payload = quoted_list(w, fmt, list);

	return ask_topic(w, topic, payload, strlen(payload));
}

const cJSON *ask(struct world *w, const char *verb, const char *fmt, ...)
{
	const cJSON *reply;
	va_list list;

	va_start(list, fmt);
	reply = ask_list(w, verb, fmt, list);
	va_end(list);
	return reply;
}

/* Only for messages; the process ends soon. */
static char *shown(struct world *w, const cJSON *json)
{
	char *text = cJSON_PrintUnformatted(json);

	keep(w)->text = text;
	return text;
}

const cJSON *ask_ok(struct world *w, const char *verb, const char *fmt, ...)
{
	const cJSON *reply;
	va_list list;

	va_start(list, fmt);
	reply = ask_list(w, verb, fmt, list);
	va_end(list);
	if (!bool_at(reply, "ok"))
		fail_msg("%s was refused: %s", verb, shown(w, reply));
	return reply;
}

const cJSON *ask_refused(struct world *w, const char *verb, const char *code,
			 const char *fmt, ...)
{
	const cJSON *reply;
	va_list list;

	va_start(list, fmt);
	reply = ask_list(w, verb, fmt, list);
	va_end(list);
	if (bool_at(reply, "ok") || strcmp(text_at(reply, "code"), code) != 0)
		fail_msg("%s should be refused with %s: %s", verb, code, shown(w, reply));
	assert_true(strlen(text_at(reply, "message")) > 0);
	return reply;
}

void tell(struct world *w, const char *verb, const char *fmt, ...)
{
	char *topic = quoted(w, BASE "/cmd/%s", verb);
	char *payload;
	va_list list;

	va_start(list, fmt);
	payload = quoted_list(w, fmt, list);
	va_end(list);
	if (client_publish(w->client, topic, payload, strlen(payload), NULL) < 0)
		fail_msg("the broker did not take %s", topic);
}

double patient_s(int64_t ms)
{
	return (double)deadline_patient(ms) / 1000;
}

const cJSON *create(struct world *w, const char *id, const char *type, const char *args)
{
	return ask_ok(w, "task/create", "{'id':'%s','type':'%s','args':%s}", id, type,
		      args ? args : "{}");
}

/* ---- messages of the agent ---- */

static struct cursor *cursor_of(struct world *w, const char *id)
{
	struct cursor *cursor;

	for (cursor = w->cursors; cursor; cursor = cursor->next)
		if (strcmp(cursor->id, id) == 0)
			return cursor;
	cursor = calloc(1, sizeof(*cursor));
	if (!cursor || !(cursor->id = strdup(id)))
		abort();
	cursor->next = w->cursors;
	w->cursors = cursor;
	return cursor;
}

struct wanted {
	document_test test;
	const void *context;
};

static bool is_wanted(const struct message *message, const void *context)
{
	const struct wanted *wanted = context;
	cJSON *json = message->size ? cJSON_Parse(message->payload) : NULL;
	bool yes = json && wanted->test(json, wanted->context);

	cJSON_Delete(json);
	return yes;
}

const cJSON *wait_task(struct world *w, const char *id, document_test test,
		       const void *context, const char *sentence)
{
	struct cursor *cursor = cursor_of(w, id);
	struct wanted wanted = {test, context};
	const char *topic = quoted(w, BASE "/task/%s", id);
	const struct message *found, *last;

	found = client_wait(w->client, cursor->from, topic, is_wanted, &wanted,
			    deadline_patient(REPLY_MS), &cursor->from);
	if (!found) {
		last = client_last(w->client, topic);
		fail_msg("task %s: never %s; last seen: %s", id, sentence,
			 last ? last->payload : "nothing");
	}
	return document(w, found);
}

static bool has_status(const cJSON *json, const void *context)
{
	const cJSON *status = cJSON_GetObjectItemCaseSensitive(json, "status");

	return cJSON_IsString(status) && strcmp(status->valuestring, context) == 0;
}

const cJSON *wait_status(struct world *w, const char *id, const char *status)
{
	return wait_task(w, id, has_status, status, status);
}

static bool is_so_far(const cJSON *json, const void *context)
{
	const cJSON *current = at(json, "progress.current");

	if (!current)
		current = at(json, "current");
	return cJSON_IsNumber(current) &&
	       current->valuedouble >= *(const double *)context;
}

const cJSON *wait_progress(struct world *w, const char *id, double current)
{
	return wait_task(w, id, is_so_far, &current, "so far");
}

void wait_step(struct world *w, const char *id, double current)
{
	struct wanted wanted = {is_so_far, &current};

	if (!client_wait(w->client, 0, quoted(w, BASE "/task/%s/progress", id), is_wanted,
			 &wanted, deadline_patient(REPLY_MS), NULL))
		fail_msg("task %s never reported step %g", id, current);
}

static bool has_part(const struct message *message, const void *context)
{
	return !context || strstr(message->payload, context);
}

const struct message *wait_message(struct world *w, size_t mark, const char *filter,
				   const char *part)
{
	return wait_message_late(w, mark, filter, part, 0);
}

const struct message *wait_message_late(struct world *w, size_t mark, const char *filter,
					const char *part, int64_t late_ms)
{
	const struct message *found =
		client_wait(w->client, mark, filter, has_part, part,
			    late_ms + deadline_patient(REPLY_MS), NULL);

	if (!found)
		fail_msg("nothing came on %s%s%s", filter, part ? " with " : "",
			 part ? part : "");
	return found;
}

struct pair {
	const char *key, *value;
};

static bool has_value(const cJSON *json, const void *context)
{
	const struct pair *pair = context;
	const cJSON *value = at(json, pair->key);
	char *text = cJSON_IsString(value) ? strdup(value->valuestring)
					   : cJSON_PrintUnformatted(value);
	bool yes = text && strcmp(text, pair->value) == 0;

	free(text);
	return yes;
}

const cJSON *wait_value(struct world *w, const char *topic, const char *key,
			const char *value)
{
	struct pair pair = {key, value};
	struct wanted wanted = {has_value, &pair};
	size_t mark = client_mark(w->client);
	const struct message *found = client_last(w->client, topic);

	if (!found || !is_wanted(found, &wanted))
		found = client_wait(w->client, mark, topic, is_wanted, &wanted,
				    deadline_patient(REPLY_MS), NULL);
	if (!found) {
		found = client_last(w->client, topic);
		fail_msg("%s: %s never was %s; last seen: %s", topic, key, value,
			 found ? found->payload : "nothing");
	}
	return document(w, found);
}

struct event {
	const char *name, *id;
};

static bool is_event(const cJSON *json, const void *context)
{
	const struct event *event = context;
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(json, "event");
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(json, "id");

	return cJSON_IsString(name) && strcmp(name->valuestring, event->name) == 0 &&
	       (!event->id ||
		(cJSON_IsString(id) && strcmp(id->valuestring, event->id) == 0));
}

static const struct message *find_event(struct world *w, size_t mark, const char *name,
					const char *id, int64_t timeout_ms)
{
	struct event event = {name, id};
	struct wanted wanted = {is_event, &event};

	return client_wait(w->client, mark, BASE "/event", is_wanted, &wanted, timeout_ms,
			   NULL);
}

const cJSON *wait_event(struct world *w, size_t mark, const char *name, const char *id)
{
	const struct message *found =
		find_event(w, mark, name, id, deadline_patient(REPLY_MS));

	if (!found)
		fail_msg("no event %s%s%s", name, id ? " of " : "", id ? id : "");
	return document(w, found);
}

bool event_seen(struct world *w, size_t mark, const char *name, const char *id)
{
	return find_event(w, mark, name, id, 0) != NULL;
}

const cJSON *task_now(struct world *w, const char *id)
{
	return at(ask_ok(w, "task/get", "{'id':'%s'}", id), "data");
}

void assert_status(struct world *w, const char *id, const char *status)
{
	const cJSON *task = task_now(w, id);

	if (strcmp(text_at(task, "status"), status) != 0)
		fail_msg("task %s should be %s: %s", id, status, shown(w, task));
}

char *retained(struct world *w, const char *topic)
{
	const char *filters[] = {topic, BASE "/reply/_fence", NULL};
	struct client_options options = {.port = w->broker.port, .filters = filters};
	const struct message *message;
	struct client *fresh = NULL;
	char *text = NULL;

	/* Retained messages arrive before anything that is published after the SUBACK. */
	if (client_open(&fresh, &options) < 0)
		fail_msg("a second client could not connect");
	client_publish(w->client, BASE "/reply/_fence", "x", 1, NULL);
	client_wait(fresh, 0, BASE "/reply/_fence", NULL, NULL,
		    deadline_patient(REPLY_MS), NULL);
	message = client_last(fresh, topic);
	if (message && message->retain && message->size) {
		text = strdup(message->payload);
		keep(w)->text = text;
	}
	client_close(fresh);
	return text;
}

static bool is_clearing(const struct message *message, const void *context)
{
	(void)context;
	return message->size == 0;
}

void wait_cleared(struct world *w, size_t mark, const char *topic)
{
	if (!client_wait(w->client, mark, topic, is_clearing, NULL,
			 deadline_patient(SOON_MS), NULL))
		fail_msg("%s was not cleared", topic);
	assert_null(retained(w, topic));
}

struct seen {
	const char *topic, *store;
	double rev;
};

static double rev_of(struct world *w, const struct message *message, const char **store)
{
	const cJSON *json = document(w, message);

	*store = text_at(json, "store");
	return number_at(json, "rev");
}

void assert_revs_grow(struct world *w)
{
	size_t count = client_mark(w->client), used = 0, k;
	struct seen *seen = calloc(count + 1, sizeof(*seen));

	if (!seen)
		abort();
	for (size_t i = 0; i < count; i++) {
		const struct message *m = client_at(w->client, i);
		struct seen now = {.topic = m->topic};

		if (strncmp(m->topic, BASE "/task/", strlen(BASE "/task/")) != 0 ||
		    strchr(m->topic + strlen(BASE "/task/"), '/'))
			continue;
		for (k = 0; k < used && strcmp(seen[k].topic, m->topic) != 0; k++)
			;
		if (!m->size) {
			if (k < used)
				seen[k].rev = 0;
			continue;
		}
		now.rev = rev_of(w, m, &now.store);
		if (k < used && strcmp(seen[k].store, now.store) == 0 &&
		    now.rev < seen[k].rev)
			fail_msg("%s went back from rev %g to %g", m->topic, seen[k].rev,
				 now.rev);
		seen[k] = now;
		if (k == used)
			used++;
	}
	free(seen);
}

/* ---- tasks that wait for the test ---- */

char *held(struct world *w)
{
	return quoted(w, "'up_to':'%s'", below(w, "allowed"));
}

void allow(struct world *w, int steps)
{
	const char *text = quoted(w, "%d\n", steps);

	/* replaced atomically: it may be read at any moment */
	assert_int_equal(file_write(below(w, "allowed.new"), text, strlen(text)), 0);
	assert_int_equal(rename(below(w, "allowed.new"), below(w, "allowed")), 0);
}

/* ---- JSON ---- */

const cJSON *document(struct world *w, const struct message *message)
{
	if (!message) {
		fail_msg("there is no message");
		return NULL;
	}
	return keep_json(w, message->payload, message->topic);
}

const cJSON *parsed(struct world *w, const char *text)
{
	assert_non_null(text);
	return keep_json(w, text, "this");
}

const cJSON *at(const cJSON *value, const char *path)
{
	char key[128];
	size_t length;

	for (; value && *path; path += length + (path[length] == '.')) {
		length = strcspn(path, ".");
		snprintf(key, sizeof(key), "%.*s", (int)length, path);
		if (cJSON_IsArray(value))
			value = cJSON_GetArrayItem(value, atoi(key));
		else
			value = cJSON_GetObjectItemCaseSensitive(value, key);
	}
	return value;
}

static const cJSON *must_be(const cJSON *value, const char *path, const char *kind,
			    cJSON_bool (*is)(const cJSON *))
{
	const cJSON *member = at(value, path);
	char *text;

	if (member && is(member))
		return member;
	text = cJSON_PrintUnformatted(value);
	fail_msg("%s should be %s in %s", path, kind, text);
	return NULL;
}

const char *text_at(const cJSON *value, const char *path)
{
	return must_be(value, path, "a string", cJSON_IsString)->valuestring;
}

double number_at(const cJSON *value, const char *path)
{
	return must_be(value, path, "a number", cJSON_IsNumber)->valuedouble;
}

bool bool_at(const cJSON *value, const char *path)
{
	return cJSON_IsTrue(must_be(value, path, "true or false", cJSON_IsBool));
}

static cJSON_bool is_list(const cJSON *value)
{
	return cJSON_IsArray(value) || cJSON_IsObject(value);
}

int count_at(const cJSON *value, const char *path)
{
	return cJSON_GetArraySize(must_be(value, path, "a list", is_list));
}

/* ---- files ---- */

const char *wait_file(struct world *w, const char *path, const char *text)
{
	int64_t until = deadline_now() + deadline_patient(REPLY_MS);
	char *content;

	for (;;) {
		content = file_read(path, NULL);
		if (content && strstr(content, text))
			break;
		free(content);
		if (deadline_now() > until)
			fail_msg("%s never had %s", path, text);
		deadline_let_pass(5);
	}
	keep(w)->text = content;
	return content;
}

size_t lines_of(const char *path)
{
	char *content = file_read(path, NULL);
	size_t lines = 0;

	for (char *c = content; c && *c; c++)
		if (*c == '\n')
			lines++;
	free(content);
	return lines;
}
