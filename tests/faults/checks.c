#include "tests/faults/checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/faults/database.h"
#include "tests/faults/command.h"
#include "tests/faults/photos.h"

/* ---- every accepted order has its task ---- */

/* An agent that stops in order takes nothing new. */
static bool is_turned_away(const struct fault_run *run, const struct order *order)
{
	return order->replied && !order->ok && strcmp(order->code, "draining") == 0 &&
	       fault_run_stops(run, STOP_TERM) > 0;
}

/* Was this order sent more than once? */
static bool was_repeated(const struct fault_run *run, size_t number)
{
	for (size_t i = 0; i < run->order_count; i++)
		if (i != number &&
		    run->orders[i].original == run->orders[number].original)
			return true;
	return false;
}

static void check_create(struct fault_run *run, const struct ledger *ledger,
			 size_t number)
{
	const struct order *order = &run->orders[number];
	const struct entry *entry = NULL;
	size_t made = ledger_of_order(ledger, order->original, &entry);

	if (is_turned_away(run, order)) {
		if (made > 0 && !was_repeated(run, number))
			fault_run_violation(run, "order %zu was refused and has a task",
					    number);
		return;
	}
	if (order->replied && !order->ok)
		fault_run_violation(run, "order %zu was refused: %s", number,
				    order->code);
	if (order->certain && !order->replied)
		fault_run_violation(run, "order %zu was never answered", number);
	if ((order->certain || order->ok) && made == 0)
		fault_run_violation(run, "order %zu (%s) has no task", number,
				    order->ok ? "accepted" : "taken by the broker");
	if (made > 1 && order_is_protected(run, order))
		fault_run_violation(run,
				    "order %zu (id '%s', request '%s') made %zu tasks",
				    number, order->id, order->request, made);
	if (order->ok && !ledger_find(ledger, order->task))
		fault_run_violation(run,
				    "order %zu was answered with task '%s', which is not"
				    " there",
				    number, order->task);
	if (made == 1 && order->ok && strcmp(entry->id, order->task) != 0)
		fault_run_violation(run,
				    "order %zu was answered with task '%s' and made '%s'",
				    number, order->task, entry->id);
}

static void check_orders(struct fault_run *run, const struct ledger *ledger)
{
	for (size_t i = 0; i < run->order_count; i++)
		if (order_makes_task(&run->orders[i]))
			check_create(run, ledger, i);
	for (size_t i = 0; i < ledger->count; i++)
		if (ledger->entries[i].order < 0)
			fault_run_violation(run, "task '%s' was ordered by nobody",
					    ledger->entries[i].id);
}

/* ---- every task has ended, and as it may ---- */

static bool was_cancelled(const struct fault_run *run, int order)
{
	for (size_t i = 0; i < run->order_count; i++)
		if (run->orders[i].target == order &&
		    strcmp(run->orders[i].verb, "task/cancel") == 0)
			return true;
	return false;
}

static bool may_end_so(const struct fault_run *run, const struct entry *entry)
{
	const struct order *order = &run->orders[entry->order];
	size_t kills = fault_run_stops(run, STOP_KILL);
	size_t stops = kills + fault_run_stops(run, STOP_TERM);
	bool resumable = order->kind == ORDER_RESUME_COUNT || order->kind == ORDER_SCAN;

	if (strcmp(entry->status, "completed") == 0)
		return true;
	if (strcmp(entry->status, "cancelled") == 0)
		return was_cancelled(run, entry->order);
	if (strcmp(entry->status, "interrupted") == 0)
		return stops > 0 && !resumable;
	if (strcmp(entry->status, "error") == 0)
		return strcmp(entry->code, "crash_loop") == 0 && kills >= 3;
	return false;
}

static void check_ends(struct fault_run *run, const struct ledger *ledger)
{
	for (size_t i = 0; i < ledger->count; i++) {
		const struct entry *entry = &ledger->entries[i];

		if (entry->order >= 0 && !may_end_so(run, entry))
			fault_run_violation(run,
					    "task '%s' (order %d, %s) ended as %s %s: %s",
					    entry->id, entry->order, entry->type,
					    entry->status, entry->code, entry->message);
	}
}

