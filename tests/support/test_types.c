/* Task types that write files, wait for the test, or misbehave on purpose. */
#include "tests/support/test_types.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "agent/base/json.h"

/* Writes one line with one write(): a crash leaves all of it or nothing. */
static int append(const char *path, const char *id, long number)
{
	char line[160];
	int length = snprintf(line, sizeof(line), "%s %ld\n", id, number);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	bool whole;

	if (fd < 0)
		return -errno;
	whole = write(fd, line, (size_t)length) == length;
	return close(fd) == 0 && whole ? 0 : -EIO;
}

static int note(const struct task_host *host, struct task_run *run, const char *path,
		long number)
{
	if (append(path, host->id(run), number) < 0)
		return host->fail_with(run, "task_failed",
				       "the test's file cannot be written");
	return 0;
}

/* The number of steps that the test has allowed so far: the number in the file
 * args.up_to, 0 before it exists; unlimited without that argument. */
static double allowed(const cJSON *args)
{
	const char *path = json_string(args, "up_to");
	double steps = 0;
	FILE *file;

	if (!path)
		return INFINITY;
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%lf", &steps) != 1)
		steps = 0;
	fclose(file);
	return steps;
}

/* Waits before step i until the test allows it. */
static int hold(const struct task_host *host, struct task_run *run, const cJSON *args,
		long i)
{
	int stop = host->gate(run);

	while (stop == 0 && (double)i >= allowed(args)) {
		stop = host->sleep(run, 5);
		if (stop == 0)
			stop = host->gate(run);
	}
	return stop;
}

/* Runs the steps from first on, each with a gate, a sleep and progress. */
static int walk(const struct task_host *host, struct task_run *run, double first,
		double steps, double delay)
{
	char text[64];
	int stop;

	host->progress(run, first, steps, "walking");
	for (double i = first; i < steps; i++) {
		stop = host->gate(run);
		if (stop)
			return stop;
		stop = host->sleep(run, (int64_t)(delay * 1000));
		if (stop)
			return stop;
		snprintf(text, sizeof(text), "step %.0f of %.0f", i + 1, steps);
		host->progress(run, i + 1, steps, text);
	}
	return 0;
}

/* count_task writes one line per started attempt, so that a test can count executions. */
static int count_work(const struct task_host *host, struct task_run *run,
		      const cJSON *args)
{
	const char *file = json_string(args, "file");
	int stop = host->begin(run);

	if (stop)
		return stop;
	stop = note(host, run, file, host->attempt(run));
	if (stop)
		return stop;
	if (host->attempt(run) <= (int)json_number(args, "fail_attempts", 0))
		return host->fail_with(run, "task_failed",
				       "this attempt was told to fail");
	stop = walk(host, run, 0, json_number(args, "steps", 1),
		    json_number(args, "delay", 0));
	if (stop == 0)
		host->result(run, "\"counted\"");
	return stop;
}

/* resume_count_task writes one line per step, with a checkpoint after each. */
static int resume_count_work(const struct task_host *host, struct task_run *run,
			     const cJSON *args)
{
	const char *file = json_string(args, "file");
	const char *saved = host->saved(run);
	long steps = (long)json_number(args, "steps", 1);
	long first = saved ? strtol(saved, NULL, 10) : 0;
	char state[32];
	int stop;

	for (long i = first; i < steps; i++) {
		stop = hold(host, run, args, i);
		if (stop)
			return stop;
		if (i == (long)json_number(args, "crash_at", -1))
			raise(SIGKILL); /* ends the agent as a power cut would */
		stop = note(host, run, file, i);
		if (stop)
			return stop;
		snprintf(state, sizeof(state), "%ld", i + 1);
		stop = host->checkpoint(run, state);
		if (stop)
			return stop;
		host->progress(run, (double)(i + 1), (double)steps, "stepping");
		stop = host->sleep(run, (int64_t)(json_number(args, "delay", 0) * 1000));
		if (stop)
			return stop;
	}
	host->result(run, "\"counted\"");
	return 0;
}

/* A sleep that a request to stop does not shorten. */
static void doze(double seconds)
{
	struct timespec left = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9),
	};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* ignores_cancel_task: blocking work that checks for requests only now and then, first
 * after a step, so that a request made as soon as it runs does not meet it at a gate. */
static int ignores_cancel_work(const struct task_host *host, struct task_run *run,
			       const cJSON *args)
{
	double steps = json_number(args, "steps", 1);
	int stop = 0;

	for (double i = 0; i < steps && !stop; i++) {
		do
			doze(json_number(args, "every", 1));
		while (i >= allowed(args));
		host->progress(run, i + 1, steps, "dozing");
		stop = host->gate(run);
	}
	return stop;
}

/* result_task ends with the given result, or with text that is not JSON. */
static int result_work(const struct task_host *host, struct task_run *run,
		       const cJSON *args)
{
	char *text = json_text(cJSON_GetObjectItemCaseSensitive(args, "result"));
	const char *raw = json_string(args, "raw");

	if (raw) {
		free(text);
		host->result(run, raw);
		return 0;
	}
	if (!text)
		return host->fail_with(run, "task_failed", "there is no result");
	host->result(run, text);
	free(text);
	return 0;
}

