/* The surroundings of the core in its tests: a clock that moves only when a test moves
 * it, a broker that records every message, workers that do only what the test says, and a
 * database in a temporary folder.
 *
 * The broker checks two rules of the contract in every test: a revision never goes back
 * on the wire, and a retained topic has at most one message in flight. */
#ifndef TESTS_UNIT_FAKE_CORE_H
#define TESTS_UNIT_FAKE_CORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/json.h"
#include "agent/base/log.h"
#include "agent/core/state.h"
#include "agent/model/verb.h"
#include "agent/turn.h"

#define ROOT "openscan/v1"
#define DEVICE "rig1"
#define OURS ROOT "/" DEVICE "/"
#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define START_MS (40 * (int64_t)DAY)	  /* a host that has been up for a while */
#define START_WALL INT64_C(1760000000000) /* some day in 2025 */

struct message {
	char *topic, *text, *correlation;
	size_t size;
	int qos, expiry_s;
	bool retain, acked;
	uint64_t token;
	uint32_t epoch;
	int64_t at;
};

struct fake_run {
	uint64_t run;
	char *id, *args, *saved; /* id: of the task, or the verb of a command */
	int attempt;
	bool command, pause, stop, estopped, over;
	int went_on;
};

struct fake_core {
	struct core *core;
	struct core_options options;
	struct registry *registry;
	char folder[64];
	char boot[17];
	int64_t now, wall;
	struct event *first, **last; /* not taken by the core yet */
	/* the broker */
	bool deaf;	  /* it acknowledges nothing */
	bool silent;	  /* the barrier does not come back */
	bool one_barrier; /* only the next barrier comes back */
	uint32_t epoch;
	struct message *messages;
	size_t message_count;
	/* the workers */
	struct fake_run *runs;
	size_t run_count;
	/* calls and effects */
	int estops, estop_releases, motion_stops, released, turns;
	bool stopped, sets_up_wifi; /* sets_up_wifi: the setting's value,
				       qr_wifi_scan_enabled */
	int64_t restart_after;	    /* of the last EFFECT_RECONNECT; -1: none */
	char subscribed[8192], unsubscribed[2048]; /* topics, each followed by a space */
	cJSON *parsed; /* values lent to tests, freed at the end */
};

/* ---- types and devices ---- */

static int fake_work(const struct task_type *type, const struct task_host *host,
		     struct task_run *run, const char *args)
{
	(void)type;
	(void)host;
	(void)run;
	(void)args;
	return 0;
}

#define FAKE_ARGS                                                                         \
	"{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\",\"minimum\":1," \
	"\"maximum\":999},\"text\":{\"type\":\"string\"},\"project\":{\"type\":\"string\"}}}"
#define NEEDY_ARGS                                                                       \
	"{\"type\":\"object\",\"required\":[\"input\"],\"properties\":{\"input\":"       \
	"{\"type\":\"integer\"},\"password\":{\"type\":\"string\",\"writeOnly\":true}}}"

static const char *const uses_motor[] = {"motor", NULL};
static const char *const uses_camera[] = {"camera/sim", NULL};

static const struct task_type fake_types[] = {
	{.name = "plain_task",
	 .title = "Plain",
	 .category = "test",
	 .args = FAKE_ARGS,
	 .run = fake_work},
	{.name = "step_task",
	 .title = "Goes on",
	 .category = "test",
	 .resumable = true,
	 .args = FAKE_ARGS,
	 .run = fake_work},
	{.name = "alone_task",
	 .title = "Runs alone",
	 .category = "test",
	 .is_exclusive = true,
	 .resumable = true,
	 .args = FAKE_ARGS,
	 .run = fake_work},
	{.name = "block_task",
	 .title = "Blocks",
	 .category = "test",
	 .is_blocking = true,
	 .args = FAKE_ARGS,
	 .run = fake_work},
	{.name = "move_task",
	 .title = "Moves",
	 .category = "test",
	 .resumable = true,
	 .uses = uses_motor,
	 .args = FAKE_ARGS,
	 .run = fake_work},
	{.name = "photo_task",
	 .title = "Looks",
	 .category = "test",
	 .uses = uses_camera,
	 .args = FAKE_ARGS,
	 .run = fake_work},
	{.name = "needy_task",
	 .title = "Needs",
	 .category = "test",
	 .args = NEEDY_ARGS,
	 .run = fake_work},
};
#define FAKE_TYPES (sizeof(fake_types) / sizeof(fake_types[0]))

