/* Measures how precisely the motion thread keeps its times on this machine: moves of the
 * axis with 42,667 steps, with a sink that records when each pulse was sent.
 *
 * The moves are 45 degrees at the usual speeds with an acceleration of 20,000 steps/s^2,
 * and 90 degrees at 20,000 steps/s with 80,000, the most that a config may ask for: 45
 * degrees at 20,000 would end at 10,328 steps/s whatever the clock.
 *
 * The sink is called as a driver is: the time of a pulse lies between the moments before
 * and after the call.  The time error is relative to what was due after the previous
 * pulse: a late pulse shifts the rest, and the sum of these shifts is reported as the
 * stretch.  The baseline is the time that the machine takes from a thread that only reads
 * the clock.  A pulse that is later than jitter (motion.h) makes the axis accelerate
 * again, so a machine that stalls often never reaches the full speed; the share at full
 * speed is reported beside that of an ideal clock.  Figures are not asserted, with one
 * exception: no interval may exceed the speed by more than 2 %. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "hal/motion_thread.h"
#include "hal/linux/precise_sleep.h"
#include "hal/realtime.h"
#include "tests/bench/sample.h"

#define STEPS_MOST 10667 /* 90 degrees */
#define OVERSPEED 1.02
#define FULL .99  /* of the speed counts as full speed */
#define JITTER 10 /* one part in this many of an interval, as in motion.c */
#define ENGINE_ROUNDS 20
/* Less than the kernel lets a real-time thread run without a break. */
#define BASELINE_NS 500000000
#define BURNERS 2
#define BLOCK (1 << 20)

struct test_move {
	double speed, acceleration;
	int64_t steps;
};

static const struct test_move test_moves[] = {
	{5000, 20000, 5333},
	{7500, 20000, 5333},
	{20000, 80000, STEPS_MOST},
	{20000, 8e6, STEPS_MOST},
};
#define TEST_MOVES (sizeof(test_moves) / sizeof(test_moves[0]))

struct sink {
	struct precise_sleep sleep;
	int64_t due[STEPS_MOST], sent[STEPS_MOST];
	int64_t asked; /* the time that the timeline waits for */
	size_t count;
};

static int64_t sink_now(void *clock)
{
	(void)clock;
	return clock_monotonic_ns();
}

static int64_t sink_wait_until(void *clock, int64_t due_ns)
{
	struct sink *sink = clock;

	sink->asked = due_ns;
	return precise_sleep_until(&sink->sleep, due_ns, NULL);
}

static enum motion_request sink_request(void *context)
{
	(void)context;
	return MOTION_RUN;
}

static int sink_pulse(void *context, size_t axis, int64_t *sent_ns)
{
	struct sink *sink = context;

	(void)axis;
	sink->due[sink->count] = sink->asked;
	*sent_ns = clock_monotonic_ns();
	sink->sent[sink->count++] = *sent_ns;
	return MOTION_GO;
}

/* ---- load ---- */

static atomic_bool loaded;

static void *burn(void *context)
{
	(void)context;
	while (atomic_load(&loaded))
		;
	return NULL;
}

static void *scribble(void *context)
{
	static char block[BLOCK];
	FILE *file = context;

	while (atomic_load(&loaded)) {
		if (ftell(file) > 64 * BLOCK)
			rewind(file);
		if (fwrite(block, BLOCK, 1, file) != 1 || fsync(fileno(file)) < 0)
			break;
	}
	return NULL;
}

/* ---- one move ---- */

struct result {
	double p50, p99, most; /* us of time error */
	double late;	       /* percent of the pulses: later than jitter */
	double top;	       /* steps/s, the fastest interval */
	int64_t full;	       /* intervals at full speed */
	double stretch;	       /* percent of the planned duration */
	double processor;      /* percent of one while it moved */
};

static struct motion_axis test_move_axis(const struct test_move *move)
{
	return (struct motion_axis){
		.limits = {.max_speed = move->speed, .acceleration = move->acceleration},
		.steps = move->steps,
	};
}

