/* The simulation program: plays histories and counts them.  Started by
 * tests/simulation/run. */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "tests/simulation/trace.h"
#include "tests/simulation/world.h"

#define REPEAT_EVERY 200
#define EVENTS_A_SECOND 20000 /* the minimum per second of CPU time */

struct plan {
	uint64_t seed;
	bool seeded, timed;
	bool first;   /* stop after the first violation */
	int64_t runs; /* -1: as many as there is time for */
	double seconds;
};

static volatile uint64_t playing;

/* Prints the seed of a history that crashes.  Calls only what is safe in a signal
 * handler. */
static void on_crash(int signal_number)
{
	char text[40];
	size_t n = sizeof(text);
	uint64_t seed = playing;

	text[--n] = '\n';
	do
		text[--n] = (char)('0' + seed % 10);
	while (seed /= 10);
	if (write(STDOUT_FILENO, "crashed in seed ", 16) == 16 &&
	    write(STDOUT_FILENO, text + n, sizeof(text) - n) > 0)
		signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static double seconds_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int usage(void)
{
	fputs("usage: simulation [--seconds S] [--seed N] [--runs K] [--first] [--trace]\n",
	      stderr);
	return 2;
}

static int parse(struct plan *plan, int argc, char **argv)
{
	static const struct option options[] = {
		{"seconds", required_argument, NULL, 's'},
		{"seed", required_argument, NULL, 'n'},
		{"runs", required_argument, NULL, 'k'},
		{"first", no_argument, NULL, 'f'},
		{"trace", no_argument, NULL, 't'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 's')
			plan->seconds = atof(optarg);
		else if (option == 'n')
			plan->seed = strtoull(optarg, NULL, 10);
		else if (option == 'k')
			plan->runs = atoll(optarg);
		else if (option == 't')
			tracing = true;
		else if (option != 'f')
			return -1;
		plan->seeded |= option == 'n';
		plan->first |= option == 'f';
		plan->timed |= option == 's';
	}
	return optind == argc ? 0 : -1;
}

static bool goes_on(const struct plan *plan, int64_t played, double started)
{
	if (plan->runs >= 0)
		return played < plan->runs;
	return seconds_of(CLOCK_MONOTONIC) - started < plan->seconds;
}

/* A history that cannot be repeated is useless: now and then one is played twice more and
 * must be the same both times. */
static const char *not_repeatable(uint64_t seed)
{
	uint64_t sum;

	trace_summing = true;
	world_play(seed);
	sum = trace_sum();
	world_play(seed);
	trace_summing = false;
	return sum == trace_sum() ? NULL : "the history is different each time";
}

static struct outcome_of_history play_one(uint64_t seed)
{
	struct outcome_of_history history = world_play(seed);

	if (!history.violation && !tracing && seed % REPEAT_EVERY == 0)
		history.violation = not_repeatable(seed);
	return history;
}

static int play(const struct plan *plan)
{
	double started = seconds_of(CLOCK_MONOTONIC),
	       cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	int64_t played = 0, failed = 0, events = 0;
	double rate;

	printf("seeds from %" PRIu64 " on\n", plan->seed);
	for (; goes_on(plan, played, started); played++) {
		struct outcome_of_history history;

		playing = plan->seed + (uint64_t)played;
		history = play_one(playing);
		events += history.events;
		if (!history.violation)
			continue;
		failed++;
		printf("seed %" PRIu64 ": %s\n", playing, history.violation);
		printf("  again: tests/simulation/run --seed %" PRIu64 " --trace\n",
		       playing);
		fflush(stdout);
		if (!plan->first)
			continue;
		played++;
		break;
	}
	cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	rate = cpu > 0 ? (double)events / cpu : 0;
	printf("seeds %" PRIu64 " to %" PRIu64 ": %" PRId64
	       " events, %.0f a second of CPU%s\n",
	       plan->seed, playing, events, rate,
	       rate < EVENTS_A_SECOND ? " (MISSED: 20,000)" : "");
	printf("%" PRId64 " passed, %" PRId64 " failed\n", played - failed, failed);
	return failed || !played ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct plan plan = {.runs = -1, .seconds = 60};

	if (parse(&plan, argc, argv) < 0)
		return usage();
	if (plan.seeded && !plan.timed && plan.runs < 0)
		plan.runs = 1;
	if (!plan.seeded) {
		uint32_t random;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return 2;
		plan.seed = random;
	}
	/* The timestamps of the agent's log are simulated, so it is useful with a trace
	 * only. */
	if (!tracing && !freopen("/dev/null", "w", stderr))
		return 2;
	signal(SIGABRT, on_crash);
	signal(SIGSEGV, on_crash);
	setvbuf(stdout, NULL, tracing ? _IOFBF : _IOLBF, 1 << 16);
	log_set_level(LOG_LEVEL_ERROR);
	world_prepare();
	return play(&plan);
}
