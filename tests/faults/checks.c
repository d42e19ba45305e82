/* Checks tasks, events and retained documents of a run against the commands sent. */
#include "tests/faults/checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/faults/database.h"
#include "tests/faults/command.h"
#include "tests/faults/photos.h"

/* ---- every accepted command has its task ---- */

/* An agent that was asked to stop takes no new commands. */
static bool is_refused_as_draining(const struct fault_run *run,
				   const struct command *command)
{
	return command->replied && !command->ok &&
	       strcmp(command->code, "draining") == 0 &&
	       fault_run_stops(run, STOP_TERM) > 0;
}

/* Whether this command was sent more than once. */
static bool was_repeated(const struct fault_run *run, size_t number)
{
	for (size_t i = 0; i < run->command_count; i++)
		if (i != number &&
		    run->commands[i].original == run->commands[number].original)
			return true;
	return false;
}

static void check_create(struct fault_run *run, const struct database *database,
			 size_t number)
{
	const struct command *command = &run->commands[number];
	const struct task_row *row = NULL;
	size_t made = database_tasks_of(database, command->original, &row);

	if (is_refused_as_draining(run, command)) {
		if (made > 0 && !was_repeated(run, number))
			fault_run_violation(run, "command %zu was refused and has a task",
					    number);
		return;
	}
	if (command->replied && !command->ok)
		fault_run_violation(run, "command %zu was refused: %s", number,
				    command->code);
	if (command->certain && !command->replied)
		fault_run_violation(run, "command %zu was never answered", number);
	if ((command->certain || command->ok) && made == 0)
		fault_run_violation(run, "command %zu (%s) has no task", number,
				    command->ok ? "accepted" : "taken by the broker");
	if (made > 1 && command_is_protected(run, command))
		fault_run_violation(run,
				    "command %zu (id '%s', request '%s') made %zu tasks",
				    number, command->id, command->request, made);
	if (command->ok && !database_find(database, command->task))
		fault_run_violation(
			run,
			"command %zu was answered with task '%s', which is not"
			" there",
			number, command->task);
	if (made == 1 && command->ok && strcmp(row->id, command->task) != 0)
		fault_run_violation(
			run, "command %zu was answered with task '%s' and made '%s'",
			number, command->task, row->id);
}

static void check_creates(struct fault_run *run, const struct database *database)
{
	for (size_t i = 0; i < run->command_count; i++)
		if (command_makes_task(&run->commands[i]))
			check_create(run, database, i);
	for (size_t i = 0; i < database->count; i++)
		if (database->tasks[i].command < 0)
			fault_run_violation(run, "task '%s' was created by no command",
					    database->tasks[i].id);
}

/* ---- every task has ended in a way that is allowed ---- */

static bool was_cancelled(const struct fault_run *run, int command)
{
	for (size_t i = 0; i < run->command_count; i++)
		if (run->commands[i].target == command &&
		    strcmp(run->commands[i].verb, "task/cancel") == 0)
			return true;
	return false;
}

static bool may_end_as_it_did(const struct fault_run *run, const struct task_row *row)
{
	const struct command *command = &run->commands[row->command];
	size_t kills = fault_run_stops(run, STOP_KILL);
	size_t stops = kills + fault_run_stops(run, STOP_TERM);
	bool resumable =
		command->kind == COMMAND_RESUME_COUNT || command->kind == COMMAND_SCAN;

	if (strcmp(row->status, "completed") == 0)
		return true;
	if (strcmp(row->status, "cancelled") == 0)
		return was_cancelled(run, row->command);
	if (strcmp(row->status, "interrupted") == 0)
		return stops > 0 && !resumable;
	if (strcmp(row->status, "error") == 0)
		return strcmp(row->code, "crash_loop") == 0 && kills >= 3;
	return false;
}

static void check_ends(struct fault_run *run, const struct database *database)
{
	for (size_t i = 0; i < database->count; i++) {
		const struct task_row *row = &database->tasks[i];

		if (row->command >= 0 && !may_end_as_it_did(run, row))
			fault_run_violation(
				run, "task '%s' (command %d, %s) ended as %s %s: %s",
				row->id, row->command, row->type, row->status, row->code,
				row->message);
	}
}

/* ---- nothing ran twice ---- */

/* The file has one line per attempt: 1, 2, 3… */
static void check_attempts(struct fault_run *run, const struct task_row *row, char *text)
{
	long expected = 1;
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char id[65] = "";
		long attempt = 0;

		if (sscanf(line, "%64s %ld", id, &attempt) != 2 ||
		    strcmp(id, row->id) != 0 || attempt != expected) {
			fault_run_violation(
				run,
				"task '%s' (command %d) ran as '%s' where attempt %ld "
				"was due",
				row->id, row->command, line, expected);
			return;
		}
		expected++;
	}
	if (strcmp(row->status, "completed") == 0 && expected - 1 != row->attempt)
		fault_run_violation(
			run, "task '%s' (command %d) completed attempt %d and ran %ld",
			row->id, row->command, row->attempt, expected - 1);
}

