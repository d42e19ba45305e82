#include "tests/simulation/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulation/sim_types.h"

#define BODY_MAX 4096
#define WILD_MAX 256

enum temper {
	TEMPER_CREATE,
	TEMPER_TASK,
	TEMPER_QUEUE,
	TEMPER_RIG,
	TEMPER_READ,
	TEMPER_AGENT,
	TEMPER_BAD,
	TEMPER_AGAIN,
	TEMPERS,
};

void client_init(struct client *client, struct prng *prng)
{
	static const int weights[TEMPERS][3] = {
		[TEMPER_CREATE] = {10, 30, 80}, [TEMPER_TASK] = {3, 20, 60},
		[TEMPER_QUEUE] = {0, 2, 10},	[TEMPER_RIG] = {0, 5, 20},
		[TEMPER_READ] = {0, 2, 6},	[TEMPER_AGENT] = {0, 1, 4},
		[TEMPER_BAD] = {0, 2, 10},	[TEMPER_AGAIN] = {2, 10, 40},
	};

	memset(client, 0, sizeof(*client));
	for (int i = 0; i < TEMPERS; i++)
		client->temper[i] = weights[i][prng_below(prng, 3)];
}

void client_clear(struct client *client)
{
	for (int i = 0; i < client->count; i++) {
		free(client->wishes[i]->body);
		free(client->wishes[i]);
	}
	free(client->wishes);
	free(client->ids);
}

static struct wish *wish_new(struct client *client, const char *verb)
{
	struct wish *wish = calloc(1, sizeof(*wish));

	if (client->count == client->room) {
		client->room = client->room ? 2 * client->room : 64;
		client->wishes = realloc(client->wishes,
					 (size_t)client->room * sizeof(struct wish *));
	}
	if (!wish || !client->wishes)
		abort();
	wish->number = client->count;
	wish->type = -1;
	wish->rivalled = client->wild;
	snprintf(wish->verb, sizeof(wish->verb), "%s", verb);
	snprintf(wish->topic, sizeof(wish->topic), OURS "cmd/%s", verb);
	client->wishes[client->count++] = wish;
	return wish;
}

void client_heard(struct client *client, const char *id)
{
	for (int i = client->id_count; i-- > 0 && i > client->id_count - 50;)
		if (!strcmp(client->ids[i], id))
			return;
	if (client->id_count == client->id_room) {
		client->id_room = client->id_room ? 2 * client->id_room : 64;
		client->ids = realloc(client->ids, (size_t)client->id_room * WISH_ID);
		if (!client->ids)
			abort();
	}
	snprintf(client->ids[client->id_count++], WISH_ID, "%s", id);
}

/* Mostly one of the last. */
static const char *some_id(const struct client *client, struct prng *prng)
{
	int back = prng_chance(prng, 80) ? 12 : client->id_count;

	if (!client->id_count || prng_chance(prng, 2))
		return "nobody";
	if (back > client->id_count)
		back = client->id_count;
	return client->ids[client->id_count - 1 - prng_below(prng, back)];
}

/* ---- bodies ---- */

struct text {
	char bytes[BODY_MAX];
	size_t size;
};

static void add(struct text *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text->bytes + text->size, sizeof(text->bytes) - text->size, fmt,
		      args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(text->bytes) - text->size)
		abort();
	text->size += (size_t)n;
}

/* A member, with the comma that it needs. */
static void member(struct text *text, const char *key)
{
	add(text, "%s\"%s\":", text->size > 1 ? "," : "", key);
}

static void wish_end(struct wish *wish, struct text *text, struct prng *prng)
{
	int way = prng_below(prng, 10);

	wish->correlated = way < 7;
	wish->hears = way < 9;
	if (wish->request[0]) {
		member(text, "request");
		add(text, "\"%s\"", wish->request);
	}
	if (wish->hears && !wish->correlated) {
		member(text, "reply_to");
		add(text, "\"" ROOT "/_reply/w%d\"", wish->number);
	}
	add(text, "}");
	wish->body = strdup(text->bytes);
}

static void give_request(struct wish *wish, struct prng *prng, int percent)
{
	if (prng_chance(prng, percent))
		snprintf(wish->request, sizeof(wish->request), "q%d", wish->number);
}

static void to_group(struct wish *wish, const char *verb)
{
	snprintf(wish->topic, sizeof(wish->topic), ROOT "/_group/" GROUP "/cmd/%s", verb);
}