static const struct core_device fake_devices[] = {
	{DEVICE_MOTOR, "rotor"},	   {DEVICE_MOTOR, "turntable"},
	{DEVICE_LIGHT, "ringlight"},	   {DEVICE_CAMERA, "sim"},
	{DEVICE_ENDSTOP, "rotor-endstop"}, {DEVICE_TRIGGER, "external"},
};

/* A registry with the fake types, except the last `without` ones. */
static inline struct registry *fake_registry(size_t without)
{
	static const char *const namespaces[] = {"core", "examples", "test", NULL};
	const struct registry_options options = {.enabled = true,
						 .namespaces = namespaces};
	struct type_offer extra[FAKE_TYPES + 1] = {{NULL, NULL}};
	struct registry *registry = NULL;
	struct err err;

	for (size_t i = 0; i + without < FAKE_TYPES; i++)
		extra[i] = (struct type_offer){"test", &fake_types[i]};
	if (registry_open(&registry, &options, extra, &err) < 0)
		fail_msg("%s", err.text);
	return registry;
}

/* ---- JSON with single quotes: {'a':1} ---- */

static inline char *json_of(const char *quoted)
{
	char *text = strdup(quoted);

	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	return text;
}

static inline const cJSON *keep_parsed(struct fake_core *s, const char *text)
{
	cJSON *value = cJSON_Parse(text);

	assert_non_null(value);
	cJSON_AddItemToArray(s->parsed, value);
	return value;
}

/* The member at a path of keys and numbers: "data/error/code", "errors/0/path". */
static inline const cJSON *at(const cJSON *value, const char *path)
{
	char copy[256], *rest = copy;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *key; value && (key = strsep(&rest, "/"));)
		value = cJSON_IsArray(value)
				? cJSON_GetArrayItem(value, atoi(key))
				: cJSON_GetObjectItemCaseSensitive(value, key);
	return value;
}

static inline const char *text_at(const cJSON *value, const char *path)
{
	const cJSON *member = at(value, path);

	return cJSON_IsString(member) ? member->valuestring : "(no text)";
}

static inline double number_at(const cJSON *value, const char *path)
{
	const cJSON *member = at(value, path);

	return cJSON_IsNumber(member) ? member->valuedouble : -12345;
}

static inline bool null_at(const cJSON *value, const char *path)
{
	return cJSON_IsNull(at(value, path));
}

/* ---- stop_ops ---- */

static inline struct fake_run *run_numbered(struct fake_core *s, uint64_t run)
{
	for (size_t i = 0; i < s->run_count; i++)
		if (s->runs[i].run == run && !s->runs[i].over)
			return &s->runs[i];
	return NULL;
}

static inline void fake_pause(void *context, uint64_t run)
{
	struct fake_run *r = run_numbered(context, run);

	assert_non_null(r);
	r->pause = true;
}

static inline void fake_stop(void *context, uint64_t run, bool estopped)
{
	struct fake_run *r = run_numbered(context, run);

	/* It may have been started in this turn: then its effect is not out yet. */
	if (!r)
		return;
	r->stop = true;
	r->estopped |= estopped;
}

static inline void fake_stop_motion(void *context)
{
	((struct fake_core *)context)->motion_stops++;
}

static inline void fake_estop(void *context)
{
	((struct fake_core *)context)->estops++;
}

/* ---- settings ---- */

static inline cJSON *fake_values(void *context)
{
	cJSON *values = cJSON_CreateObject();

	cJSON_AddBoolToObject(values, "qr_wifi_scan_enabled",
			      ((struct fake_core *)context)->sets_up_wifi);
	return values;
}

