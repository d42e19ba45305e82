/* Makes up the commands of the simulated clients. */
#include "tests/simulation/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulation/sim_types.h"

#define BODY_MAX 4096
#define WILD_MAX 256

enum weight {
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
		client->weight[i] = weights[i][prng_below(prng, 3)];
}

void client_clear(struct client *client)
{
	for (int i = 0; i < client->count; i++) {
		free(client->commands[i]->body);
		free(client->commands[i]);
	}
	free(client->commands);
	free(client->ids);
}

static struct sim_command *command_new(struct client *client, const char *verb)
{
	struct sim_command *command = calloc(1, sizeof(*command));

	if (client->count == client->room) {
		client->room = client->room ? 2 * client->room : 64;
		client->commands =
			realloc(client->commands,
				(size_t)client->room * sizeof(struct sim_command *));
	}
	if (!command || !client->commands)
		abort();
	command->number = client->count;
	command->type = -1;
	command->contested = client->random_body;
	snprintf(command->verb, sizeof(command->verb), "%s", verb);
	snprintf(command->topic, sizeof(command->topic), OURS "cmd/%s", verb);
	client->commands[client->count++] = command;
	return command;
}

void client_task_seen(struct client *client, const char *id)
{
	for (int i = client->id_count; i-- > 0 && i > client->id_count - 50;)
		if (!strcmp(client->ids[i], id))
			return;
	if (client->id_count == client->id_room) {
		client->id_room = client->id_room ? 2 * client->id_room : 64;
		client->ids = realloc(client->ids, (size_t)client->id_room * SIM_ID_SIZE);
		if (!client->ids)
			abort();
	}
	snprintf(client->ids[client->id_count++], SIM_ID_SIZE, "%s", id);
}

/* An id, mostly one of the latest. */
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

/* Adds a JSON key, with a comma where one is needed. */
static void member(struct text *text, const char *key)
{
	add(text, "%s\"%s\":", text->size > 1 ? "," : "", key);
}

static void command_end(struct sim_command *command, struct text *text, struct prng *prng)
{
	int way = prng_below(prng, 10);

	command->correlated = way < 7;
	command->has_reply_topic = way < 9;
	if (command->request[0]) {
		member(text, "request");
		add(text, "\"%s\"", command->request);
	}
	if (command->has_reply_topic && !command->correlated) {
		member(text, "reply_to");
		add(text, "\"" ROOT "/_reply/w%d\"", command->number);
	}
	add(text, "}");
	command->body = strdup(text->bytes);
}

static void give_request(struct sim_command *command, struct prng *prng, int percent)
{
	if (prng_chance(prng, percent))
		snprintf(command->request, sizeof(command->request), "q%d",
			 command->number);
}

static void to_group(struct sim_command *command, const char *verb)
{
	snprintf(command->topic, sizeof(command->topic), ROOT "/_group/" GROUP "/cmd/%s",
		 verb);
}

static void to_all(struct sim_command *command, const char *verb)
{
	snprintf(command->topic, sizeof(command->topic), ROOT "/_all/cmd/%s", verb);
}

/* ---- task/create ---- */

static void create_after(struct client *client, struct sim_command *command,
			 struct text *text, struct prng *prng)
{
	int n = prng_between(prng, 1, SIM_AFTER_MAX);

	member(text, "after");
	for (int i = 0; i < n; i++) {
		snprintf(command->after[i], SIM_ID_SIZE, "%s", some_id(client, prng));
		add(text, "%c\"%s\"", i ? ',' : '[', command->after[i]);
	}
	add(text, "]");
	command->after_count = n;
	command->plain = false;
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

static void create_extras(struct client *client, struct sim_command *command,
			  struct text *text, struct prng *prng)
{
	if (prng_chance(prng, 30)) {
		command->priority = prng_between(prng, -2, 2);
		member(text, "priority");
		add(text, "%d", command->priority);
	}
	if (prng_chance(prng, 20))
		create_after(client, command, text, prng);
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
		command->plain = false;
	}
}

static struct sim_command *make_create(struct client *client, struct prng *prng)
{
	struct sim_command *command = command_new(client, "task/create");
	struct text text = {"{", 1};