static void to_all(struct wish *wish, const char *verb)
{
	snprintf(wish->topic, sizeof(wish->topic), ROOT "/_all/cmd/%s", verb);
}

/* ---- task/create ---- */

static void create_after(struct client *client, struct wish *wish, struct text *text,
			 struct prng *prng)
{
	int n = prng_between(prng, 1, WISH_AFTER);

	member(text, "after");
	for (int i = 0; i < n; i++) {
		snprintf(wish->after[i], WISH_ID, "%s", some_id(client, prng));
		add(text, "%c\"%s\"", i ? ',' : '[', wish->after[i]);
	}
	add(text, "]");
	wish->after_count = n;
	wish->plain = false;
}

static void create_then(struct text *text, struct prng *prng)
{
	int n = prng_chance(prng, 5) ? 32 : prng_between(prng, 1, 3);

	member(text, "then");
	for (int i = 0; i < n; i++)
		add(text, "%c{\"type\":\"%s\"}", i ? ',' : '[',
		    sim_types[prng_below(prng, SIM_TYPES)].name);
	add(text, "]");
}

static void create_extras(struct client *client, struct wish *wish, struct text *text,
			  struct prng *prng)
{
	if (prng_chance(prng, 30)) {
		wish->priority = prng_between(prng, -2, 2);
		member(text, "priority");
		add(text, "%d", wish->priority);
	}
	if (prng_chance(prng, 20))
		create_after(client, wish, text, prng);
	if (prng_chance(prng, 10))
		create_then(text, prng);
	if (prng_chance(prng, 15)) {
		member(text, "retries");
		add(text, "%d,\"retry_delay_s\":%d", prng_between(prng, 1, 3),
		    prng_below(prng, 5));
	}
	if (prng_chance(prng, 10)) {
		member(text, "timeout_s");
		add(text, "%d", prng_between(prng, 1, 90));
	}
	if (prng_chance(prng, 10)) {
		member(text, "on_interrupt");
		add(text, "\"%s\"", prng_chance(prng, 50) ? "interrupt" : "resume");
	}
	if (prng_chance(prng, 3)) {
		member(text, "dry_run");
		add(text, "true");
		wish->plain = false;
	}
}

static struct wish *make_create(struct client *client, struct prng *prng)
{
	struct wish *wish = wish_new(client, "task/create");
	struct text text = {"{", 1};

	wish->type = prng_below(prng, SIM_TYPES);
	if (prng_chance(prng, 3)) {
		/* The short form: nobody can name it. */
		wish->body = strdup(sim_types[wish->type].name);
		return wish;
	}
	wish->plain = true;
	member(&text, "type");
	add(&text, "\"%s\"", sim_types[wish->type].name);
	if (prng_chance(prng, 85)) {
		snprintf(wish->id, sizeof(wish->id), "c%d", wish->number);
		member(&text, "id");
		add(&text, "\"%s\"", wish->id);
		if (prng_chance(prng, 30))
			client_heard(client, wish->id);
	}
	give_request(wish, prng, wish->id[0] ? 20 : 70);
	member(&text, "args");
	add(&text, "{\"n\":%d}",
	    prng_between(prng, 1, prng_chance(prng, 2) ? 2000 : 999));
	create_extras(client, wish, &text, prng);
	wish_end(wish, &text, prng);
	if (prng_chance(prng, 2))
		to_group(wish, wish->verb);
	wish->retained = prng_chance(prng, 2);
	return wish;
}

/* An id or a request that was used, and something else behind it. */
static struct wish *make_rival(struct client *client, struct prng *prng)
{
	struct wish *older = client->wishes[prng_below(prng, client->count)];
	struct wish *wish = wish_new(client, "task/create");
	struct text text = {"{", 1};

	wish->type = 1;
	wish->rivalled = true;
	older->rivalled = true;
	snprintf(wish->request, sizeof(wish->request), "%s", older->request);
	member(&text, "type");
	add(&text, "\"plain_task\",\"args\":{\"n\":%d}", 1 + wish->number % 999);
	if (!strcmp(older->verb, "task/create") && older->id[0]) {
		snprintf(wish->id, sizeof(wish->id), "%s", older->id);
		add(&text, ",\"id\":\"%s\"", wish->id);
	}
	wish_end(wish, &text, prng);
	return wish;
}