static inline cJSON *fake_restart_needed(void *context)
{
	(void)context;
	return cJSON_CreateArray();
}

static inline cJSON *fake_problems(void *context)
{
	(void)context;
	return cJSON_CreateArray();
}

/* Knows two settings, scheduler.max_concurrent and qr_wifi_scan_enabled. */
static inline int fake_set(void *context, const cJSON *changes, struct tunables *tunables,
			   struct err *err)
{
	struct fake_core *s = context;

	if (cJSON_HasObjectItem(changes, "qr_wifi_scan_enabled")) {
		s->sets_up_wifi = json_bool(changes, "qr_wifi_scan_enabled", false);
		return 0;
	}
	if (!cJSON_HasObjectItem(changes, "scheduler.max_concurrent"))
		return err_code(err, -EINVAL, "invalid_args", "there is no such setting");
	tunables->max_concurrent =
		(int)json_number(changes, "scheduler.max_concurrent", 3);
	return 0;
}

/* ---- the broker ---- */

static inline void post(struct fake_core *s, struct event *event)
{
	*s->last = event;
	s->last = &event->next;
}

static inline struct event *event_of(struct fake_core *s, enum event_kind kind)
{
	struct event *event = event_new(kind);

	event->epoch = s->epoch;
	return event;
}

static inline void post_ack(struct fake_core *s, struct message *m, bool ok)
{
	struct event *event = event_of(s, EVENT_SENT);

	m->acked = true;
	event->token = m->token;
	event->epoch = m->epoch;
	event->flag = ok;
	post(s, event);
}

static inline struct event *message_event(struct fake_core *s, const char *topic,
					  const char *payload)
{
	struct event *event = event_of(s, EVENT_MESSAGE);

	event->topic = strdup(topic);
	event_set_data(event, payload, strlen(payload));
	return event;
}

static inline double rev_of(const char *text)
{
	cJSON *document = cJSON_Parse(text);
	double rev = json_number(document, "rev", -1);

	cJSON_Delete(document);
	return rev;
}

/* Checks the rules of the contract about retained topics. */
static inline void broker_judge(const struct fake_core *s, const struct message *new)
{
	bool task = !strncmp(new->topic, OURS "task/", strlen(OURS "task/"));

	if (!new->retain || !new->qos)
		return;
	for (size_t i = s->message_count; i-- > 0;) {
		const struct message *old = &s->messages[i];

		if (!old->retain || strcmp(old->topic, new->topic) != 0)
			continue;
		if (!old->acked && old->epoch == new->epoch)
			fail_msg("two messages of %s are in flight", new->topic);
		if (task && old->size &&
		    new->size &&rev_of(new->text) < rev_of(old->text))
			fail_msg("the revision of %s went back: %s after %s", new->topic,
				 new->text, old->text);
		return;
	}
}

static inline void broker_take(struct fake_core *s, const struct effect *effect)
{
	struct message m = {
		.topic = strdup(effect->name),
		.text = calloc(1, effect->size + 1),
		.size = effect->size,
		.qos = effect->qos,
		.expiry_s = effect->expiry_s,
		.retain = effect->retain,
		.token = effect->token,
		.epoch = effect->epoch,
		.at = s->now,
	};

	if (effect->size)
		memcpy(m.text, effect->text, effect->size);
	if (effect->correlation)
		m.correlation = strndup((const char *)effect->correlation,
					effect->correlation_size);
	assert_int_equal(effect->epoch, s->epoch);
	assert_true(s->epoch != 0);
	broker_judge(s, &m);
	s->messages = realloc(s->messages, (s->message_count + 1) * sizeof(m));
	s->messages[s->message_count++] = m;
	if (!s->silent && !strcmp(m.topic, OURS "reply/_barrier")) {
		post(s, message_event(s, m.topic, m.text));
		s->silent = s->one_barrier;
	}
	if (m.token && !s->deaf)
		post_ack(s, &s->messages[s->message_count - 1], true);
}

static inline void broker_ack_all(struct fake_core *s)
{
	for (size_t i = 0; i < s->message_count; i++)
		if (!s->messages[i].acked && s->messages[i].token &&
		    s->messages[i].epoch == s->epoch)
			post_ack(s, &s->messages[i], true);
}