	command->type = prng_below(prng, SIM_TYPES);
	if (prng_chance(prng, 3)) {
		/* The short form has no id. */
		command->body = strdup(sim_types[command->type].name);
		return command;
	}
	command->plain = true;
	member(&text, "type");
	add(&text, "\"%s\"", sim_types[command->type].name);
	if (prng_chance(prng, 85)) {
		snprintf(command->id, sizeof(command->id), "c%d", command->number);
		member(&text, "id");
		add(&text, "\"%s\"", command->id);
		if (prng_chance(prng, 30))
			client_task_seen(client, command->id);
	}
	give_request(command, prng, command->id[0] ? 20 : 70);
	member(&text, "args");
	add(&text, "{\"n\":%d}",
	    prng_between(prng, 1, prng_chance(prng, 2) ? 2000 : 999));
	create_extras(client, command, &text, prng);
	command_end(command, &text, prng);
	if (prng_chance(prng, 2))
		to_group(command, command->verb);
	command->retained = prng_chance(prng, 2);
	return command;
}

/* Reuses an id or a request with different contents. */
static struct sim_command *make_contested(struct client *client, struct prng *prng)
{
	struct sim_command *older = client->commands[prng_below(prng, client->count)];
	struct sim_command *command = command_new(client, "task/create");
	struct text text = {"{", 1};

	command->type = 1;
	command->contested = true;
	older->contested = true;
	snprintf(command->request, sizeof(command->request), "%s", older->request);
	member(&text, "type");
	add(&text, "\"plain_task\",\"args\":{\"n\":%d}", 1 + command->number % 999);
	if (!strcmp(older->verb, "task/create") && older->id[0]) {
		snprintf(command->id, sizeof(command->id), "%s", older->id);
		add(&text, ",\"id\":\"%s\"", command->id);
	}
	command_end(command, &text, prng);
	return command;
}

/* ---- other commands ---- */

static struct sim_command *make_body(struct client *client, struct prng *prng,
				     const char *verb, const char *members)
{
	struct sim_command *command = command_new(client, verb);
	struct text text = {"{", 1};

	add(&text, "%s", members);
	give_request(command, prng, 40);
	command_end(command, &text, prng);
	return command;
}

static struct sim_command *make_task(struct client *client, struct prng *prng)
{
	static const char *const verbs[] = {"cancel", "pause",	 "resume", "restart",
					    "cancel", "delete",	 "update", "get",
					    "pause",  "restart", "resume", "log"};
	const char *what = verbs[prng_below(prng, 12)];
	const char *id = some_id(client, prng);
	char verb[24], members[160];
	struct sim_command *command;

	snprintf(verb, sizeof(verb), "task/%s", what);
	if (prng_chance(prng, 8)) {
		static const char *const forms[] = {"current", "PRESS"};

		command = command_new(client, verb);
		command->body =
			strdup(prng_chance(prng, 50) ? id : forms[prng_below(prng, 2)]);
		return command;
	}
	snprintf(members, sizeof(members), "\"id\":\"%s\"", id);
	if (!strcmp(what, "update"))
		snprintf(members, sizeof(members), "\"id\":\"%s\",\"priority\":%d", id,
			 prng_between(prng, -3, 3));
	if (!strcmp(what, "restart") && prng_chance(prng, 50))
		snprintf(members, sizeof(members), "\"id\":\"%s\",\"from\":\"start\"",
			 id);
	command = make_body(client, prng, verb, members);
	snprintf(command->id, sizeof(command->id), "%s", id);
	return command;
}

static struct sim_command *make_queue(struct client *client, struct prng *prng)
{
	static const char *const verbs[] = {"queue/pause", "queue/resume", "queue/resume",
					    "queue/clear", "estop",	   "queue/resume",
					    "agent/drain", "agent/undrain"};
	const char *verb = verbs[prng_below(prng, 8)];
	struct sim_command *command = make_body(client, prng, verb, "");

	if (strcmp(verb, "queue/clear") != 0 && prng_chance(prng, 10))
		to_all(command, verb);
	return command;
}