/* ---- nothing ran twice ---- */

/* One line an attempt: 1, 2, 3… */
static void check_attempts(struct fault_run *run, const struct entry *entry, char *text)
{
	long expected = 1;
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char id[65] = "";
		long attempt = 0;

		if (sscanf(line, "%64s %ld", id, &attempt) != 2 ||
		    strcmp(id, entry->id) != 0 || attempt != expected) {
			fault_run_violation(
				run,
				"task '%s' (order %d) ran as '%s' where attempt %ld "
				"was due",
				entry->id, entry->order, line, expected);
			return;
		}
		expected++;
	}
	if (strcmp(entry->status, "completed") == 0 && expected - 1 != entry->attempt)
		fault_run_violation(
			run, "task '%s' (order %d) completed attempt %d and ran %ld",
			entry->id, entry->order, entry->attempt, expected - 1);
}

/* One line a step: 0, 1, 2…; a step may come again only because a crash came between it
 * and its checkpoint. */
static void check_steps(struct fault_run *run, const struct entry *entry, char *text)
{
	size_t again = 0, kills = fault_run_stops(run, STOP_KILL);
	long expected = 0, steps = run->orders[entry->order].steps;
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char id[65] = "";
		long step = -1;

		if (sscanf(line, "%64s %ld", id, &step) != 2 ||
		    strcmp(id, entry->id) != 0 ||
		    (step != expected && step != expected - 1)) {
			fault_run_violation(
				run,
				"task '%s' (order %d) did '%s' where step %ld was due",
				entry->id, entry->order, line, expected);
			return;
		}
		again += step == expected - 1;
		expected = step + 1;
	}
	if (again > kills)
		fault_run_violation(
			run, "task '%s' (order %d) repeated %zu steps in %zu kills",
			entry->id, entry->order, again, kills);
	if (strcmp(entry->status, "completed") == 0 && expected != steps)
		fault_run_violation(
			run, "task '%s' (order %d) completed after %ld of %ld steps",
			entry->id, entry->order, expected, steps);
}

static void check_lines(struct fault_run *run, const struct ledger *ledger)
{
	for (size_t i = 0; i < run->order_count; i++) {
		const struct order *order = &run->orders[i];
		const struct entry *entry = NULL;
		char path[PATH_MAX], *text;

		if (order->original != i || order->kind > ORDER_RESUME_COUNT ||
		    ledger_of_order(ledger, i, &entry) != 1)
			continue;
		order_file(run, i, path);
		text = file_read(path, NULL);
		if (order->kind == ORDER_COUNT)
			check_attempts(run, entry, text ? text : (char[]){""});
		else
			check_steps(run, entry, text ? text : (char[]){""});
		free(text);
	}
}

/* ---- what was told ---- */

