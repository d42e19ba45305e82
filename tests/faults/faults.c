/* tests/faults/run: a mixed load, and an agent and a broker that are killed under it.
 *
 *     faults [--runs N] [--seed S] [--broker]
 *
 * Run i of N has the seed S + i - 1; in half of them (or with --broker in all) the broker
 * is stopped too. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/faults/sent.h"
#include "tests/faults/checks.h"

#define END_MS 60000
#define LOOK_AGAIN_MS 250

/* ---- the load ---- */

static struct order *order_any(struct ordeal *ordeal, bool wait)
{
	int what = prng_below(&ordeal->prng, 100);
	struct order *order = NULL;

	if (what < 12)
		order = order_repeat(ordeal, wait);
	else if (what < 40)
		order = order_steer(ordeal, wait);
	else if (what < 48)
		order = order_move(ordeal, wait);
	return order ? order : order_create(ordeal, wait);
}

static void send_some(struct ordeal *ordeal)
{
	int some = prng_between(&ordeal->prng, 4, 14);

	for (int i = 0; i < some; i++) {
		order_any(ordeal, prng_chance(&ordeal->prng, 70));
		if (prng_chance(&ordeal->prng, 40))
			deadline_let_pass(prng_below(&ordeal->prng, 30));
	}
}

/* ---- the faults ---- */

/* Microseconds decide whether a commit, its PUBACK or its reply is cut off. */
static void pass_us(int us)
{
	struct timespec rest = {.tv_nsec = us * 1000};

	nanosleep(&rest, NULL);
}

/* A row of commands that only the DUP flag protects, cut off somewhere. */
static void cut_a_row(struct ordeal *ordeal)
{
	int row = prng_between(&ordeal->prng, 3, 8);

	for (int i = 0; i < row; i++)
		order_create_nameless(ordeal);
	pass_us(prng_below(&ordeal->prng, 3000));
}

/* Any moment; right behind a publish; right behind a reply; in the middle of a row. */
static void pick_moment(struct ordeal *ordeal)
{
	size_t mark = client_mark(ordeal->client);
	const struct order *order;

	switch (prng_below(&ordeal->prng, 5)) {
	case 0:
		deadline_let_pass(prng_below(&ordeal->prng, 80));
		break;
	case 1:
		order_any(ordeal, prng_chance(&ordeal->prng, 50));
		if (prng_chance(&ordeal->prng, 50))
			pass_us(prng_below(&ordeal->prng, 1500));
		break;
	case 2:
	case 3:
		cut_a_row(ordeal);
		break;
	default:
		order = order_any(ordeal, true);
		/* A broker that was stopped may have lost it. */
		if (!order_wait(ordeal, order, mark) && !ordeal->with_broker)
			ordeal_blame(ordeal, "order %zu was not answered in time",
				     (size_t)(order - ordeal->orders));
		break;
	}
}

static void stop_agent(struct ordeal *ordeal)
{
	pick_moment(ordeal);
	if (prng_chance(&ordeal->prng, 25))
		ordeal_end_agent(ordeal);
	else
		ordeal_kill_agent(ordeal);
}

static void start_agent(struct ordeal *ordeal)
{
	/* Sometimes it does not even come up. */
	if (prng_chance(&ordeal->prng, 15)) {
		ordeal_launch_agent(ordeal);
		deadline_let_pass(prng_below(&ordeal->prng, 60));
		ordeal_kill_agent(ordeal);
	}
	ordeal_start_agent(ordeal);
}

static void restart_agent(struct ordeal *ordeal)
{
	stop_agent(ordeal);
	if (prng_chance(&ordeal->prng, 50))
		send_some(ordeal);
	start_agent(ordeal);
}

static void restart_broker(struct ordeal *ordeal)
{
	bool both = prng_chance(&ordeal->prng, 30);

	if (prng_chance(&ordeal->prng, 50))
		ordeal_save_broker(ordeal);
	pick_moment(ordeal);
	if (both)
		ordeal_kill_agent(ordeal);
	ordeal_restart_broker(ordeal);
	if (both)
		start_agent(ordeal);
}

