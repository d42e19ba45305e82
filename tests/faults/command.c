#include "tests/faults/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLY BASE "/reply/order"
#define REPLY_MS 5000

bool order_makes_task(const struct order *order)
{
	return order->kind <= ORDER_SCAN;
}

bool order_is_named(const struct order *order)
{
	return order->id[0] || order->request[0];
}

bool order_is_protected(const struct fault_run *run, const struct order *order)
{
	return !run->with_broker || order_is_named(order);
}

void order_file(const struct fault_run *run, size_t number, char path[PATH_MAX])
{
	char name[32];

	snprintf(name, sizeof(name), "lines-%zu.txt", number);
	folder_path(&run->folder, path, name);
}

static struct order *order_new(struct fault_run *run, enum order_kind kind,
			       const char *verb)
{
	struct order *order;

	if (run->order_count == run->order_room) {
		run->order_room = run->order_room ? 2 * run->order_room : 64;
		run->orders =
			realloc(run->orders, run->order_room * sizeof(*run->orders));
		if (!run->orders)
			abort();
	}
	order = &run->orders[run->order_count];
	*order = (struct order){.kind = kind, .verb = verb, .target = -1};
	order->original = run->order_count++;
	return order;
}

static struct order *order_publish(struct fault_run *run, struct order *order, bool wait)
{
	char topic[128], number[32];
	struct publish publish = {
		.qos = 1,
		.no_wait = !wait,
		.response_topic = REPLY,
		.correlation = number,
	};
	int ret;

	snprintf(topic, sizeof(topic), BASE "/cmd/%s", order->verb);
	snprintf(number, sizeof(number), "%zu", (size_t)(order - run->orders));
	ret = client_publish(run->client, topic, order->body, strlen(order->body),
			     &publish);
	if (ret < 0 && !run->with_broker)
		fault_run_violation(run, "the broker did not take order %s", number);
	/* A broker that is not stopped gets all that the client has queued. */
	order->certain = ret == 0 && !run->with_broker;
	return order;
}

/* ---- creates ---- */

static void order_name(struct fault_run *run, struct order *order)
{
	size_t number = order->original;
	int how = prng_below(&run->prng, 100);

	if (how < 60)
		snprintf(order->id, sizeof(order->id), "task-%zu", number);
	if (how >= 40 && how < 88)
		snprintf(order->request, sizeof(order->request), "request-%zu", number);
}

static const char *type_of(enum order_kind kind)
{
	static const char *const types[] = {
		[ORDER_COUNT] = "count_task",
		[ORDER_RESUME_COUNT] = "resume_count_task",
		[ORDER_HELLO] = "hello_world_async_task",
		[ORDER_GENERATOR] = "generator_task",
		[ORDER_SCAN] = "scan_task",
	};

	return types[kind];
}

static char *order_args(struct fault_run *run, struct order *order)
{
	struct prng *prng = &run->prng;
	double delay = prng_below(prng, 20) / 1000.0;
	char file[PATH_MAX];

	order_file(run, order->original, file);
	order->steps = prng_between(prng, 1, 20);
	switch (order->kind) {
	case ORDER_COUNT:
		return quote("{'file':'%s','steps':%d,'delay':%.3f,'fail_attempts':%d}",
			     file, order->steps, delay, prng_below(prng, 3));
	case ORDER_RESUME_COUNT:
		return quote("{'file':'%s','steps':%d,'delay':%.3f}", file, order->steps,
			     delay);
	case ORDER_HELLO:
		return quote("{'total_steps':%d,'delay':%.3f}", order->steps, delay);
	case ORDER_GENERATOR:
		return quote("{'total_steps':%d,'interval':%.3f}", order->steps, delay);
	default:
		order->steps = prng_between(prng, 4, 8);
		return quote("{'project':'p%zu','settings':{'points':%d}}",
			     order->original, order->steps);
	}
}

static enum order_kind throw_kind(struct prng *prng)
{
	static const enum order_kind kinds[] = {
		ORDER_COUNT, ORDER_COUNT, ORDER_COUNT,	   ORDER_RESUME_COUNT,
		ORDER_HELLO, ORDER_SCAN,  ORDER_GENERATOR, ORDER_RESUME_COUNT,
	};

	return kinds[prng_below(prng, 8)];
}

/* Writes its body, with the names that it has. */
static void order_write(struct fault_run *run, struct order *order)
{
	char *args = order_args(run, order), *names[2];

	names[0] = order->id[0] ? quote("'id':'%s',", order->id) : quote("%s", "");
	names[1] = order->request[0] ? quote("'request':'%s',", order->request)
				     : quote("%s", "");
	order->body = quote("{%s%s'type':'%s','priority':%d,'retries':3,"
			    "'labels':{'order':'%zu'},'args':%s}",
			    names[0], names[1], type_of(order->kind),
			    prng_between(&run->prng, -1, 1), order->original, args);
	free(names[0]);
	free(names[1]);
	free(args);
}

struct order *order_create(struct fault_run *run, bool wait)
{
	struct order *order = order_new(run, throw_kind(&run->prng), "task/create");

