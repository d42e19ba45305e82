/* Implements the host functions for a shared object by the lines of the protocol. */
#include "tasks/community/host/shared_object_run.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>

/* The only run of this process.  A second thread reads the agent's lines; everything else
 * happens on the run's thread. */
struct task_run {
	pthread_mutex_t lock; /* of standard output and the members up to answer */
	pthread_cond_t changed;
	bool paused, stopped, estopped;
	int answered;  /* the last request that was answered */
	cJSON *answer; /* to that request */

	/* The run's thread only. */
	char *id, *saved, *value;
	int attempt, requests;
	char code[32], *why; /* of the last fail_with() */
};

/* ---- to the agent ---- */

static cJSON *line_new(const char *type)
{
	cJSON *line = cJSON_CreateObject();

	cJSON_AddStringToObject(line, "type", type);
	return line;
}

static void line_send(struct task_run *run, cJSON *line)
{
	char *text = cJSON_PrintUnformatted(line);

	cJSON_Delete(line);
	if (!text)
		abort();
	pthread_mutex_lock(&run->lock);
	puts(text);
	fflush(stdout);
	pthread_mutex_unlock(&run->lock);
	free(text);
}

/* Sends a request and waits for the answer, which is valid until the next request. */
static const cJSON *line_ask(struct task_run *run, cJSON *line)
{
	int request = ++run->requests;

	cJSON_AddNumberToObject(line, "request", request);
	line_send(run, line);
	pthread_mutex_lock(&run->lock);
	while (run->answered != request)
		pthread_cond_wait(&run->changed, &run->lock);
	pthread_mutex_unlock(&run->lock);
	return run->answer;
}

static const char *member(const cJSON *line, const char *name)
{
	const char *text =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, name));

	return text ? text : "";
}

/* ---- from the agent ---- */

static void handle_line(struct task_run *run, cJSON *line)
{
	const char *type = member(line, "type");

	pthread_mutex_lock(&run->lock);
	if (!strcmp(type, "pause"))
		run->paused = true;
	if (!strcmp(type, "resume"))
		run->paused = false;
	if (!strcmp(type, "cancel")) {
		run->stopped = true;
		run->estopped =
			cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(line, "estop"));
	}
	if (!strcmp(type, "answer")) {
		const cJSON *request = cJSON_GetObjectItemCaseSensitive(line, "request");

		cJSON_Delete(run->answer);
		run->answer = line;
		run->answered = request ? request->valueint : 0;
		line = NULL;
	}
	pthread_cond_broadcast(&run->changed);
	pthread_mutex_unlock(&run->lock);
	cJSON_Delete(line);
}

static cJSON *read_line(void)
{
	char *text = NULL;
	size_t size = 0;
	cJSON *line = getline(&text, &size, stdin) > 0 ? cJSON_Parse(text) : NULL;

	free(text);
	return line;
}

/* At EOF the agent is gone. */
static void *listen(void *context)
{
	cJSON *line;

	while ((line = read_line()))
		handle_line(context, line);
	_exit(EXIT_FAILURE);
}

/* ---- the host functions ---- */

static int stop_code(struct task_run *run)
{
	pthread_mutex_lock(&run->lock);
	bool stopped = run->stopped;
	pthread_mutex_unlock(&run->lock);
	return stopped ? -ECANCELED : 0;
}

static void host_progress(struct task_run *run, double current, double total,
			  const char *message)
{
	cJSON *line = line_new("progress");

	cJSON_AddNumberToObject(line, "current", current);
	cJSON_AddNumberToObject(line, "total", total);
	if (message)
		cJSON_AddStringToObject(line, "message", message);
	line_send(run, line);
}

static int host_begin(struct task_run *run)
{
	line_ask(run, line_new("begin"));
	return stop_code(run);
}

static int host_checkpoint(struct task_run *run, const char *state)
{
	cJSON *line = line_new("checkpoint");

	cJSON_AddRawToObject(line, "state", state);
	line_ask(run, line);
	return stop_code(run);
}

static const char *host_saved(struct task_run *run)
{
	return run->saved;
}

/* Waits while paused, and until the deadline unless it is NULL.  -ECANCELED after a stop.
 */
static int wait_at_gate(struct task_run *run, const struct timespec *deadline)
{
	bool reported = false;
	int ret = 0;

	pthread_mutex_lock(&run->lock);
	while (!run->stopped && ret == 0 && (run->paused || deadline)) {
		if (deadline && !run->paused) {
			ret = pthread_cond_timedwait(&run->changed, &run->lock, deadline);
			reported = false;
			continue;
		}
		if (!reported) {
			puts("{\"type\":\"paused\"}");
			fflush(stdout);
		}
		reported = true;
		pthread_cond_wait(&run->changed, &run->lock);
	}
	ret = run->stopped ? -ECANCELED : 0;
	pthread_mutex_unlock(&run->lock);
	return ret;
}

static int host_gate(struct task_run *run)
{
	return wait_at_gate(run, NULL);
}

static int host_sleep(struct task_run *run, int64_t ms)
{
	struct timespec deadline;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += (time_t)(ms / 1000);
	deadline.tv_nsec += (long)(ms % 1000) * 1000000;
	if (deadline.tv_nsec >= 1000000000) {
		deadline.tv_nsec -= 1000000000;
		deadline.tv_sec++;
	}
	return wait_at_gate(run, &deadline);
}

static enum task_request host_request(struct task_run *run)
{
	pthread_mutex_lock(&run->lock);
	enum task_request request = run->stopped  ? TASK_REQUEST_STOP
				    : run->paused ? TASK_REQUEST_PAUSE
						  : TASK_REQUEST_NONE;
	pthread_mutex_unlock(&run->lock);
	return request;
}