/* talk_task repeats its text in its log, its progress and its error. */
static int talk_work(const struct task_host *host, struct task_run *run,
		     const cJSON *args)
{
	const char *text = json_string(args, "text");
	double times = json_number(args, "times", 1);
	char line[4096];

	for (double i = 1; i <= times; i++) {
		snprintf(line, sizeof(line), "%.0f %s", i, text);
		host->log(run, TASK_LOG_INFO, line);
		if (fmod(i, 16) == 0)
			doze(0.02); /* lines that come faster than they are written are
				       lost */
	}
	host->progress(run, 1, 1, text);
	return host->fail_with(run, "task_failed", text);
}

/* secret_task and needs_task: only their arguments matter. */
static int plain_work(const struct task_host *host, struct task_run *run,
		      const cJSON *args)
{
	return walk(host, run, 0, json_number(args, "steps", 1),
		    json_number(args, "delay", 0));
}

typedef int work_function(const struct task_host *host, struct task_run *run,
			  const cJSON *args);

static int with_args(work_function *work, const struct task_host *host,
		     struct task_run *run, const char *text)
{
	cJSON *args = cJSON_Parse(text);
	int ret = args ? work(host, run, args)
		       : host->fail_with(run, "internal", "the arguments are not JSON");

	cJSON_Delete(args);
	return ret;
}

#define RUN(noun)                                                                        \
	static int noun##_run(const struct task_type *type,                              \
			      const struct task_host *host, struct task_run *run,        \
			      const char *args)                                          \
	{                                                                                \
		(void)type;                                                              \
		return with_args(noun##_work, host, run, args);                          \
	}

RUN(count)
RUN(resume_count)
RUN(ignores_cancel)
RUN(result)
RUN(talk)
RUN(plain)

#define STEPS                                                                            \
	"\"steps\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":100000,\"default\":"  \
	"1},"
#define DELAY                                                                            \
	"\"delay\":{\"type\":\"number\",\"minimum\":0,\"maximum\":3600,\"default\":0}"
#define WALK STEPS DELAY
#define UP_TO "\"up_to\":{\"type\":\"string\"},"
#define FILE_ARG "\"file\":{\"type\":\"string\",\"minLength\":1},"
#define OBJECT(properties)                                                               \
	"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":"            \
	"{" properties "}"

static const struct task_type count_type = {
	.name = "count_task",
	.title = "Counts its attempts",
	.category = "test",
	.args = OBJECT(FILE_ARG WALK ",\"fail_attempts\":{\"type\":\"integer\","
				     "\"default\":0}") ",\"required\":[\"file\"]}",
	.run = count_run,
};

static const struct task_type resume_count_type = {
	.name = "resume_count_task",
	.title = "Counts its steps",
	.category = "test",
	.resumable = true,
	.args = OBJECT(FILE_ARG UP_TO WALK
		       ",\"crash_at\":{\"type\":\"integer\",\"default\":-"
		       "1}") ",\"required\":[\"file\"]}",
	.run = resume_count_run,
};

static const struct task_type ignores_cancel_type = {
	.name = "ignores_cancel_task",
	.title = "Looks up only now and then",
	.category = "test",
	.is_blocking = true,
	.args = OBJECT(STEPS UP_TO
		       "\"every\":{\"type\":\"number\",\"minimum\":0,\"default\":1}") "}",
	.run = ignores_cancel_run,
};

static const struct task_type secret_type = {
	.name = "secret_task",
	.title = "Has an argument that nobody may see",
	.category = "test",
	.args = OBJECT("\"token\":{\"type\":\"string\",\"writeOnly\":true}," WALK) "}",
	.run = plain_run,
};

static const struct task_type result_type = {
	.name = "result_task",
	.title = "Ends with the given result",
	.category = "test",
	.args = OBJECT("\"result\":{},\"raw\":{\"type\":\"string\"}") "}",
	.run = result_run,
};

static const struct task_type talk_type = {
	.name = "talk_task",
	.title = "Talks and fails",
	.category = "test",
	.args = OBJECT(
		"\"text\":{\"type\":\"string\",\"default\":\"\"},"
		"\"times\":{\"type\":\"integer\",\"minimum\":0,\"default\":1}") "}",
	.run = talk_run,
};

static const struct task_type needs_type = {
	.name = "needs_task",
	.title = "Needs a folder and a note",
	.category = "test",
	.args = OBJECT("\"folder\":{\"type\":\"string\"},\"note\":{\"type\":\"string\"}"
		       "," WALK) ",\"required\":[\"folder\",\"note\"]}",
	.run = plain_run,
};

static const struct task_type device_type = {
	.name = "device_task",
	.title = "Holds the lights",
	.category = "test",
	.uses = (const char *const[]){"light", NULL},
	.args = OBJECT(WALK) "}",
	.run = plain_run,
};

static const struct task_type motor_type = {
	.name = "motor_task",
	.title = "Holds the motors",
	.category = "test",
	.uses = (const char *const[]){"motor", NULL},
	.args = OBJECT(WALK) "}",
	.run = plain_run,
};

const struct type_offer test_types[] = {
	{"community", &count_type},	     {"community", &resume_count_type},
	{"community", &ignores_cancel_type}, {"community", &secret_type},
	{"community", &result_type},	     {"community", &talk_type},
	{"community", &needs_type},	     {"community", &device_type},
	{"community", &motor_type},	     {NULL, NULL},
};