/* The file has one line per step: 0, 1, 2…  A step may be repeated only after a crash
 * between it and its checkpoint. */
static void check_steps(struct fault_run *run, const struct task_row *row, char *text)
{
	size_t again = 0, kills = fault_run_stops(run, STOP_KILL);
	long expected = 0, steps = run->commands[row->command].steps;
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char id[65] = "";
		long step = -1;

		if (sscanf(line, "%64s %ld", id, &step) != 2 ||
		    strcmp(id, row->id) != 0 ||
		    (step != expected && step != expected - 1)) {
			fault_run_violation(
				run,
				"task '%s' (command %d) did '%s' where step %ld was due",
				row->id, row->command, line, expected);
			return;
		}
		again += step == expected - 1;
		expected = step + 1;
	}
	if (again > kills)
		fault_run_violation(
			run, "task '%s' (command %d) repeated %zu steps in %zu kills",
			row->id, row->command, again, kills);
	if (strcmp(row->status, "completed") == 0 && expected != steps)
		fault_run_violation(
			run, "task '%s' (command %d) completed after %ld of %ld steps",
			row->id, row->command, expected, steps);
}

static void check_lines(struct fault_run *run, const struct database *database)
{
	for (size_t i = 0; i < run->command_count; i++) {
		const struct command *command = &run->commands[i];
		const struct task_row *row = NULL;
		char path[PATH_MAX], *text;

		if (command->original != i || command->kind > COMMAND_RESUME_COUNT ||
		    database_tasks_of(database, i, &row) != 1)
			continue;
		command_file(run, i, path);
		text = file_read(path, NULL);
		if (command->kind == COMMAND_COUNT)
			check_attempts(run, row, text ? text : (char[]){""});
		else
			check_steps(run, row, text ? text : (char[]){""});
		free(text);
	}
}

/* ---- published documents and events ---- */

struct seen {
	const char *topic;
	char store[32];
	int64_t rev;
	bool ended;
	int segment; /* how often the broker had been stopped before it was received */
};

static const char *task_topic(const char *topic)
{
	size_t length = strlen(BASE "/task/");

	if (strncmp(topic, BASE "/task/", length) != 0 || strchr(topic + length, '/'))
		return NULL;
	return topic + length;
}

static int segment_of(const struct fault_run *run, size_t number)
{
	int segment = 0;

	for (size_t i = 0; i < run->stop_count; i++)
		segment +=
			run->stops[i].kind == STOP_BROKER && run->stops[i].mark <= number;
	return segment;
}

/* A broker that restarts from an older file sends older documents, so only documents of
 * one segment are compared. */
static void compare(struct fault_run *run, const struct seen *before,
		    const struct seen *now)
{
	if (before->segment != now->segment || strcmp(before->store, now->store) != 0)
		return;
	if (now->rev < before->rev)
		fault_run_violation(run, "%s went back from rev %lld to %lld", now->topic,
				    (long long)before->rev, (long long)now->rev);
	if (before->ended && !now->ended)
		fault_run_violation(run, "%s had ended and is alive again in rev %lld",
				    now->topic, (long long)now->rev);
}

static void check_revs(struct fault_run *run)
{
	size_t count = client_mark(run->client), used = 0, k;
	struct seen *seen = calloc(count + 1, sizeof(*seen));

	if (!seen)
		abort();
	for (size_t i = 0; i < count; i++) {
		const struct message *m = client_at(run->client, i);
		struct seen now = {.topic = m->topic, .segment = segment_of(run, i)};
		cJSON *json;

		if (!task_topic(m->topic) || !m->size)
			continue;
		json = cJSON_Parse(m->payload);
		snprintf(now.store, sizeof(now.store), "%s", text_of(json, "store"));
		now.rev = (int64_t)number_of(json, "rev", -1);
		now.ended = status_is_final(text_of(json, "status"));
		cJSON_Delete(json);
		for (k = 0; k < used && strcmp(seen[k].topic, m->topic) != 0; k++)
			;
		if (k < used)
			compare(run, &seen[k], &now);
		else
			used++;
		seen[k] = now;
	}
	free(seen);
}

