/* Makes up commands, publishes them and reads the replies. */
#include "tests/faults/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLY BASE "/reply/command"
#define REPLY_MS 5000

bool command_makes_task(const struct command *command)
{
	return command->kind <= COMMAND_SCAN;
}

bool command_is_named(const struct command *command)
{
	return command->id[0] || command->request[0];
}

bool command_is_protected(const struct fault_run *run, const struct command *command)
{
	return !run->with_broker || command_is_named(command);
}

void command_file(const struct fault_run *run, size_t number, char path[PATH_MAX])
{
	char name[32];

	snprintf(name, sizeof(name), "lines-%zu.txt", number);
	folder_path(&run->folder, path, name);
}

static struct command *command_new(struct fault_run *run, enum command_kind kind,
				   const char *verb)
{
	struct command *command;

	if (run->command_count == run->command_room) {
		run->command_room = run->command_room ? 2 * run->command_room : 64;
		run->commands = realloc(run->commands,
					run->command_room * sizeof(*run->commands));
		if (!run->commands)
			abort();
	}
	command = &run->commands[run->command_count];
	*command = (struct command){.kind = kind, .verb = verb, .target = -1};
	command->original = run->command_count++;
	return command;
}

static struct command *command_publish(struct fault_run *run, struct command *command,
				       bool wait)
{
	char topic[128], number[32];
	struct publish publish = {
		.qos = 1,
		.no_wait = !wait,
		.response_topic = REPLY,
		.correlation = number,
	};
	int ret;

	snprintf(topic, sizeof(topic), BASE "/cmd/%s", command->verb);
	snprintf(number, sizeof(number), "%zu", (size_t)(command - run->commands));
	ret = client_publish(run->client, topic, command->body, strlen(command->body),
			     &publish);
	if (ret < 0 && !run->with_broker)
		fault_run_violation(run, "the broker did not take command %s", number);
	/* A broker that is never stopped receives everything that the client has queued.
	 */
	command->certain = ret == 0 && !run->with_broker;
	return command;
}

/* ---- task/create ---- */

static void command_set_names(struct fault_run *run, struct command *command)
{
	size_t number = command->original;
	int how = prng_below(&run->prng, 100);

	if (how < 60)
		snprintf(command->id, sizeof(command->id), "task-%zu", number);
	if (how >= 40 && how < 88)
		snprintf(command->request, sizeof(command->request), "request-%zu",
			 number);
}

static const char *type_of(enum command_kind kind)
{
	static const char *const types[] = {
		[COMMAND_COUNT] = "count_task",
		[COMMAND_RESUME_COUNT] = "resume_count_task",
		[COMMAND_HELLO] = "hello_world_async_task",
		[COMMAND_GENERATOR] = "generator_task",
		[COMMAND_SCAN] = "scan_task",
	};

	return types[kind];
}

static char *command_args(struct fault_run *run, struct command *command)
{
	struct prng *prng = &run->prng;
	double delay = prng_below(prng, 20) / 1000.0;
	char file[PATH_MAX];

	command_file(run, command->original, file);
	command->steps = prng_between(prng, 1, 20);
	switch (command->kind) {
	case COMMAND_COUNT:
		return quote("{'file':'%s','steps':%d,'delay':%.3f,'fail_attempts':%d}",
			     file, command->steps, delay, prng_below(prng, 3));
	case COMMAND_RESUME_COUNT:
		return quote("{'file':'%s','steps':%d,'delay':%.3f}", file,
			     command->steps, delay);
	case COMMAND_HELLO:
		return quote("{'total_steps':%d,'delay':%.3f}", command->steps, delay);
	case COMMAND_GENERATOR:
		return quote("{'total_steps':%d,'interval':%.3f}", command->steps, delay);
	default:
		command->steps = prng_between(prng, 4, 8);
		return quote("{'project':'p%zu','settings':{'points':%d}}",
			     command->original, command->steps);
	}
}

static enum command_kind random_kind(struct prng *prng)
{
	static const enum command_kind kinds[] = {
		COMMAND_COUNT, COMMAND_COUNT, COMMAND_COUNT,	 COMMAND_RESUME_COUNT,
		COMMAND_HELLO, COMMAND_SCAN,  COMMAND_GENERATOR, COMMAND_RESUME_COUNT,
	};

	return kinds[prng_below(prng, 8)];
}

/* Writes its body, with its id and request if it has them. */
static void command_set_body(struct fault_run *run, struct command *command)
{
	char *args = command_args(run, command), *names[2];

	names[0] = command->id[0] ? quote("'id':'%s',", command->id) : quote("%s", "");
	names[1] = command->request[0] ? quote("'request':'%s',", command->request)
				       : quote("%s", "");
	command->body = quote("{%s%s'type':'%s','priority':%d,'retries':3,"
			      "'labels':{'command':'%zu'},'args':%s}",
			      names[0], names[1], type_of(command->kind),
			      prng_between(&run->prng, -1, 1), command->original, args);
	free(names[0]);
	free(names[1]);
	free(args);
}

struct command *command_create(struct fault_run *run, bool wait)
{
	struct command *command =
		command_new(run, random_kind(&run->prng), "task/create");

	command_set_names(run, command);
	command_set_body(run, command);
	return command_publish(run, command, wait);
}