static void torment(struct ordeal *ordeal)
{
	int faults = prng_between(&ordeal->prng, 5, 9);

	send_some(ordeal);
	for (int i = 0; i < faults && !ordeal->violations; i++) {
		if (ordeal->with_broker && prng_chance(&ordeal->prng, 50))
			restart_broker(ordeal);
		else
			restart_agent(ordeal);
		send_some(ordeal);
	}
}

/* ---- the end ---- */

/* A rig that lost its position waits for a person; this is the person. */
static void help_on(struct ordeal *ordeal, const cJSON *task)
{
	const cJSON *progress = cJSON_GetObjectItemCaseSensitive(task, "progress");
	const char *id = text_of(task, "id");

	if (strstr(text_of(progress, "message"), "motor/override"))
		cJSON_Delete(ordeal_ask(ordeal, "motor/override",
					"{'name':'turntable','degrees':0}"));
	if (strcmp(text_of(task, "status"), "paused") == 0 ||
	    strcmp(text_of(task, "stopping"), "pause") == 0)
		cJSON_Delete(ordeal_ask(ordeal, "task/resume", "{'id':'%s'}", id));
}

/* How many tasks live; -1 when the agent did not say. */
static int help_all(struct ordeal *ordeal)
{
	cJSON *reply =
		ordeal_ask(ordeal, "task/list",
			   "{'status':['pending','running','paused'],'limit':200}");
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(reply, "data");
	const cJSON *tasks = cJSON_GetObjectItemCaseSensitive(data, "tasks");
	int count = cJSON_IsArray(tasks) ? cJSON_GetArraySize(tasks) : -1;
	const cJSON *task;

	cJSON_ArrayForEach(task, tasks)
		help_on(ordeal, task);
	cJSON_Delete(reply);
	return count;
}

static void finish(struct ordeal *ordeal)
{
	int64_t until = deadline_now() + deadline_patient(END_MS);
	int left;

	/* What the broker lost is told again by an agent that connects anew. */
	if (ordeal->with_broker) {
		ordeal_kill_agent(ordeal);
		ordeal_start_agent(ordeal);
	}
	for (;;) {
		size_t mark = client_mark(ordeal->client);

		left = help_all(ordeal);
		if (left == 0 || deadline_now() > until)
			break;
		client_wait(ordeal->client, mark, BASE "/event", NULL, NULL,
			    LOOK_AGAIN_MS, NULL);
	}
	if (left > 0)
		ordeal_blame(ordeal, "%d tasks had not ended after %d s", left,
			     END_MS / 1000);
	if (left < 0)
		ordeal_blame(ordeal, "the agent does not answer");
	ordeal_end_agent(ordeal);
}

/* ---- runs ---- */

static bool run(uint64_t seed, unsigned number, bool with_broker)
{
	int64_t since = deadline_now();
	struct ordeal ordeal;

	if (ordeal_open(&ordeal, seed, number, with_broker) == 0) {
		torment(&ordeal);
		finish(&ordeal);
		verdict_give(&ordeal);
	}
	printf("run %u, seed %llu: %zu orders, %zu kills, %zu SIGTERM, %zu broker stops, "
	       "%.1f s: %s\n",
	       number, (unsigned long long)seed, ordeal.order_count,
	       ordeal_stops(&ordeal, STOP_KILL), ordeal_stops(&ordeal, STOP_TERM),
	       ordeal_stops(&ordeal, STOP_BROKER),
	       (double)(deadline_now() - since) / 1000,
	       ordeal.violations ? "FAILED" : "passed");
	fflush(stdout);
	ordeal_close(&ordeal);
	return ordeal.violations == 0;
}

static int usage(void)
{
	fprintf(stderr, "faults [--runs N] [--seed S] [--broker]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"runs", required_argument, NULL, 'n'},
		{"seed", required_argument, NULL, 's'},
		{"broker", no_argument, NULL, 'b'},
		{NULL, 0, NULL, 0},
	};
	unsigned runs = 10, passed = 0;
	uint64_t seed = (uint64_t)time(NULL);
	bool with_broker = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n')
			runs = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (option == 'b')
			with_broker = true;
		else
			return usage();
	}
	if (optind != argc)
		return usage();
	for (unsigned i = 0; i < runs; i++)
		passed += run(seed + i, i + 1, with_broker);
	printf("%u passed, %u failed\n", passed, runs - passed);
	return passed == runs ? 0 : 1;
}