static struct cancel *host_cancel(struct task_run *run)
{
	(void)run;
	return NULL;
}

static void host_log(struct task_run *run, enum task_log level, const char *text)
{
	static const char *const levels[] = {"error", "warn", "info", "debug"};
	cJSON *line = line_new("log");

	cJSON_AddStringToObject(line, "level", levels[level]);
	cJSON_AddStringToObject(line, "message", text);
	line_send(run, line);
}

static void host_result(struct task_run *run, const char *json)
{
	cJSON *line = line_new("result");

	cJSON_AddRawToObject(line, "value", json);
	line_send(run, line);
}

static int host_fail_with(struct task_run *run, const char *code, const char *text)
{
	snprintf(run->code, sizeof(run->code), "%s", code);
	free(run->why);
	run->why = strdup(text);
	return -1;
}

static void host_event(struct task_run *run, const char *name, const char *data)
{
	cJSON *line = line_new("event");

	cJSON_AddStringToObject(line, "name", name);
	cJSON_AddRawToObject(line, "data", data);
	line_send(run, line);
}

static const char *host_id(struct task_run *run)
{
	return run->id;
}

static int host_attempt(struct task_run *run)
{
	return run->attempt;
}

static bool host_estopped(struct task_run *run)
{
	pthread_mutex_lock(&run->lock);
	bool estopped = run->estopped;
	pthread_mutex_unlock(&run->lock);
	return estopped;
}

/* Not available: images are published by rig("capture"). */
static void host_image(struct task_run *run, const char *camera, const void *jpeg,
		       uint64_t size)
{
	(void)camera;
	(void)jpeg;
	(void)size;
	host_log(run, TASK_LOG_WARN, "image() is not there for shared objects");
}

static int host_rig(struct task_run *run, const char *verb, const char *members,
		    const char **answer)
{
	cJSON *line = line_new("rig"), *given = cJSON_Parse(members);
	const cJSON *stderr_text;

	cJSON_AddStringToObject(line, "verb", verb);
	while (given && given->child) {
		cJSON *one = cJSON_DetachItemViaPointer(given, given->child);

		cJSON_AddItemToObject(line, one->string, one);
	}
	cJSON_Delete(given);
	stderr_text = line_ask(run, line);
	if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(stderr_text, "ok")))
		return host_fail_with(run, member(stderr_text, "code"),
				      member(stderr_text, "message"));
	free(run->value);
	run->value = cJSON_PrintUnformatted(
		cJSON_GetObjectItemCaseSensitive(stderr_text, "value"));
	if (answer)
		*answer = run->value;
	return 0;
}

static const struct task_host task_host = {
	.version = TASK_API_VERSION,
	.size = sizeof(struct task_host),
	.progress = host_progress,
	.begin = host_begin,
	.checkpoint = host_checkpoint,
	.saved = host_saved,
	.gate = host_gate,
	.sleep = host_sleep,
	.cancel = host_cancel,
	.log = host_log,
	.result = host_result,
	.fail_with = host_fail_with,
	.event = host_event,
	.id = host_id,
	.attempt = host_attempt,
	.estopped = host_estopped,
	.image = host_image,
	.rig = host_rig,
	.request = host_request,
};

/* ---- the run ---- */

static void run_init(struct task_run *run, const cJSON *start)
{
	const cJSON *saved = cJSON_GetObjectItemCaseSensitive(start, "checkpoint");
	const cJSON *attempt = cJSON_GetObjectItemCaseSensitive(start, "attempt");
	pthread_condattr_t attr;

	pthread_mutex_init(&run->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&run->changed, &attr);
	run->id = strdup(member(start, "id"));
	run->attempt = attempt ? attempt->valueint : 1;
	if (saved && !cJSON_IsNull(saved))
		run->saved = cJSON_PrintUnformatted(saved);
}

static int work(const struct task_type *type, struct task_run *run, const char *args)
{
	struct task_problem problem = {.path = ""};
	char text[sizeof(problem.path) + sizeof(problem.sentence) + 2];
	int ret = type->check ? type->check(type, args, &problem) : 0;

	if (ret < 0) {
		snprintf(text, sizeof(text), "%s %s", problem.path, problem.sentence);
		return host_fail_with(run, "invalid_args", text);
	}
	return type->run(type, &task_host, run, args);
}

/* Turns run()'s return value into an exit code, and sends the explanation of a failure.
 */
static int finish(struct task_run *run, int ret)
{
	cJSON *line;

	if (ret == 0)
		return EXIT_SUCCESS;
	if (run->why) {
		line = line_new("error");
		cJSON_AddStringToObject(line, "code", run->code);
		cJSON_AddStringToObject(line, "message", run->why);
		line_send(run, line);
	} else if (ret < -1) {
		fprintf(stderr, "%s\n", strerror(-ret));
	}
	return EXIT_FAILURE;
}

int shared_object_run(const struct task_type *const *types)
{
	static struct task_run run;
	cJSON *start = read_line();
	const char *name = member(start, "task");
	pthread_t listener;
	char *args;

	while (*types && strcmp((*types)->name, name) != 0)
		types++;
	if (!*types) {
		fprintf(stderr, "it has no task type '%s' any more\n", name);
		return EXIT_FAILURE;
	}
	/* A cancel line asks the run to stop; SIGKILL follows if it does not. */
	signal(SIGTERM, SIG_IGN);
	run_init(&run, start);
	args = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(start, "args"));
	cJSON_Delete(start);
	if (pthread_create(&listener, NULL, listen, &run) != 0) {
		fprintf(stderr, "there is no thread to be had\n");
		return EXIT_FAILURE;
	}
	_exit(finish(&run, work(*types, &run, args)));
}