	order_name(run, order);
	order_write(run, order);
	return order_publish(run, order, wait);
}

struct order *order_create_nameless(struct fault_run *run)
{
	struct order *order = order_new(run, ORDER_COUNT, "task/create");

	order_write(run, order);
	return order_publish(run, order, false);
}

/* ---- everything else ---- */

/* An order whose task is known by an id of ours, or -1. */
static int throw_target(struct fault_run *run)
{
	for (int i = 0; i < 20 && run->order_count; i++) {
		/* The newest ones are those that still run. */
		size_t back = (size_t)prng_below(&run->prng, 8);
		size_t number = run->order_count - 1;

		number = back > number ? 0 : number - back;
		if (order_makes_task(&run->orders[number]) && run->orders[number].id[0])
			return (int)run->orders[number].original;
	}
	return -1;
}

struct order *order_steer(struct fault_run *run, bool wait)
{
	static const char *const verbs[] = {"task/pause", "task/pause", "task/resume",
					    "task/resume", "task/cancel"};
	int target = throw_target(run);
	struct order *order;

	if (target < 0)
		return NULL;
	order = order_new(run, ORDER_STEER, verbs[prng_below(&run->prng, 5)]);
	order->target = target;
	if (prng_chance(&run->prng, 70))
		snprintf(order->request, sizeof(order->request), "request-%zu",
			 order->original);
	order->body = order->request[0] ? quote("{'id':'%s','request':'%s'}",
						run->orders[target].id, order->request)
					: quote("%s", run->orders[target].id);
	return order_publish(run, order, wait);
}

struct order *order_move(struct fault_run *run, bool wait)
{
	struct order *order = order_new(run, ORDER_MOVE, "motor/move");

	snprintf(order->request, sizeof(order->request), "request-%zu", order->original);
	order->body = quote("{'request':'%s','name':'%s','degrees':%d}", order->request,
			    prng_chance(&run->prng, 50) ? "rotor" : "turntable",
			    prng_below(&run->prng, 140));
	return order_publish(run, order, wait);
}

struct order *order_repeat(struct fault_run *run, bool wait)
{
	for (int i = 0; i < 20 && run->order_count; i++) {
		size_t number = (size_t)prng_below(&run->prng, (int)run->order_count);
		struct order *order;

		if (!order_is_named(&run->orders[number]))
			continue;
		order = order_new(run, run->orders[number].kind,
				  run->orders[number].verb);
		/* The table may have moved. */
		*order = run->orders[number];
		order->body = strdup(order->body);
		if (!order->body)
			abort();
		return order_publish(run, order, wait);
	}
	return NULL;
}

/* ---- replies ---- */

static bool has_correlation(const struct message *message, const void *context)
{
	return message->correlation && strcmp(message->correlation, context) == 0;
}

bool order_wait(struct fault_run *run, const struct order *order, size_t mark)
{
	char number[32];

	snprintf(number, sizeof(number), "%zu", (size_t)(order - run->orders));
	return client_wait(run->client, mark, REPLY, has_correlation, number,
			   deadline_patient(REPLY_MS), NULL) != NULL;
}

static void order_read(struct fault_run *run, struct order *order, const cJSON *reply)
{
	size_t number = (size_t)(order - run->orders);
	bool ok = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "ok"));
	bool one = order_is_protected(run, order);
	const char *task = text_of(reply, "id");

	if (one && order->replied && order->ok && ok && strcmp(order->task, task) != 0)
		fault_run_violation(run,
				    "order %zu was answered with the tasks '%s' and '%s'",
				    number, order->task, task);
	/* A refusal may be followed by a yes (it is judged anew), not the other way. */
	if (order->replied && order->ok && !ok && order_makes_task(order))
		fault_run_violation(run, "order %zu was accepted and then refused: %s",
				    number, text_of(reply, "code"));
	if (order->replied && order->ok && !ok)
		return;
	order->replied = true;
	order->ok = ok;
	order->duplicate =
		cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "duplicate"));
	snprintf(order->code, sizeof(order->code), "%s", text_of(reply, "code"));
	snprintf(order->task, sizeof(order->task), "%s", task);
}

void orders_read_replies(struct fault_run *run)
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
		if (number >= run->order_count || !reply)
			fault_run_violation(run, "a reply to nothing: %s",
					    message->payload);
		else
			order_read(run, &run->orders[number], reply);
		cJSON_Delete(reply);
	}
}

int order_of_labels(const struct fault_run *run, const char *labels)
{
	cJSON *json = cJSON_Parse(labels);
	const char *text = text_of(json, "order");
	size_t number = *text ? strtoul(text, NULL, 10) : run->order_count;

	cJSON_Delete(json);
	return number < run->order_count ? (int)number : -1;
}

void orders_free(struct fault_run *run)
{
	for (size_t i = 0; i < run->order_count; i++)
		free(run->orders[i].body);
	free(run->orders);
	run->orders = NULL;
	run->order_count = 0;
}