static inline void broker_subscribe(struct fake_core *s, const struct effect *effect)
{
	struct event *event;

	strncat(s->subscribed, effect->name,
		sizeof(s->subscribed) - strlen(s->subscribed) - 2);
	strcat(s->subscribed, " ");
	/* One acknowledgement per request: for its last filter. */
	for (const struct effect *e = effect->next; e; e = e->next)
		if (e->kind == EFFECT_SUBSCRIBE && e->token == effect->token)
			return;
	event = event_of(s, EVENT_SUBSCRIBED);
	event->token = effect->token;
	event->flag = true;
	post(s, event);
}

/* ---- turns ---- */

static inline void workers_take(struct fake_core *s, const struct effect *effect)
{
	struct fake_run run = {
		.run = effect->run,
		.id = strdup(effect->verb ? effect->verb->name : effect->name),
		.args = strdup(effect->text),
		.saved = effect->more ? strdup(effect->more) : NULL,
		.attempt = (int)effect->number,
		.command = effect->kind == EFFECT_COMMAND,
	};

	s->runs = realloc(s->runs, (s->run_count + 1) * sizeof(run));
	s->runs[s->run_count++] = run;
}

static inline void carry_out(struct fake_core *s, struct effects *effects)
{
	for (struct effect *e = effects->first; e; e = e->next) {
		switch (e->kind) {
		case EFFECT_COMPLETE:
			s->released++;
			break;
		case EFFECT_START:
		case EFFECT_COMMAND:
			workers_take(s, e);
			break;
		case EFFECT_RESUME:
			assert_non_null(run_numbered(s, e->run));
			run_numbered(s, e->run)->pause = false;
			run_numbered(s, e->run)->went_on++;
			break;
		case EFFECT_PUBLISH:
			broker_take(s, e);
			break;
		case EFFECT_SUBSCRIBE:
			broker_subscribe(s, e);
			break;
		case EFFECT_UNSUBSCRIBE:
			strcat(s->unsubscribed, e->name);
			strcat(s->unsubscribed, " ");
			break;
		case EFFECT_RECONNECT:
			s->restart_after = e->number;
			break;
		case EFFECT_RELEASE_ESTOP:
			s->estop_releases++;
			break;
		case EFFECT_STOPPED:
			s->stopped = true;
			break;
		}
	}
	effects_clear(effects);
}

static inline struct event *take_events(struct fake_core *s)
{
	struct event *first = s->first, **end = &s->first;

	for (int i = 0; *end && i < CORE_TURN_EVENTS; i++)
		end = &(*end)->next;
	s->first = *end;
	if (!s->first)
		s->last = &s->first;
	*end = NULL;
	return end == &s->first ? NULL : first;
}

/* One turn; a negative errno when it was not committed. */
static inline int fake_core_turn(struct fake_core *s, struct err *err)
{
	struct event *events = take_events(s);
	struct effects effects;
	int ret;

	s->turns++;
	effects_init(&effects);
	ret = core_turn(s->core, events, (struct core_time){s->now, s->wall}, &effects,
			err);
	if (ret == 0)
		carry_out(s, &effects);
	effects_clear(&effects);
	while (events) {
		struct event *event = events;

		events = event->next;
		event_free(event);
	}
	return ret;
}

/* Turns until nothing is in flight. */
static inline void settle(struct fake_core *s)
{
	struct err err;

	do {
		if (fake_core_turn(s, &err) < 0)
			fail_msg("the turn was not committed: %s", err.text);
	} while (s->first);
}

/* Lets time pass, with turns only when the core wants them. */
static inline void pass(struct fake_core *s, int64_t ms)
{
	int64_t until = s->now + ms;
	int spins = 0;

	for (;;) {
		int64_t wake = core_wake(s->core);

		if (wake < 0 || wake > until)
			break;
		spins = wake <= s->now ? spins + 1 : 0;
		if (spins > 8)
			fail_msg(
				"the core wants one turn after the other and does nothing");
		if (wake > s->now) {
			s->wall += wake - s->now;
			s->now = wake;
		}
		settle(s);
	}
	s->wall += until - s->now;
	s->now = until;
}

