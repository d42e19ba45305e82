/* Kills an agent and a broker under a mixed load; started by tests/faults/run.
 *
 *     faults [--runs N] [--seed S] [--broker]
 *
 * Run i of N has the seed S + i - 1.  In half of the runs (with --broker in all of them)
 * the broker is stopped too. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/faults/command.h"
#include "tests/faults/checks.h"

#define END_MS 60000
#define LOOK_AGAIN_MS 250

/* ---- the load ---- */

static struct command *send_any_command(struct fault_run *run, bool wait)
{
	int what = prng_below(&run->prng, 100);
	struct command *command = NULL;

	if (what < 12)
		command = command_repeat(run, wait);
	else if (what < 40)
		command = command_control(run, wait);
	else if (what < 48)
		command = command_move(run, wait);
	return command ? command : command_create(run, wait);
}

static void send_some(struct fault_run *run)
{
	int some = prng_between(&run->prng, 4, 14);

	for (int i = 0; i < some; i++) {
		send_any_command(run, prng_chance(&run->prng, 70));
		if (prng_chance(&run->prng, 40))
			deadline_let_pass(prng_below(&run->prng, 30));
	}
}

/* ---- the faults ---- */

/* A few microseconds decide whether a commit, its PUBACK or its reply is lost. */
static void sleep_us(int us)
{
	struct timespec rest = {.tv_nsec = us * 1000};

	nanosleep(&rest, NULL);
}

/* Sends several commands that only the DUP flag protects, and returns before they are
 * done. */
static void send_burst(struct fault_run *run)
{
	int row = prng_between(&run->prng, 3, 8);

	for (int i = 0; i < row; i++)
		command_create_nameless(run);
	sleep_us(prng_below(&run->prng, 3000));
}

/* Waits for the moment of the fault: a random one, right after a publish, in the middle
 * of a burst, or right after a reply. */
static void pick_moment(struct fault_run *run)
{
	size_t mark = client_mark(run->client);
	const struct command *command;

	switch (prng_below(&run->prng, 5)) {
	case 0:
		deadline_let_pass(prng_below(&run->prng, 80));
		break;
	case 1:
		send_any_command(run, prng_chance(&run->prng, 50));
		if (prng_chance(&run->prng, 50))
			sleep_us(prng_below(&run->prng, 1500));
		break;
	case 2:
	case 3:
		send_burst(run);
		break;
	default:
		command = send_any_command(run, true);
		/* A broker that was stopped may have lost it. */
		if (!command_wait_reply(run, command, mark) && !run->with_broker)
			fault_run_violation(run, "command %zu was not answered in time",
					    (size_t)(command - run->commands));
		break;
	}
}

static void stop_agent(struct fault_run *run)
{
	pick_moment(run);
	if (prng_chance(&run->prng, 25))
		fault_run_terminate_agent(run);
	else
		fault_run_kill_agent(run);
}

static void start_agent(struct fault_run *run)
{
	/* Sometimes it is killed while it starts. */
	if (prng_chance(&run->prng, 15)) {
		fault_run_launch_agent(run);
		deadline_let_pass(prng_below(&run->prng, 60));
		fault_run_kill_agent(run);
	}
	fault_run_start_agent(run);
}

static void restart_agent(struct fault_run *run)
{
	stop_agent(run);
	if (prng_chance(&run->prng, 50))
		send_some(run);
	start_agent(run);
}

static void restart_broker(struct fault_run *run)
{
	bool both = prng_chance(&run->prng, 30);

	if (prng_chance(&run->prng, 50))
		fault_run_save_broker(run);
	pick_moment(run);
	if (both)
		fault_run_kill_agent(run);
	fault_run_restart_broker(run);
	if (both)
		start_agent(run);
}

static void inject_faults(struct fault_run *run)
{
	int faults = prng_between(&run->prng, 5, 9);

	send_some(run);
	for (int i = 0; i < faults && !run->violations; i++) {
		if (run->with_broker && prng_chance(&run->prng, 50))
			restart_broker(run);
		else
			restart_agent(run);
		send_some(run);
	}
}

/* ---- the end ---- */

/* Acts as the operator that a rig with a lost position waits for. */
static void assist(struct fault_run *run, const cJSON *task)
{
	const cJSON *progress = cJSON_GetObjectItemCaseSensitive(task, "progress");
	const char *id = text_of(task, "id");

	if (strstr(text_of(progress, "message"), "motor/override"))
		cJSON_Delete(fault_run_ask(run, "motor/override",
					   "{'name':'turntable','degrees':0}"));
	if (strcmp(text_of(task, "status"), "paused") == 0 ||
	    strcmp(text_of(task, "stopping"), "pause") == 0)
		cJSON_Delete(fault_run_ask(run, "task/resume", "{'id':'%s'}", id));
}

/* Returns the number of tasks that have not ended, or -1 without a reply. */
static int assist_all(struct fault_run *run)
{
	cJSON *reply =
		fault_run_ask(run, "task/list",
			      "{'status':['pending','running','paused'],'limit':200}");
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(reply, "data");
	const cJSON *tasks = cJSON_GetObjectItemCaseSensitive(data, "tasks");
	int count = cJSON_IsArray(tasks) ? cJSON_GetArraySize(tasks) : -1;
	const cJSON *task;

	cJSON_ArrayForEach(task, tasks)
		assist(run, task);
	cJSON_Delete(reply);
	return count;
}

static void finish(struct fault_run *run)
{
	int64_t until = deadline_now() + deadline_patient(END_MS);
	int left;

	/* An agent that reconnects publishes again what the broker lost. */
	if (run->with_broker) {
		fault_run_kill_agent(run);
		fault_run_start_agent(run);
	}
	for (;;) {
		size_t mark = client_mark(run->client);

		left = assist_all(run);
		if (left == 0 || deadline_now() > until)
			break;
		client_wait(run->client, mark, BASE "/event", NULL, NULL, LOOK_AGAIN_MS,
			    NULL);
	}
	if (left > 0)
		fault_run_violation(run, "%d tasks had not ended after %d s", left,
				    END_MS / 1000);
	if (left < 0)
		fault_run_violation(run, "the agent does not answer");
	fault_run_terminate_agent(run);
}

/* ---- runs ---- */

static bool perform(uint64_t seed, unsigned number, bool with_broker)
{
	int64_t since = deadline_now();
	struct fault_run run;

	if (fault_run_open(&run, seed, number, with_broker) == 0) {
		inject_faults(&run);
		finish(&run);
		checks_run(&run);
	}
	printf("run %u, seed %llu: %zu commands, %zu kills, %zu SIGTERM, %zu broker stops, "
	       "%.1f s: %s\n",
	       number, (unsigned long long)seed, run.command_count,
	       fault_run_stops(&run, STOP_KILL), fault_run_stops(&run, STOP_TERM),
	       fault_run_stops(&run, STOP_BROKER),
	       (double)(deadline_now() - since) / 1000,
	       run.violations ? "FAILED" : "passed");
	fflush(stdout);
	fault_run_close(&run);
	return run.violations == 0;
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
		passed += perform(seed + i, i + 1, with_broker);
	printf("%u passed, %u failed\n", passed, runs - passed);
	return passed == runs ? 0 : 1;
}