/* ---- the other nouns ---- */

static struct wish *make_body(struct client *client, struct prng *prng, const char *verb,
			      const char *members)
{
	struct wish *wish = wish_new(client, verb);
	struct text text = {"{", 1};

	add(&text, "%s", members);
	give_request(wish, prng, 40);
	wish_end(wish, &text, prng);
	return wish;
}

static struct wish *make_task(struct client *client, struct prng *prng)
{
	static const char *const verbs[] = {"cancel", "pause",	 "resume", "restart",
					    "cancel", "delete",	 "update", "get",
					    "pause",  "restart", "resume", "log"};
	const char *what = verbs[prng_below(prng, 12)];
	const char *id = some_id(client, prng);
	char verb[24], members[160];
	struct wish *wish;

	snprintf(verb, sizeof(verb), "task/%s", what);
	if (prng_chance(prng, 8)) {
		static const char *const forms[] = {"current", "PRESS"};

		wish = wish_new(client, verb);
		wish->body =
			strdup(prng_chance(prng, 50) ? id : forms[prng_below(prng, 2)]);
		return wish;
	}
	snprintf(members, sizeof(members), "\"id\":\"%s\"", id);
	if (!strcmp(what, "update"))
		snprintf(members, sizeof(members), "\"id\":\"%s\",\"priority\":%d", id,
			 prng_between(prng, -3, 3));
	if (!strcmp(what, "restart") && prng_chance(prng, 50))
		snprintf(members, sizeof(members), "\"id\":\"%s\",\"from\":\"start\"",
			 id);
	wish = make_body(client, prng, verb, members);
	snprintf(wish->id, sizeof(wish->id), "%s", id);
	return wish;
}

static struct wish *make_queue(struct client *client, struct prng *prng)
{
	static const char *const verbs[] = {"queue/pause", "queue/resume", "queue/resume",
					    "queue/clear", "estop",	   "queue/resume",
					    "agent/drain", "agent/undrain"};
	const char *verb = verbs[prng_below(prng, 8)];
	struct wish *wish = make_body(client, prng, verb, "");

	if (strcmp(verb, "queue/clear") != 0 && prng_chance(prng, 10))
		to_all(wish, verb);
	return wish;
}

static struct wish *make_rig(struct client *client, struct prng *prng)
{
	static const struct {
		const char *verb, *members;
	} wishes[] = {
		{"motor/move", "\"name\":\"rotor\",\"degrees\":5"},
		{"motor/move", "\"name\":\"turntable\",\"degrees\":15"},
		{"motor/home", "\"name\":\"rotor\""},
		{"motor/home", ""},
		{"motor/stop", ""},
		{"motor/override", "\"name\":\"rotor\",\"degrees\":3"},
		{"light/set", "\"brightness\":50"},
		{"light/toggle", ""},
		{"camera/capture", ""},
		{"camera/settings", ""},
		{"trigger/fire", ""},
	};
	int i = prng_below(prng, (int)(sizeof(wishes) / sizeof(wishes[0])));
	struct wish *wish = make_body(client, prng, wishes[i].verb, wishes[i].members);

	if (prng_chance(prng, 5))
		to_group(wish, wish->verb);
	return wish;
}

static struct wish *make_read(struct client *client, struct prng *prng)
{
	static const struct {
		const char *verb, *members;
	} wishes[] = {
		{"task/list", "\"limit\":5"}, {"task/events", "\"since\":0,\"limit\":5"},
		{"agent/ping", ""},	      {"settings/get", ""},
		{"project/list", ""},
	};
	int i = prng_below(prng, (int)(sizeof(wishes) / sizeof(wishes[0])));

	return make_body(client, prng, wishes[i].verb, wishes[i].members);
}

static struct wish *make_agent(struct client *client, struct prng *prng)
{
	static const struct {
		const char *verb, *members;
	} wishes[] = {
		{"agent/sync", ""},
		{"agent/prune", "\"keep\":3"},
		{"settings/set", "\"values\":{\"a\":1}"},
		{"project/create", "\"project\":\"cup\""},
		{"project/delete", "\"project\":\"cup\""},
	};
	int i = prng_below(prng, (int)(sizeof(wishes) / sizeof(wishes[0])));

	return make_body(client, prng, wishes[i].verb, wishes[i].members);
}