/* The numbers of published events grow without gaps, except for repetitions. */
static void check_events_published(struct fault_run *run, const struct database *database)
{
	size_t count = client_mark(run->client);
	int64_t newest = 0;

	for (size_t i = 0; i < count; i++) {
		const struct message *m = client_at(run->client, i);
		cJSON *json;
		int64_t seq;

		if (strcmp(m->topic, BASE "/event") != 0)
			continue;
		json = cJSON_Parse(m->payload);
		seq = (int64_t)number_of(json, "seq", -1);
		cJSON_Delete(json);
		if (seq > newest + 1 && !run->with_broker)
			fault_run_violation(run, "event %lld was followed by %lld",
					    (long long)newest, (long long)seq);
		if (seq > newest)
			newest = seq;
	}
	if (newest != database->last_seq && !run->with_broker)
		fault_run_violation(run, "%lld events happened, %lld were published",
				    (long long)database->last_seq, (long long)newest);
}

static size_t event_times(const struct database *database, const char *id,
			  const char *name)
{
	size_t times = 0;

	for (size_t i = 0; i < database->event_count; i++)
		times += strcmp(database->events[i].id, id) == 0 &&
			 strcmp(database->events[i].name, name) == 0;
	return times;
}

static void check_events_stored(struct fault_run *run, const struct database *database)
{
	for (size_t i = 0; i < database->event_count; i++)
		if (database->events[i].seq != (int64_t)i + 1) {
			fault_run_violation(run, "event %zu is missing in the database",
					    i + 1);
			break;
		}
	for (size_t i = 0; i < database->count; i++) {
		const struct task_row *row = &database->tasks[i];
		char end[32];
		size_t ends;

		snprintf(end, sizeof(end), "task.%s", row->status);
		ends = event_times(database, row->id, "task.completed") +
		       event_times(database, row->id, "task.cancelled") +
		       event_times(database, row->id, "task.error") +
		       event_times(database, row->id, "task.interrupted");
		if (event_times(database, row->id, "task.created") != 1 || ends != 1 ||
		    event_times(database, row->id, end) != 1)
			fault_run_violation(run,
					    "task '%s' is %s, its events say %zu ends",
					    row->id, row->status, ends);
	}
}

/* ---- what the broker retains ---- */

static void check_document(struct fault_run *run, const struct database *database,
			   const struct message *m)
{
	const char *id = task_topic(m->topic);
	const struct task_row *row = database_find(database, id);
	cJSON *json = cJSON_Parse(m->payload);
	int64_t rev = (int64_t)number_of(json, "rev", -1);

	if (!row)
		fault_run_violation(
			run, "the broker retains task '%s', the agent does not", id);
	else if (rev != row->rev || strcmp(text_of(json, "status"), row->status) != 0)
		fault_run_violation(
			run,
			"the broker retains task '%s' as %s in rev %lld, the agent as "
			"%s in rev %lld",
			id, text_of(json, "status"), (long long)rev, row->status,
			(long long)row->rev);
	cJSON_Delete(json);
}

static void check_documents(struct fault_run *run, const struct database *database,
			    struct client *fresh)
{
	size_t count = client_mark(fresh);
	const struct message *status = client_last(fresh, BASE "/status");

	if (!status || strcmp(status->payload, "offline") != 0)
		fault_run_violation(run,
				    "the broker retains the status '%s', not 'offline'",
				    status ? status->payload : "");
	for (size_t i = 0; i < count; i++)
		if (task_topic(client_at(fresh, i)->topic))
			check_document(run, database, client_at(fresh, i));
	for (size_t i = 0; i < database->count; i++) {
		char topic[128];

		snprintf(topic, sizeof(topic), BASE "/task/%s", database->tasks[i].id);
		if (!client_last(fresh, topic))
			fault_run_violation(run,
					    "the broker retains nothing of task '%s'",
					    database->tasks[i].id);
	}
}

static void check_retained(struct fault_run *run, const struct database *database)
{
	static const char *const filters[] = {BASE "/task/+", BASE "/status",
					      BASE "/reply/_fence", NULL};
	struct client_options options = {.port = run->broker.port, .filters = filters};
	struct client *fresh = NULL;

	if (client_open(&fresh, &options) < 0) {
		fault_run_violation(run, "a second client could not connect");
		return;
	}
	/* Retained messages arrive before anything that is published after the SUBACK. */
	client_publish(run->client, BASE "/reply/_fence", "x", 1, NULL);
	if (client_wait(fresh, 0, BASE "/reply/_fence", NULL, NULL,
			deadline_patient(SOON_MS), NULL))
		check_documents(run, database, fresh);
	else
		fault_run_violation(run, "the broker does not deliver any more");
	client_close(fresh);
}

void checks_run(struct fault_run *run)
{
	struct database database;

	commands_read_replies(run);
	if (database_read(&database, run) == 0) {
		check_creates(run, &database);
		check_ends(run, &database);
		check_lines(run, &database);
		check_revs(run);
		check_events_published(run, &database);
		check_events_stored(run, &database);
		check_retained(run, &database);
		photos_check(run, &database);
	}
	database_free(&database);
}