static void measure_errors(const struct sink *sink, struct result *result)
{
	struct sample error = {0};
	size_t late = 0;

	for (size_t i = 0; i < sink->count; i++) {
		int64_t off = sink->sent[i] - sink->due[i];

		sample_add(&error, (double)off / 1e3);
		late += i > 0 && off > (sink->due[i] - sink->sent[i - 1]) / JITTER;
	}
	result->p50 = sample_at(&error, .5);
	result->p99 = sample_at(&error, .99);
	result->most = sample_at(&error, 1);
	result->late = 100.0 * (double)late / (double)sink->count;
	sample_free(&error);
}

static void measure_speeds(const struct sink *sink, double speed, struct result *result)
{
	result->top = 0;
	result->full = 0;
	for (size_t i = 1; i < sink->count; i++) {
		double reached = 1e9 / (double)(sink->sent[i] - sink->sent[i - 1]);

		result->top = fmax(result->top, reached);
		result->full += reached >= FULL * speed;
	}
}

/* The intervals at full speed with an ideal clock. */
static int64_t full_intervals(const struct test_move *move)
{
	double ramp = move->speed * move->speed / (2 * move->acceleration);

	return move->steps - (int64_t)(2 * FULL * FULL * ramp);
}

static int64_t processor_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return used.tv_sec * INT64_C(1000000000) + used.tv_nsec;
}

static int run_move(struct motion_thread *thread, struct sink *sink,
		    const struct test_move *move, struct result *result)
{
	struct motion_axis axis = test_move_axis(move);
	struct motion_move motion_move = {
		.axes = &axis,
		.n = 1,
		.request = sink_request,
		.pulse = sink_pulse,
		.context = sink,
	};
	int64_t began = clock_monotonic_ns(), used = processor_ns();
	double took;

	sink->count = 0;
	if (motion_thread_run(thread, &motion_move, NULL, NULL) < 0 ||
	    sink->count != (size_t)move->steps)
		return -EIO;
	took = (double)(sink->sent[sink->count - 1] - began);
	result->processor = 100 * (double)(processor_ns() - used) / took;
	result->stretch =
		(took / 1e9 / motion_seconds(move->steps, &axis.limits) - 1) * 100;
	measure_errors(sink, result);
	measure_speeds(sink, move->speed, result);
	return 0;
}

/* Measures one move, idle or loaded; returns 1 when it was too fast for a moment. */
static int measure(struct motion_thread *thread, struct sink *sink,
		   const struct test_move *move, const char *how)
{
	struct result v;
	bool bad;

	if (run_move(thread, sink, move, &v) < 0) {
		printf("%6.0f steps/s, %s: not all pulses came\n", move->speed, how);
		return 1;
	}
	bad = v.top > OVERSPEED * move->speed;
	printf("%6.0f steps/s at %.0f, %-6s  time error p50 %6.1f us, p99 %7.1f us, max "
	       "%8.1f "
	       "us; "
	       "%.2f %% late; top speed %.0f (%.4f)%s, full speed in %lld of %lld "
	       "intervals; stretched by %.2f %%",
	       move->speed, move->acceleration, how, v.p50, v.p99, v.most, v.late, v.top,
	       v.top / move->speed, bad ? " TOO FAST" : "", (long long)v.full,
	       (long long)full_intervals(move), v.stretch);
	/* The load runs in the same process. */
	if (!atomic_load(&loaded))
		printf("; %.0f %% of a processor", v.processor);
	puts("");
	return bad;
}

static int measure_all(struct motion_thread *thread, struct sink *sink, const char *how)
{
	int bad = 0;

	for (size_t i = 0; i < TEST_MOVES; i++)
		bad += measure(thread, sink, &test_moves[i], how);
	return bad;
}

static int measure_loaded(struct motion_thread *thread, struct sink *sink)
{
	pthread_t burners[BURNERS], writer;
	FILE *file = tmpfile();
	int bad;

	if (!file)
		return 1;
	atomic_store(&loaded, true);
	for (size_t i = 0; i < BURNERS; i++)
		pthread_create(&burners[i], NULL, burn, NULL);
	pthread_create(&writer, NULL, scribble, file);
	bad = measure_all(thread, sink, "loaded");
	atomic_store(&loaded, false);
	for (size_t i = 0; i < BURNERS; i++)
		pthread_join(burners[i], NULL);
	pthread_join(writer, NULL);
	fclose(file);
	return bad;
}

