#include "tests/faults/sent.h"

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

bool order_is_protected(const struct ordeal *ordeal, const struct order *order)
{
	return !ordeal->with_broker || order_is_named(order);
}

void order_file(const struct ordeal *ordeal, size_t number, char path[PATH_MAX])
{
	char name[32];

	snprintf(name, sizeof(name), "lines-%zu.txt", number);
	folder_path(&ordeal->folder, path, name);
}

static struct order *order_new(struct ordeal *ordeal, enum order_kind kind,
			       const char *verb)
{
	struct order *order;

	if (ordeal->order_count == ordeal->order_room) {
		ordeal->order_room = ordeal->order_room ? 2 * ordeal->order_room : 64;
		ordeal->orders = realloc(ordeal->orders,
					 ordeal->order_room * sizeof(*ordeal->orders));
		if (!ordeal->orders)
			abort();
	}
	order = &ordeal->orders[ordeal->order_count];
	*order = (struct order){.kind = kind, .verb = verb, .target = -1};
	order->original = ordeal->order_count++;
	return order;
}

static struct order *order_publish(struct ordeal *ordeal, struct order *order, bool wait)
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
	snprintf(number, sizeof(number), "%zu", (size_t)(order - ordeal->orders));
	ret = client_publish(ordeal->client, topic, order->body, strlen(order->body),
			     &publish);
	if (ret < 0 && !ordeal->with_broker)
		ordeal_blame(ordeal, "the broker did not take order %s", number);
	/* A broker that is not stopped gets all that the client has queued. */
	order->certain = ret == 0 && !ordeal->with_broker;
	return order;
}

/* ---- creates ---- */