struct command *command_create_nameless(struct fault_run *run)
{
	struct command *command = command_new(run, COMMAND_COUNT, "task/create");

	command_set_body(run, command);
	return command_publish(run, command, false);
}

/* ---- everything else ---- */

/* A command that chose the id of its task, or -1. */
static int random_target(struct fault_run *run)
{
	for (int i = 0; i < 20 && run->command_count; i++) {
		/* The tasks of the newest ones are still running. */
		size_t back = (size_t)prng_below(&run->prng, 8);
		size_t number = run->command_count - 1;

		number = back > number ? 0 : number - back;
		if (command_makes_task(&run->commands[number]) &&
		    run->commands[number].id[0])
			return (int)run->commands[number].original;
	}
	return -1;
}

struct command *command_control(struct fault_run *run, bool wait)
{
	static const char *const verbs[] = {"task/pause", "task/pause", "task/resume",
					    "task/resume", "task/cancel"};
	int target = random_target(run);
	struct command *command;

	if (target < 0)
		return NULL;
	command = command_new(run, COMMAND_CONTROL, verbs[prng_below(&run->prng, 5)]);
	command->target = target;
	if (prng_chance(&run->prng, 70))
		snprintf(command->request, sizeof(command->request), "request-%zu",
			 command->original);
	command->body = command->request[0]
				? quote("{'id':'%s','request':'%s'}",
					run->commands[target].id, command->request)
				: quote("%s", run->commands[target].id);
	return command_publish(run, command, wait);
}

struct command *command_move(struct fault_run *run, bool wait)
{
	struct command *command = command_new(run, COMMAND_MOVE, "motor/move");

	snprintf(command->request, sizeof(command->request), "request-%zu",
		 command->original);
	command->body =
		quote("{'request':'%s','name':'%s','degrees':%d}", command->request,
		      prng_chance(&run->prng, 50) ? "rotor" : "turntable",
		      prng_below(&run->prng, 140));
	return command_publish(run, command, wait);
}

struct command *command_repeat(struct fault_run *run, bool wait)
{
	for (int i = 0; i < 20 && run->command_count; i++) {
		size_t number = (size_t)prng_below(&run->prng, (int)run->command_count);
		struct command *command;

		if (!command_is_named(&run->commands[number]))
			continue;
		command = command_new(run, run->commands[number].kind,
				      run->commands[number].verb);
		/* command_new() may have moved the array. */
		*command = run->commands[number];
		command->body = strdup(command->body);
		if (!command->body)
			abort();
		return command_publish(run, command, wait);
	}
	return NULL;
}

/* ---- replies ---- */

static bool has_correlation(const struct message *message, const void *context)
{
	return message->correlation && strcmp(message->correlation, context) == 0;
}

bool command_wait_reply(struct fault_run *run, const struct command *command, size_t mark)
{
	char number[32];

	snprintf(number, sizeof(number), "%zu", (size_t)(command - run->commands));
	return client_wait(run->client, mark, REPLY, has_correlation, number,
			   deadline_patient(REPLY_MS), NULL) != NULL;
}

static void command_read_reply(struct fault_run *run, struct command *command,
			       const cJSON *reply)
{
	size_t number = (size_t)(command - run->commands);
	bool ok = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "ok"));
	bool one = command_is_protected(run, command);
	const char *task = text_of(reply, "id");

	if (one && command->replied && command->ok && ok &&
	    strcmp(command->task, task) != 0)
		fault_run_violation(
			run, "command %zu was answered with the tasks '%s' and '%s'",
			number, command->task, task);
	/* A repetition may be accepted after a refusal, but not the other way round. */
	if (command->replied && command->ok && !ok && command_makes_task(command))
		fault_run_violation(run, "command %zu was accepted and then refused: %s",
				    number, text_of(reply, "code"));
	if (command->replied && command->ok && !ok)
		return;
	command->replied = true;
	command->ok = ok;
	command->duplicate =
		cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "duplicate"));
	snprintf(command->code, sizeof(command->code), "%s", text_of(reply, "code"));
	snprintf(command->task, sizeof(command->task), "%s", task);
}

void commands_read_replies(struct fault_run *run)
{
	size_t count = client_mark(run->client);

	for (size_t i = 0; i < count; i++) {
		const struct message *message = client_at(run->client, i);
		size_t number;
		cJSON *reply;

		if (strcmp(message->topic, REPLY) != 0 || !message->correlation)
			continue;
		number = strtoul(message->correlation, NULL, 10);
		reply = cJSON_Parse(message->payload);
		if (number >= run->command_count || !reply)
			fault_run_violation(run, "a reply to no command: %s",
					    message->payload);
		else
			command_read_reply(run, &run->commands[number], reply);
		cJSON_Delete(reply);
	}
}

int command_of_labels(const struct fault_run *run, const char *labels)
{
	cJSON *json = cJSON_Parse(labels);
	const char *text = text_of(json, "command");
	size_t number = *text ? strtoul(text, NULL, 10) : run->command_count;

	cJSON_Delete(json);
	return number < run->command_count ? (int)number : -1;
}

void commands_free(struct fault_run *run)
{
	for (size_t i = 0; i < run->command_count; i++)
		free(run->commands[i].body);
	free(run->commands);
	run->commands = NULL;
	run->command_count = 0;
}