struct seen {
	const char *topic;
	char store[32];
	int64_t rev;
	bool ended;
	int segment; /* how often the broker had been stopped when it came */
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

/* A broker that comes back from an older file tells older documents: only what follows
 * them is the agent's. */
static void compare(struct fault_run *run, const struct seen *before,
		    const struct seen *now)
{
	if (before->segment != now->segment || strcmp(before->store, now->store) != 0)
		return;
	if (now->rev < before->rev)
		fault_run_violation(run, "%s went back from rev %lld to %lld", now->topic,
				    (long long)before->rev, (long long)now->rev);
	if (before->ended && !now->ended)
		fault_run_violation(run, "%s had ended and lives again in rev %lld",
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

/* Numbers grow on the wire, but for repetitions; none is left out. */
static void check_events_told(struct fault_run *run, const struct ledger *ledger)
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
	if (newest != ledger->last_seq && !run->with_broker)
		fault_run_violation(run, "%lld events happened, %lld were told",
				    (long long)ledger->last_seq, (long long)newest);
}

static size_t happened(const struct ledger *ledger, const char *id, const char *name)
{
	size_t times = 0;

	for (size_t i = 0; i < ledger->happening_count; i++)
		times += strcmp(ledger->happenings[i].id, id) == 0 &&
			 strcmp(ledger->happenings[i].name, name) == 0;
	return times;
}

static void check_events_kept(struct fault_run *run, const struct ledger *ledger)
{
	for (size_t i = 0; i < ledger->happening_count; i++)
		if (ledger->happenings[i].seq != (int64_t)i + 1) {
			fault_run_violation(run, "event %zu is missing in the database",
					    i + 1);
			break;
		}
	for (size_t i = 0; i < ledger->count; i++) {
		const struct entry *entry = &ledger->entries[i];
		char end[32];
		size_t ends;

		snprintf(end, sizeof(end), "task.%s", entry->status);
		ends = happened(ledger, entry->id, "task.completed") +
		       happened(ledger, entry->id, "task.cancelled") +
		       happened(ledger, entry->id, "task.error") +
		       happened(ledger, entry->id, "task.interrupted");
		if (happened(ledger, entry->id, "task.created") != 1 || ends != 1 ||
		    happened(ledger, entry->id, end) != 1)
			fault_run_violation(run,
					    "task '%s' is %s, its events say %zu ends",
					    entry->id, entry->status, ends);
	}
}

/* ---- what the broker holds ---- */

static void check_document(struct fault_run *run, const struct ledger *ledger,
			   const struct message *m)
{
	const char *id = task_topic(m->topic);
	const struct entry *entry = ledger_find(ledger, id);
	cJSON *json = cJSON_Parse(m->payload);
	int64_t rev = (int64_t)number_of(json, "rev", -1);

	if (!entry)
		fault_run_violation(run, "the broker keeps task '%s', the agent does not",
				    id);
	else if (rev != entry->rev || strcmp(text_of(json, "status"), entry->status) != 0)
		fault_run_violation(
			run,
			"the broker keeps task '%s' as %s in rev %lld, the agent as "
			"%s in rev %lld",
			id, text_of(json, "status"), (long long)rev, entry->status,
			(long long)entry->rev);
	cJSON_Delete(json);
}

static void check_documents(struct fault_run *run, const struct ledger *ledger,
			    struct client *fresh)
{
	size_t count = client_mark(fresh);
	const struct message *status = client_last(fresh, BASE "/status");

	if (!status || strcmp(status->payload, "offline") != 0)
		fault_run_violation(run,
				    "the broker keeps the status '%s', not 'offline'",
				    status ? status->payload : "");
	for (size_t i = 0; i < count; i++)
		if (task_topic(client_at(fresh, i)->topic))
			check_document(run, ledger, client_at(fresh, i));
	for (size_t i = 0; i < ledger->count; i++) {
		char topic[128];

		snprintf(topic, sizeof(topic), BASE "/task/%s", ledger->entries[i].id);
		if (!client_last(fresh, topic))
			fault_run_violation(run, "the broker keeps nothing of task '%s'",
					    ledger->entries[i].id);
	}
}

static void check_retained(struct fault_run *run, const struct ledger *ledger)
{
	static const char *const filters[] = {BASE "/task/+", BASE "/status",
					      BASE "/reply/_fence", NULL};
	struct client_options options = {.port = run->broker.port, .filters = filters};
	struct client *fresh = NULL;

	if (client_open(&fresh, &options) < 0) {
		fault_run_violation(run, "a second client could not connect");
		return;
	}
	/* Stored messages come before anything that is published after the SUBACK. */
	client_publish(run->client, BASE "/reply/_fence", "x", 1, NULL);
	if (client_wait(fresh, 0, BASE "/reply/_fence", NULL, NULL,
			deadline_patient(SOON_MS), NULL))
		check_documents(run, ledger, fresh);
	else
		fault_run_violation(run, "the broker does not deliver any more");
	client_close(fresh);
}

void verdict_give(struct fault_run *run)
{
	struct ledger ledger;

	orders_read_replies(run);
	if (ledger_read(&ledger, run) == 0) {
		check_orders(run, &ledger);
		check_ends(run, &ledger);
		check_lines(run, &ledger);
		check_revs(run);
		check_events_told(run, &ledger);
		check_events_kept(run, &ledger);
		check_retained(run, &ledger);
		photos_check(run, &ledger);
	}
	ledger_free(&ledger);
}