/* ---- without a clock ---- */

/* A clock whose waits end at once. */
static int64_t ideal_wait_until(void *clock, int64_t due_ns)
{
	*(int64_t *)clock = due_ns;
	return due_ns;
}

static int64_t ideal_now(void *clock)
{
	return *(const int64_t *)clock;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the move's type */
static int ideal_pulse(void *context, size_t axis, int64_t *sent_ns)
{
	(void)context;
	(void)axis;
	(void)sent_ns;
	return MOTION_GO;
}

/* Measures the time that the timeline itself takes between two pulses. */
static void measure_engine(const struct test_move *move)
{
	int64_t now = 0, used = processor_ns();
	struct motion motion = {
		.now = ideal_now,
		.wait_until = ideal_wait_until,
		.clock = &now,
	};

	for (int i = 0; i < ENGINE_ROUNDS; i++) {
		struct motion_axis axis = test_move_axis(move);
		struct motion_move motion_move = {
			.axes = &axis,
			.n = 1,
			.request = sink_request,
			.pulse = ideal_pulse,
		};

		motion_add(&motion, &motion_move);
		while (!motion_send_next(&motion))
			;
	}
	used = processor_ns() - used;
	printf("the timeline takes %.2f us for a pulse, of %.0f us between two at %.0f "
	       "steps/s\n",
	       (double)used / 1e3 / (double)(ENGINE_ROUNDS * move->steps),
	       1e6 / move->speed, move->speed);
}

/* Measures how often and how long a thread of the same priority that never sleeps is
 * suspended. */
static void *measure_floor(void *context)
{
	int64_t began = clock_monotonic_ns(), last = began, away = 0;
	int short_gaps = 0, long_gaps = 0;
	struct realtime rt;

	realtime_begin(&rt);
	while (last - began < BASELINE_NS) {
		int64_t now = clock_monotonic_ns(), gap = now - last;

		short_gaps += gap > 5000;
		long_gaps += gap > 1000000;
		away += gap > 5000 ? gap : 0;
		last = now;
	}
	printf("the baseline: a thread that only reads the clock is suspended %d times a second "
	       "for "
	       "more than 5 us, %d times for more than 1 ms, %.1f %% of the time\n",
	       2 * short_gaps, 2 * long_gaps, 100.0 * (double)away / BASELINE_NS);
	return context;
}

static void measure_machine(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, measure_floor, NULL) == 0)
		pthread_join(thread, NULL);
}

static void tell_problems(struct motion_thread *thread)
{
	cJSON *problems = cJSON_CreateArray();
	const cJSON *problem;

	motion_thread_problems(thread, problems);
	cJSON_ArrayForEach(problem, problems)
		printf("  %s\n", problem->valuestring);
	cJSON_Delete(problems);
}

int main(void)
{
	static struct sink sink;
	struct motion_thread_options options = {
		.now = sink_now,
		.wait_until = sink_wait_until,
		.clock = &sink,
		.real_time = true,
	};
	struct motion_thread *thread;
	struct err err;
	int bad;

	precise_sleep_init(&sink.sleep);
	if (motion_thread_open(&thread, &options, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_FAILURE;
	}
	puts("step pulses, 45 degrees of the axis with 42,667 steps (20,000 steps/s: "
	     "90); for "
	     "comparison the original: "
	     "p50 48 to 67 us, p99 700 to 4000 us, overspeed 6.7");
	tell_problems(thread);
	measure_engine(&test_moves[TEST_MOVES - 1]);
	measure_machine();
	bad = measure_all(thread, &sink, "idle");
	bad += measure_loaded(thread, &sink);
	motion_thread_close(thread);
	printf("%d passed, %d failed\n", 2 * (int)TEST_MOVES - bad, bad);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