static void order_name(struct ordeal *ordeal, struct order *order)
{
	size_t number = order->original;
	int how = prng_below(&ordeal->prng, 100);

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

static char *order_args(struct ordeal *ordeal, struct order *order)
{
	struct prng *prng = &ordeal->prng;
	double delay = prng_below(prng, 20) / 1000.0;
	char file[PATH_MAX];

	order_file(ordeal, order->original, file);
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
static void order_write(struct ordeal *ordeal, struct order *order)
{
	char *args = order_args(ordeal, order), *names[2];

	names[0] = order->id[0] ? quote("'id':'%s',", order->id) : quote("%s", "");
	names[1] = order->request[0] ? quote("'request':'%s',", order->request)
				     : quote("%s", "");
	order->body = quote("{%s%s'type':'%s','priority':%d,'retries':3,"
			    "'labels':{'order':'%zu'},'args':%s}",
			    names[0], names[1], type_of(order->kind),
			    prng_between(&ordeal->prng, -1, 1), order->original, args);
	free(names[0]);
	free(names[1]);
	free(args);
}

struct order *order_create(struct ordeal *ordeal, bool wait)
{
	struct order *order = order_new(ordeal, throw_kind(&ordeal->prng), "task/create");

	order_name(ordeal, order);
	order_write(ordeal, order);
	return order_publish(ordeal, order, wait);
}

struct order *order_create_nameless(struct ordeal *ordeal)
{
	struct order *order = order_new(ordeal, ORDER_COUNT, "task/create");

	order_write(ordeal, order);
	return order_publish(ordeal, order, false);
}

/* ---- everything else ---- */

/* An order whose task is known by an id of ours, or -1. */
static int throw_target(struct ordeal *ordeal)
{
	for (int i = 0; i < 20 && ordeal->order_count; i++) {
		/* The newest ones are those that still run. */
		size_t back = (size_t)prng_below(&ordeal->prng, 8);
		size_t number = ordeal->order_count - 1;

		number = back > number ? 0 : number - back;
		if (order_makes_task(&ordeal->orders[number]) &&
		    ordeal->orders[number].id[0])
			return (int)ordeal->orders[number].original;
	}
	return -1;
}

struct order *order_steer(struct ordeal *ordeal, bool wait)
{
	static const char *const verbs[] = {"task/pause", "task/pause", "task/resume",
					    "task/resume", "task/cancel"};
	int target = throw_target(ordeal);
	struct order *order;

	if (target < 0)
		return NULL;
	order = order_new(ordeal, ORDER_STEER, verbs[prng_below(&ordeal->prng, 5)]);
	order->target = target;
	if (prng_chance(&ordeal->prng, 70))
		snprintf(order->request, sizeof(order->request), "request-%zu",
			 order->original);
	order->body = order->request[0] ? quote("{'id':'%s','request':'%s'}",
						ordeal->orders[target].id, order->request)
					: quote("%s", ordeal->orders[target].id);
	return order_publish(ordeal, order, wait);
}

struct order *order_move(struct ordeal *ordeal, bool wait)
{
	struct order *order = order_new(ordeal, ORDER_MOVE, "motor/move");

	snprintf(order->request, sizeof(order->request), "request-%zu", order->original);
	order->body = quote("{'request':'%s','name':'%s','degrees':%d}", order->request,
			    prng_chance(&ordeal->prng, 50) ? "rotor" : "turntable",
			    prng_below(&ordeal->prng, 140));
	return order_publish(ordeal, order, wait);
}

struct order *order_repeat(struct ordeal *ordeal, bool wait)
{
	for (int i = 0; i < 20 && ordeal->order_count; i++) {
		size_t number =
			(size_t)prng_below(&ordeal->prng, (int)ordeal->order_count);
		struct order *order;

		if (!order_is_named(&ordeal->orders[number]))
			continue;
		order = order_new(ordeal, ordeal->orders[number].kind,
				  ordeal->orders[number].verb);
		/* The table may have moved. */
		*order = ordeal->orders[number];
		order->body = strdup(order->body);
		if (!order->body)
			abort();
		return order_publish(ordeal, order, wait);
	}
	return NULL;
}

/* ---- replies ---- */

static bool has_correlation(const struct message *message, const void *context)
{
	return message->correlation && strcmp(message->correlation, context) == 0;
}

bool order_wait(struct ordeal *ordeal, const struct order *order, size_t mark)
{
	char number[32];

	snprintf(number, sizeof(number), "%zu", (size_t)(order - ordeal->orders));
	return client_wait(ordeal->client, mark, REPLY, has_correlation, number,
			   deadline_patient(REPLY_MS), NULL) != NULL;
}

static void order_read(struct ordeal *ordeal, struct order *order, const cJSON *reply)
{
	size_t number = (size_t)(order - ordeal->orders);
	bool ok = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "ok"));
	bool one = order_is_protected(ordeal, order);
	const char *task = text_of(reply, "id");

	if (one && order->replied && order->ok && ok && strcmp(order->task, task) != 0)
		ordeal_blame(ordeal,
			     "order %zu was answered with the tasks '%s' and '%s'",
			     number, order->task, task);
	/* A refusal may be followed by a yes (it is judged anew), not the other way. */
	if (order->replied && order->ok && !ok && order_makes_task(order))
		ordeal_blame(ordeal, "order %zu was accepted and then refused: %s",
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

void orders_read_replies(struct ordeal *ordeal)
{
	size_t count = client_mark(ordeal->client);

	for (size_t i = 0; i < count; i++) {
		const struct message *message = client_at(ordeal->client, i);
		size_t number;
		cJSON *reply;

		if (strcmp(message->topic, REPLY) != 0 || !message->correlation)
			continue;
		number = strtoul(message->correlation, NULL, 10);
		reply = cJSON_Parse(message->payload);
		if (number >= ordeal->order_count || !reply)
			ordeal_blame(ordeal, "a reply to nothing: %s", message->payload);
		else
			order_read(ordeal, &ordeal->orders[number], reply);
		cJSON_Delete(reply);
	}
}

int order_of_labels(const struct ordeal *ordeal, const char *labels)
{
	cJSON *json = cJSON_Parse(labels);
	const char *text = text_of(json, "order");
	size_t number = *text ? strtoul(text, NULL, 10) : ordeal->order_count;

	cJSON_Delete(json);
	return number < ordeal->order_count ? (int)number : -1;
}

void orders_free(struct ordeal *ordeal)
{
	for (size_t i = 0; i < ordeal->order_count; i++)
		free(ordeal->orders[i].body);
	free(ordeal->orders);
	ordeal->orders = NULL;
	ordeal->order_count = 0;
}