/* ---- the connection ---- */

static inline void go_up(struct fake_core *s, int version)
{
	struct event *event;

	s->epoch++;
	event = event_of(s, EVENT_CONNECTED);
	event->flag = true;
	event->number = 64;
	event->version = version;
	post(s, event);
	settle(s);
}

static inline void session_up(struct fake_core *s)
{
	go_up(s, 5);
}

static inline void session_lost(struct fake_core *s)
{
	post(s, event_of(s, EVENT_DISCONNECTED));
	settle(s);
}

/* ---- start, crash and stop ---- */

static inline void core_start(struct fake_core *s)
{
	struct effects effects;
	struct err err;

	effects_init(&effects);
	if (core_open(&s->core, &s->options, (struct core_time){s->now, s->wall},
		      &effects, &err) < 0)
		fail_msg("%s", err.text);
	carry_out(s, &effects);
}

static inline void core_end(struct fake_core *s)
{
	core_close(s->core);
	s->core = NULL;
	while (s->first) {
		struct event *event = s->first;

		s->first = event->next;
		event_free(event);
	}
	s->last = &s->first;
	for (size_t i = 0; i < s->run_count; i++)
		s->runs[i].over = true;
}

/* The process crashes and starts a second later, without a connection. */
static inline void crash(struct fake_core *s)
{
	core_end(s);
	s->now += SECOND;
	s->wall += SECOND;
	snprintf(s->boot, sizeof(s->boot), "%016llx", strtoull(s->boot, NULL, 16) + 1);
	s->stopped = false;
	core_start(s);
}

/* With a new database, connected and ready for commands. */
static inline int fake_read_config(void *context, cJSON **config, struct err *err)
{
	(void)context;
	(void)err;
	*config = cJSON_CreateObject();
	return 0;
}

static inline void fake_use_config(void *context)
{
	(void)context;
}

