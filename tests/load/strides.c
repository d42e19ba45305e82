/* How well the motion thread keeps its times on this machine: 45 degrees of the axis with
 * 42,667 steps, sent to a sink that notes when each pulse came.
 *
 * The sink is asked as a driver is: the time of a pulse lies between the moment before
 * the call and the moment after it.  The time error is against what was due after what
 * came before: a late pulse shifts the rest, and what that adds up to is told as the
 * stretch. Figures are not asserted, but for one: no interval may exceed the speed by
 * more than 2 %. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "hal/engine.h"
#include "hal/linux/deadline.h"
#include "tests/load/sample.h"

#define STEPS 5333 /* 45 degrees */
#define ACCELERATION 20000
#define OVERSPEED 1.02
#define MS 1e6
#define BURNERS 2
#define BLOCK (1 << 20)

struct sink {
	struct deadline deadline;
	int64_t due[STEPS], sent[STEPS];
	int64_t asked; /* what the timeline waits for now */
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
	return deadline_wait(&sink->deadline, due_ns, NULL);
}

static enum motion_wish sink_wish(void *context)
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

/* ---- what may be in the way ---- */

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

struct verdict {
	double p50, p99, most; /* us of time error */
	double overspeed;      /* the most, times the speed */
	double stretch;	       /* percent of the planned duration */
};

static void judge(const struct sink *sink, double speed, int64_t began,
		  struct verdict *verdict)
{
	const struct motion_limits limits = {.max_speed = speed,
					     .acceleration = ACCELERATION};
	double planned = motion_seconds(STEPS, &limits);
	struct sample error = {0};

	verdict->overspeed = 0;
	for (size_t i = 0; i < sink->count; i++) {
		double interval;

		sample_since(&error, now_ns() - (sink->sent[i] - sink->due[i]));
		if (i == 0)
			continue;
		interval = (double)(sink->sent[i] - sink->sent[i - 1]) / 1e9;
		verdict->overspeed = fmax(verdict->overspeed, 1 / interval / speed);
	}
	verdict->p50 = sample_at(&error, .5) * 1000;
	verdict->p99 = sample_at(&error, .99) * 1000;
	verdict->most = sample_at(&error, 1) * 1000;
	verdict->stretch =
		((double)(sink->sent[STEPS - 1] - began) / 1e9 / planned - 1) * 100;
	sample_free(&error);
}

static int stride(struct engine *engine, struct sink *sink, double speed,
		  struct verdict *verdict)
{
	struct motion_axis axis = {
		.limits = {.max_speed = speed, .acceleration = ACCELERATION},
		.steps = STEPS,
	};
	struct motion_move move = {
		.axes = &axis,
		.n = 1,
		.wish = sink_wish,
		.pulse = sink_pulse,
		.context = sink,
	};
	int64_t began = clock_monotonic_ns();

	sink->count = 0;
	if (engine_run(engine, &move, NULL, NULL) < 0 || sink->count != STEPS)
		return -EIO;
	judge(sink, speed, began, verdict);
	return 0;
}

/* One speed, idle or loaded; 1 when it went too fast for a moment. */
static int measure(struct engine *engine, struct sink *sink, double speed,
		   const char *how)
{
	struct verdict verdict;
	int bad;

	if (stride(engine, sink, speed, &verdict) < 0) {
		printf("%6.0f steps/s, %s: not all pulses came\n", speed, how);
		return 1;
	}
	bad = verdict.overspeed > OVERSPEED;
	printf("%6.0f steps/s, %-6s  time error p50 %6.1f us, p99 %7.1f us, max %8.1f "
	       "us; "
	       "overspeed %.4f; stretched by %.2f %%%s\n",
	       speed, how, verdict.p50, verdict.p99, verdict.most, verdict.overspeed,
	       verdict.stretch, bad ? "  TOO FAST" : "");
	return bad;
}

static int measure_all(struct engine *engine, struct sink *sink, const char *how)
{
	static const double speeds[] = {5000, 7500, 20000};
	int bad = 0;

	for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
		bad += measure(engine, sink, speeds[i], how);
	return bad;
}

static int measure_loaded(struct engine *engine, struct sink *sink)
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
	bad = measure_all(engine, sink, "loaded");
	atomic_store(&loaded, false);
	for (size_t i = 0; i < BURNERS; i++)
		pthread_join(burners[i], NULL);
	pthread_join(writer, NULL);
	fclose(file);
	return bad;
}

static void tell_problems(struct engine *engine)
{
	cJSON *problems = cJSON_CreateArray();
	const cJSON *problem;

	engine_problems(engine, problems);
	cJSON_ArrayForEach(problem, problems) printf("  %s\n", problem->valuestring);
	cJSON_Delete(problems);
}

int main(void)
{
	static struct sink sink;
	struct engine_options options = {
		.now = sink_now,
		.wait_until = sink_wait_until,
		.clock = &sink,
		.real_time = true,
	};
	struct engine *engine;
	struct err err;
	int bad;

	deadline_init(&sink.deadline);
	if (engine_open(&engine, &options, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_FAILURE;
	}
	puts("step pulses, 45 degrees of the axis with 42,667 steps; for comparison the "
	     "original: "
	     "p50 48 to 67 us, p99 700 to 4000 us, overspeed 6.7");
	tell_problems(engine);
	bad = measure_all(engine, &sink, "idle");
	bad += measure_loaded(engine, &sink);
	engine_close(engine);
	printf("%d passed, %d failed\n", 6 - bad, bad);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