static struct sim_command *make_rig(struct client *client, struct prng *prng)
{
	static const struct {
		const char *verb, *members;
	} commands[] = {
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
	int i = prng_below(prng, (int)(sizeof(commands) / sizeof(commands[0])));
	struct sim_command *command =
		make_body(client, prng, commands[i].verb, commands[i].members);

	if (prng_chance(prng, 5))
		to_group(command, command->verb);
	return command;
}

static struct sim_command *make_read(struct client *client, struct prng *prng)
{
	static const struct {
		const char *verb, *members;
	} commands[] = {
		{"task/list", "\"limit\":5"}, {"task/events", "\"since\":0,\"limit\":5"},
		{"agent/ping", ""},	      {"settings/get", ""},
		{"project/list", ""},
	};
	int i = prng_below(prng, (int)(sizeof(commands) / sizeof(commands[0])));

	return make_body(client, prng, commands[i].verb, commands[i].members);
}

static struct sim_command *make_agent(struct client *client, struct prng *prng)
{
	static const struct {
		const char *verb, *members;
	} commands[] = {
		{"agent/sync", ""},
		{"agent/prune", "\"keep\":3"},
		{"settings/set", "\"values\":{\"a\":1}"},
		{"project/create", "\"project\":\"cup\""},
		{"project/delete", "\"project\":\"cup\""},
	};
	int i = prng_below(prng, (int)(sizeof(commands) / sizeof(commands[0])));

	return make_body(client, prng, commands[i].verb, commands[i].members);
}

static struct sim_command *make_bad(struct client *client, struct prng *prng)
{
	static const struct {
		const char *verb, *body;
	} commands[] = {
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
	int i = prng_below(prng, (int)(sizeof(commands) / sizeof(commands[0])));
	struct sim_command *command = command_new(client, commands[i].verb);

	command->body = strdup(commands[i].body);
	return command;
}

struct sim_command *client_random_command(struct client *client, struct prng *prng)
{
	int total = 0, lot, sort = 0;

	for (int i = 0; i < TEMPERS; i++)
		total += client->weight[i];
	lot = prng_below(prng, total);
	while (lot >= client->weight[sort])
		lot -= client->weight[sort++];
	if (!client->count)
		sort = TEMPER_CREATE;
	switch ((enum weight)sort) {
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
			return make_contested(client, prng);
		return client->commands[prng_below(prng, client->count)];
	case TEMPER_CREATE:
	case TEMPERS:
		break;
	}
	return make_create(client, prng);
}

static void note_random_body(struct client *client)
{
	client->random_body = true;
	for (int i = 0; i < client->count; i++)
		client->commands[i]->contested = true;
}

struct sim_command *client_random_bytes(struct client *client, struct prng *prng)
{
	static const char *const verbs[] = {
		"task/create",	 "task/cancel",	 "task/pause",	"task/resume",
		"task/restart",	 "task/delete",	 "task/update", "task/get",
		"task/list",	 "task/log",	 "task/events", "queue/pause",
		"queue/resume",	 "queue/clear",	 "agent/prune", "agent/drain",
		"agent/undrain", "settings/set", "light/set",	"motor/move",
		"estop"};
	int verb = prng_below(prng, (int)(sizeof(verbs) / sizeof(verbs[0])));
	struct sim_command *command = command_new(client, verbs[verb]);
	int size = prng_below(prng, WILD_MAX), n = 0;

	command->body = calloc(1, WILD_MAX);
	if (!command->body)
		abort();
	while (n < size)
		command->body[n++] = (char)prng_below(prng, 256);
	/* A reply topic of another client would be read as a reply to it. */
	if (strchr(command->body, '\\') || strstr(command->body, "_reply"))
		command->body[0] = '\0';
	command->random_body = true;
	command->contested = true;
	note_random_body(client);
	return command;
}

struct sim_command *client_command(struct client *client, const char *verb,
				   const char *body)
{
	struct sim_command *command = command_new(client, verb);

	command->body = strdup(body);
	return command;
}

struct sim_command *client_command_of_reply(const struct client *client,
					    const char *topic, const void *correlation,
					    size_t size)
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
	return number >= 0 && number < client->count ? client->commands[number] : NULL;
}