static inline struct fake_core *fake_core_open(void)
{
	struct fake_core *s = calloc(1, sizeof(*s));
	const char *tmp = getenv("TMPDIR");

	log_set_level(LOG_LEVEL_ERROR);
	snprintf(s->folder, sizeof(s->folder), "%s/core_test.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(s->folder));
	strcpy(s->boot, "b000000000000001");
	s->now = START_MS;
	s->wall = START_WALL;
	s->last = &s->first;
	s->restart_after = -1;
	s->parsed = cJSON_CreateArray();
	s->registry = fake_registry(0);
	s->options = (struct core_options){
		.root = ROOT,
		.device = DEVICE,
		.state_dir = s->folder,
		.registry = s->registry,
		.devices = fake_devices,
		.device_count = sizeof(fake_devices) / sizeof(fake_devices[0]),
		.backend = "fake",
		.boot = s->boot,
		.new_store = "5707e00000000001",
		.seed = 1,
		.blocking_threads = 2,
		.tunables = {.max_concurrent = 3,
			     .max_pause_ms = DAY,
			     .kill_after_ms = 10 * SECOND,
			     .reply_spread_ms = 500,
			     .keep_tasks = 200,
			     .keep_ms = 30 * (int64_t)DAY},
		.groups = cJSON_CreateArray(),
		.birth_prefix = "homeassistant",
		.settings = {s, fake_values, fake_restart_needed, fake_problems, fake_set,
			     fake_read_config, fake_use_config},
		.problems = cJSON_CreateArray(),
		.stop_ops = {s, fake_pause, fake_stop, fake_stop_motion, fake_estop},
	};
	core_start(s);
	return s;
}

static inline void folder_remove(const char *folder)
{
	DIR *dir = opendir(folder);

	for (const struct dirent *entry; dir && (entry = readdir(dir));) {
		char path[400];

		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		unlink(path);
	}
	if (dir)
		closedir(dir);
	rmdir(folder);
}

static inline void fake_core_close(struct fake_core *s)
{
	core_end(s);
	for (size_t i = 0; i < s->message_count; i++) {
		free(s->messages[i].topic);
		free(s->messages[i].text);
		free(s->messages[i].correlation);
	}
	for (size_t i = 0; i < s->run_count; i++) {
		free(s->runs[i].id);
		free(s->runs[i].args);
		free(s->runs[i].saved);
	}
	registry_close(s->registry);
	cJSON_Delete((cJSON *)(uintptr_t)s->options.groups);
	cJSON_Delete((cJSON *)(uintptr_t)s->options.problems);
	cJSON_Delete(s->parsed);
	folder_remove(s->folder);
	free(s->messages);
	free(s->runs);
	free(s);
}

/* ---- commands and documents ---- */

/* The newest message on a topic below R/<d>/, or on a whole one that begins with a /. */
static inline const struct message *newest_from(const struct fake_core *s,
						const char *rest, size_t from)
{
	char topic[400];

	if (rest[0] == '/')
		snprintf(topic, sizeof(topic), "%s", rest + 1);
	else
		snprintf(topic, sizeof(topic), OURS "%s", rest);
	for (size_t i = s->message_count; i-- > from;)
		if (!strcmp(s->messages[i].topic, topic))
			return &s->messages[i];
	return NULL;
}

static inline const struct message *newest(const struct fake_core *s, const char *rest)
{
	return newest_from(s, rest, 0);
}

static inline size_t count_of(const struct fake_core *s, const char *rest)
{
	char topic[400];
	size_t n = 0;

	snprintf(topic, sizeof(topic), OURS "%s", rest);
	for (size_t i = 0; i < s->message_count; i++)
		n += !strcmp(s->messages[i].topic, topic);
	return n;
}

/* The newest value of a retained topic. */
static inline const cJSON *published(struct fake_core *s, const char *rest)
{
	const struct message *m = newest(s, rest);

	if (!m)
		fail_msg("nothing was published on %s", rest);
	return m->size ? keep_parsed(s, m->text) : NULL;
}

static inline const cJSON *document(struct fake_core *s, const char *id)
{
	char rest[80];

	snprintf(rest, sizeof(rest), "task/%s", id);
	return published(s, rest);
}

static inline struct event *command_event(struct fake_core *s, const char *topic,
					  const char *body)
{
	char whole[400], *payload = json_of(body);
	struct event *event;

	snprintf(whole, sizeof(whole), "%s%s", topic[0] == '/' ? "" : OURS "cmd/",
		 topic[0] == '/' ? topic + 1 : topic);
	event = message_event(s, whole, payload);
	free(payload);
	return event;
}

/* The reply among the messages from that number on. */
static inline const cJSON *reply_from(struct fake_core *s, size_t from)
{
	for (size_t i = from; i < s->message_count; i++) {
		const struct message *m = &s->messages[i];

		if (strstr(m->topic, "reply/") && !strstr(m->topic, "_barrier"))
			return keep_parsed(s, m->text);
	}
	return NULL;
}

/* Sends a command (topic "task/create", or a whole one that begins with a /) and returns
 * its reply; NULL when none came. */
static inline const cJSON *ask(struct fake_core *s, const char *topic, const char *body)
{
	size_t from = s->message_count;

	post(s, command_event(s, topic, body));
	settle(s);
	return reply_from(s, from);
}

static inline const cJSON *ask_code(struct fake_core *s, const char *topic,
				    const char *body, const char *code)
{
	const cJSON *reply = ask(s, topic, body);

	if (!reply)
		fail_msg("%s %s was not answered", topic, body);
	if (strcmp(text_at(reply, "code"), code) != 0) {
		char *text = json_text(reply);

		fail_msg("%s %s was answered %s", topic, body, text);
	}
	return reply;
}

/* task/create of that type with more members ("'priority':3", may be ""). */
static inline void make(struct fake_core *s, const char *id, const char *type,
			const char *more)
{
	char body[1024];

	snprintf(body, sizeof(body), "{'id':'%s','type':'%s'%s%s}", id, type,
		 more[0] ? "," : "", more);
	ask_code(s, "task/create", body, "accepted");
}

static inline struct fake_run *run_of(struct fake_core *s, const char *id)
{
	for (size_t i = s->run_count; i-- > 0;)
		if (!s->runs[i].over && !strcmp(s->runs[i].id, id))
			return &s->runs[i];
	return NULL;
}

static inline bool runs(struct fake_core *s, const char *id)
{
	return run_of(s, id) != NULL;
}

static inline struct event *run_event(struct fake_core *s, const char *id,
				      enum event_kind kind)
{
	struct fake_run *run = run_of(s, id);
	struct event *event = event_new(kind);

	if (!run)
		fail_msg("no worker works on %s", id);
	event->run = run->run;
	return event;
}

static inline void progress(struct fake_core *s, const char *id, double current,
			    double total)
{
	struct event *event = run_event(s, id, EVENT_PROGRESS);

	event->current = current;
	event->total = total;
	event->text = strdup("at work");
	post(s, event);
	settle(s);
}

static inline void checkpoint(struct fake_core *s, const char *id, const char *state)
{
	struct event *event = run_event(s, id, EVENT_CHECKPOINT);

	event->text = strdup(state);
	post(s, event);
	settle(s);
}

static inline void begin(struct fake_core *s, const char *id)
{
	post(s, run_event(s, id, EVENT_BEGIN));
	settle(s);
}

/* The run waits at its gate. */
static inline void parked(struct fake_core *s, const char *id)
{
	post(s, run_event(s, id, EVENT_PARKED));
	settle(s);
}

static inline void end_run(struct fake_core *s, const char *id, struct event *event)
{
	run_of(s, id)->over = true;
	post(s, event);
	settle(s);
}

static inline void finish(struct fake_core *s, const char *id, const char *result)
{
	struct event *event = run_event(s, id, EVENT_FINISHED);

	event->outcome = OUTCOME_DONE;
	event->data = result ? json_of(result) : NULL;
	end_run(s, id, event);
}

static inline void fails(struct fake_core *s, const char *id, const char *code,
			 const char *text)
{
	struct event *event = run_event(s, id, EVENT_FINISHED);

	event->outcome = OUTCOME_FAILED;
	snprintf(event->code, sizeof(event->code), "%s", code);
	event->text = strdup(text);
	end_run(s, id, event);
}

/* The run has seen the stop and ended. */
static inline void stops(struct fake_core *s, const char *id)
{
	struct event *event = run_event(s, id, EVENT_FINISHED);

	if (!run_of(s, id)->stop)
		fail_msg("nobody asked %s to stop", id);
	event->outcome = OUTCOME_STOPPED;
	end_run(s, id, event);
}

static inline void command_ends(struct fake_core *s, const char *verb, bool ok,
				const char *code, const char *text)
{
	struct event *event = run_event(s, verb, EVENT_COMMAND_DONE);

	event->flag = ok;
	snprintf(event->code, sizeof(event->code), "%s", code);
	if (ok)
		event->data = json_of(text);
	else
		event->text = strdup(text);
	end_run(s, verb, event);
}

/* The document of a task, from task/get. */
static inline const cJSON *get(struct fake_core *s, const char *id)
{
	return at(ask_code(s, "task/get", id, "ok"), "data");
}

static inline void assert_status(struct fake_core *s, const char *id, const char *status)
{
	const char *is = text_at(get(s, id), "status");

	if (strcmp(is, status) != 0)
		fail_msg("%s is %s, not %s", id, is, status);
}

static inline bool happened(const struct fake_core *s, const char *name, const char *id)
{
	char event[80], whose[80];

	snprintf(event, sizeof(event), "\"event\":\"%s\"", name);
	snprintf(whose, sizeof(whose), "\"id\":\"%s\"", id ? id : "");
	for (size_t i = 0; i < s->message_count; i++)
		if (!strcmp(s->messages[i].topic, OURS "event") &&
		    strstr(s->messages[i].text, event) &&
		    (!id || strstr(s->messages[i].text, whose)))
			return true;
	return false;
}

#endif