static struct wish *make_bad(struct client *client, struct prng *prng)
{
	static const struct {
		const char *verb, *body;
	} wishes[] = {
		{"task/create", "{\"type\":"},
		{"task/create", "{\"type\":\"nothing_task\"}"},
		{"task/create", "{\"type\":\"needy_task\"}"},
		{"task/create", "{\"type\":\"plain_task\",\"args\":{\"n\":0}}"},
		{"task/create", "{\"type\":\"plain_task\",\"after\":[\"never-was\"]}"},
		{"task/fly", "{}"},
		{"task", "{}"},
		{"task/cancel", ""},
		{"motor/move", "{\"name\":\"nose\",\"degrees\":1}"},
		{"motor/move", "{}"},
		{"task/get", "{\"id\":\"c1\",\"reply_to\":\"" OURS "cmd/task/create\"}"},
		{"", "{}"},
		{"queue/pause", "[]"},
		{"task/create", "{\"id\":\"current\",\"type\":\"plain_task\"}"},
	};
	int i = prng_below(prng, (int)(sizeof(wishes) / sizeof(wishes[0])));
	struct wish *wish = wish_new(client, wishes[i].verb);

	wish->body = strdup(wishes[i].body);
	return wish;
}

struct wish *client_make(struct client *client, struct prng *prng)
{
	int total = 0, lot, sort = 0;

	for (int i = 0; i < TEMPERS; i++)
		total += client->temper[i];
	lot = prng_below(prng, total);
	while (lot >= client->temper[sort])
		lot -= client->temper[sort++];
	if (!client->count)
		sort = TEMPER_CREATE;
	switch ((enum temper)sort) {
	case TEMPER_TASK:
		return make_task(client, prng);
	case TEMPER_QUEUE:
		return make_queue(client, prng);
	case TEMPER_RIG:
		return make_rig(client, prng);
	case TEMPER_READ:
		return make_read(client, prng);
	case TEMPER_AGENT:
		return make_agent(client, prng);
	case TEMPER_BAD:
		return make_bad(client, prng);
	case TEMPER_AGAIN:
		if (prng_chance(prng, 15))
			return make_rival(client, prng);
		return client->wishes[prng_below(prng, client->count)];
	case TEMPER_CREATE:
	case TEMPERS:
		break;
	}
	return make_create(client, prng);
}

static void go_wild(struct client *client)
{
	client->wild = true;
	for (int i = 0; i < client->count; i++)
		client->wishes[i]->rivalled = true;
}

struct wish *client_make_wild(struct client *client, struct prng *prng)
{
	static const char *const verbs[] = {
		"task/create",	 "task/cancel",	 "task/pause",	"task/resume",
		"task/restart",	 "task/delete",	 "task/update", "task/get",
		"task/list",	 "task/log",	 "task/events", "queue/pause",
		"queue/resume",	 "queue/clear",	 "agent/prune", "agent/drain",
		"agent/undrain", "settings/set", "light/set",	"motor/move",
		"estop"};
	int verb = prng_below(prng, (int)(sizeof(verbs) / sizeof(verbs[0])));
	struct wish *wish = wish_new(client, verbs[verb]);
	int size = prng_below(prng, WILD_MAX), n = 0;

	wish->body = calloc(1, WILD_MAX);
	if (!wish->body)
		abort();
	while (n < size)
		wish->body[n++] = (char)prng_below(prng, 256);
	/* Replies that go to others are read as theirs. */
	if (strchr(wish->body, '\\') || strstr(wish->body, "_reply"))
		wish->body[0] = '\0';
	wish->wild = true;
	wish->rivalled = true;
	go_wild(client);
	return wish;
}

struct wish *client_plain(struct client *client, const char *verb, const char *body)
{
	struct wish *wish = wish_new(client, verb);

	wish->body = strdup(body);
	return wish;
}

struct wish *client_of_reply(const struct client *client, const char *topic,
			     const void *correlation, size_t size)
{
	char text[16];
	int number = -1;

	if (!strcmp(topic, REPLY_TOPIC) && size < sizeof(text)) {
		memcpy(text, correlation, size);
		text[size] = '\0';
		number = atoi(text);
	} else if (!strncmp(topic, ROOT "/_reply/w", strlen(ROOT "/_reply/w"))) {
		number = atoi(topic + strlen(ROOT "/_reply/w"));
	}
	return number >= 0 && number < client->count ? client->wishes[number] : NULL;
}
