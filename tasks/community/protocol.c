/* Runs a community program and answers its lines. */
#include "tasks/community/protocol.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/base/utf8.h"
#include "tasks/community/rig_proxy.h"
#include "tasks/community/plugin.h"

#define PAUSE_GRACE_MS 1000 /* to write "paused" before it is frozen */
#define POLL_MS 100	    /* during the grace time, to notice a cancel */
#define QUOTE_MAX 80	    /* bytes quoted from a bad line */
#define LOG_PER_SECOND 50
#define LINES_PER_SECOND 1000
#define LINES_BURST 2000

/* A token bucket. */
struct rate_limit {
	double tokens, per_second, burst;
	int64_t at; /* when tokens was updated, monotonic ms */
};

struct protocol {
	const struct task_type *type;
	const struct task_host *host;
	struct task_run *run;
	struct process *process;
	struct work_dir *work_dir;
	struct rig_proxy rig;
	struct rate_limit lines, logged;
	int64_t freeze_at; /* the end of the grace time of a pause; 0: no pause */
	int stop;	   /* what gate() returned; 0: no stop was requested */
	bool has_result, failed;
	char code[32], text[1024]; /* why it failed */
	char stderr_text[256];	   /* the last line of standard error */
};

static bool rate_limit_take(struct rate_limit *limit)
{
	int64_t now = clock_monotonic_ms();

	limit->tokens += (double)(now - limit->at) * limit->per_second / 1000;
	if (limit->tokens > limit->burst)
		limit->tokens = limit->burst;
	limit->at = now;
	if (limit->tokens < 1)
		return false;
	limit->tokens -= 1;
	return true;
}

/* The codes that a program may fail with; any other becomes task_failed. */
static const char *allowed_code(const char *code)
{
	static const char *const known[] = {
		"task_failed",	   "invalid_args",  "hardware_fault",
		"hal_unavailable", "timeout",	    "storage_full",
		"storage_error",   "not_supported", "not_found",
		"device_busy",	   "invalid_state", "estopped",
		"schema_mismatch", "internal",	    NULL};

	for (const char *const *name = known; code && *name; name++)
		if (!strcmp(*name, code))
			return *name;
	return known[0];
}

/* Only the first reason is kept. */
static void fail(struct protocol *p, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void fail(struct protocol *p, const char *code, const char *fmt, ...)
{
	va_list args;

	if (p->failed)
		return;
	p->failed = true;
	snprintf(p->code, sizeof(p->code), "%s", code);
	va_start(args, fmt);
	vsnprintf(p->text, sizeof(p->text), fmt, args);
	va_end(args);
	utf8_trim(p->text);
}

static void fail_and_kill(struct protocol *p, const char *sentence)
{
	fail(p, "task_failed", "%s", sentence);
	process_kill(p->process);
}

/* ---- to the program ---- */

static void send_line(struct protocol *p, const char *line)
{
	if (!process_send(p->process, line))
		fail_and_kill(p, "it does not read its standard input");
}

static void send_start(struct protocol *p, const char *args)
{
	const char *saved = p->host->saved(p->run);
	char *line;

	if (asprintf(&line,
		     "{\"type\":\"start\",\"task\":\"%s\",\"id\":\"%s\",\"attempt\":%d,"
		     "\"args\":%s,"
		     "\"checkpoint\":%s}",
		     p->type->name, p->host->id(p->run), p->host->attempt(p->run), args,
		     saved ? saved : "null") < 0)
		abort(); /* out of memory */
	send_line(p, line);
	free(line);
}

/* Answers a request, if it has a number.  Frees value; err is NULL on success. */
static void answer(struct protocol *p, const cJSON *request, cJSON *value,
		   const struct err *err)
{
	const cJSON *number = cJSON_GetObjectItemCaseSensitive(request, "request");
	cJSON *line = cJSON_CreateObject();
	char *text;

	cJSON_AddStringToObject(line, "type", "answer");
	cJSON_AddItemToObject(line, "request", cJSON_Duplicate(number, true));
	cJSON_AddBoolToObject(line, "ok", !err);
	if (err) {
		cJSON_AddStringToObject(line, "code", err->code);
		cJSON_AddStringToObject(line, "message", err->text);
	}
	cJSON_AddItemToObject(line, "value", value ? value : cJSON_CreateNull());
	text = json_text(line);
	if (number)
		send_line(p, text);
	free(text);
	cJSON_Delete(line);
}

/* ---- pause and stop ---- */

static void begin_stop(struct protocol *p, int why)
{
	p->stop = why;
	p->freeze_at = 0;
	send_line(p, p->host->estopped(p->run) ? "{\"type\":\"cancel\",\"estop\":true}"
					       : "{\"type\":\"cancel\",\"estop\":false}");
	process_terminate(p->process);
}

/* Freezes the program, whether it has paused by itself or not, until the pause is over.
 */
static void freeze_until_resume(struct protocol *p)
{
	bool asked_to_pause = p->freeze_at != 0;
	int why;

	process_freeze(p->process);
	why = p->host->gate(p->run);
	process_thaw(p->process);
	p->freeze_at = 0;
	if (why != 0)
		begin_stop(p, why);
	else if (asked_to_pause)
		send_line(p, "{\"type\":\"resume\"}");
}

static void follow_request(struct protocol *p)
{
	enum task_request request = p->host->request(p->run);

	if (request == TASK_REQUEST_STOP) {
		begin_stop(p, p->host->gate(p->run));
	} else if (p->freeze_at && clock_monotonic_ms() >= p->freeze_at) {
		freeze_until_resume(p);
	} else if (request == TASK_REQUEST_PAUSE && !p->freeze_at) {
		p->freeze_at = clock_monotonic_ms() + PAUSE_GRACE_MS;
		send_line(p, "{\"type\":\"pause\"}");
	}
}

/* ---- from the program ---- */

static void on_progress(struct protocol *p, cJSON *line)
{
	p->host->progress(p->run, json_number(line, "current", 0),
			  json_number(line, "total", 0), json_string(line, "message"));
}

static void on_checkpoint(struct protocol *p, cJSON *line)
{
	const cJSON *state = cJSON_GetObjectItemCaseSensitive(line, "state");
	char *text = state ? json_text(state) : NULL;

	if (!text) {
		fail_and_kill(p, "a checkpoint of it has no state");
		return;
	}
	p->host->checkpoint(p->run, text);
	free(text);
	answer(p, line, NULL, NULL);
}

static void on_begin(struct protocol *p, cJSON *line)
{
	p->host->begin(p->run);
	answer(p, line, NULL, NULL);
}

static void on_log(struct protocol *p, cJSON *line)
{
	static const char *const levels[] = {"error", "warn", "info", "debug"};
	const char *level = json_string(line, "level"),
		   *message = json_string(line, "message");
	enum task_log chosen = TASK_LOG_INFO;

	for (int i = 0; level && i < 4; i++)
		if (!strcmp(levels[i], level))
			chosen = (enum task_log)i;
	p->host->log(p->run, chosen, message ? message : "");
}

/* The name must have a dot, and must not begin like one of the agent's own events. */
static bool is_event_name(const char *name)
{
	static const char *const ours[] = {"agent.",	"task.",   "scan.",  "project.",
					   "settings.", "device.", "queue.", "storage.",
					   "retained.", NULL};
	size_t length = name ? strlen(name) : 0;

	if (!length || length > 64 || name[0] == '.' || !strchr(name, '.') ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.") != length)
		return false;
	for (const char *const *prefix = ours; *prefix; prefix++)
		if (!strncmp(*prefix, name, strlen(*prefix)))
			return false;
	return true;
}

static void on_event(struct protocol *p, cJSON *line)
{
	const char *name = json_string(line, "name");
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(line, "data");
	char *text;

	if (!is_event_name(name)) {
		fail_and_kill(
			p, "an event of it has a name that is not like my.thing, or is "
			   "the agent's");
		return;
	}
	text = cJSON_IsObject(data) ? json_text(data) : strdup("{}");
	p->host->event(p->run, name, text);
	free(text);
}

static void on_paused(struct protocol *p, cJSON *line)
{
	(void)line;
	if (p->freeze_at)
		freeze_until_resume(p);
}

static void on_result(struct protocol *p, cJSON *line)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(line, "value");
	char *text = value ? json_text(value) : strdup("null");

	p->host->result(p->run, text);
	p->has_result = true;
	free(text);
}

static void on_error(struct protocol *p, cJSON *line)
{
	const char *message = json_string(line, "message");

	fail(p, allowed_code(json_string(line, "code")), "%s",
	     message ? message : "it did not say why");
}

/* A pause stops the rig in the middle of a request; the request continues afterwards. */
static void on_rig(struct protocol *p, cJSON *line)
{
	struct err err;
	cJSON *value = NULL;
	int ret;

	do {
		ret = rig_proxy_call(&p->rig, line,
				     p->stop ? NULL : p->host->cancel(p->run), &value,
				     &err);
		if (ret != -EINTR)
			break;
		if (p->host->request(p->run) == TASK_REQUEST_STOP)
			begin_stop(p, p->host->gate(p->run));
		else
			freeze_until_resume(p);
		err_code(&err, ret, "cancelled", "the task was stopped in the meantime");
	} while (!p->stop);
	answer(p, line, value, ret < 0 ? &err : NULL);
}

static const struct {
	const char *type;
	void (*handle)(struct protocol *p, cJSON *line);
} handlers[] = {
	{"progress", on_progress}, {"checkpoint", on_checkpoint}, {"begin", on_begin},
	{"log", on_log},	   {"event", on_event},		  {"paused", on_paused},
	{"result", on_result},	   {"error", on_error},		  {"rig", on_rig},
};

static void dispatch(struct protocol *p, cJSON *message, const char *line)
{
	const char *type = json_string(message, "type");

	for (size_t i = 0; type && i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (!strcmp(handlers[i].type, type)) {
			handlers[i].handle(p, message);
			return;
		}
	fail(p, "task_failed", "it wrote what is no message: %.*s", QUOTE_MAX, line);
	process_kill(p->process);
}

static void on_stdout_line(struct protocol *p, const char *line, size_t size)
{
	cJSON *message;
	struct err err;

	if (p->failed || size == 0)
		return;
	if (!rate_limit_take(&p->lines)) {
		fail_and_kill(p, "it wrote more than 1,000 lines a second");
		return;
	}
	message = json_parse(line, size, &err);
	if (message) {
		dispatch(p, message, line);
	} else {
		fail(p, "task_failed", "it wrote what is no message (%s)", err.text);
		process_kill(p->process);
	}
	cJSON_Delete(message);
}

static void on_stderr_line(struct protocol *p, const char *line, size_t size)
{
	if (size == 0)
		return;
	snprintf(p->stderr_text, sizeof(p->stderr_text), "%s", line);
	if (!utf8_valid(p->stderr_text, strlen(p->stderr_text)))
		utf8_trim(p->stderr_text);
	if (p->stderr_text[0] && rate_limit_take(&p->logged))
		p->host->log(p->run, TASK_LOG_INFO, p->stderr_text);
}

/* ---- the run ---- */

static void run_until_exit(struct protocol *p)
{
	const char *line;
	size_t size;

	for (;;) {
		bool cancellable = !p->stop && !p->freeze_at;
		int64_t until = p->freeze_at ? clock_monotonic_ms() + POLL_MS : -1;

		switch (process_wait(p->process,
				     cancellable ? p->host->cancel(p->run) : NULL, until,
				     &line, &size)) {
		case PROCESS_STDOUT_LINE:
			on_stdout_line(p, line, size);
			break;
		case PROCESS_STDERR_LINE:
			on_stderr_line(p, line, size);
			break;
		case PROCESS_LINE_TOO_LONG:
			fail_and_kill(p, "it wrote a line longer than 256 KiB");
			return;
		case PROCESS_CANCELLED:
		case PROCESS_TIMEOUT:
			follow_request(p);
			break;
		case PROCESS_EXITED:
			return;
		}
	}
}

/* A stopped run counts as completed only if it has already sent a result. */
static int outcome(struct protocol *p)
{
	const char *fault = process_fault(p->process);
	int ended_by = process_signal(p->process), code = process_exit_code(p->process);

	if (p->stop)
		return p->has_result ? 0 : p->stop;
	if (fault)
		fail(p, "task_failed", "%s", fault);
	else if (ended_by)
		fail(p, "task_failed", "it was ended by signal %d (%s)", ended_by,
		     strsignal(ended_by));
	else if (code && p->stderr_text[0])
		fail(p, "task_failed", "%s", p->stderr_text);
	else if (code)
		fail(p, "task_failed", "it ended with code %d", code);
	return p->failed ? p->host->fail_with(p->run, p->code, p->text) : 0;
}

static void set_up(struct protocol *p, const struct plugin *plugin)
{
	int64_t now = clock_monotonic_ms();

	p->lines = (struct rate_limit){LINES_BURST, LINES_PER_SECOND, LINES_BURST, now};
	p->logged =
		(struct rate_limit){LOG_PER_SECOND, LOG_PER_SECOND, LOG_PER_SECOND, now};
	p->rig = (struct rig_proxy){
		.rig = plugin->config->services->rig,
		.uses = p->type->uses,
		.work_dir = p->work_dir,
		.host = p->host,
		.run = p->run,
	};
}

int protocol_run(const struct task_type *type, const struct task_host *host,
		 struct task_run *run, const char *args)
{
	const struct plugin *plugin = ((const struct plugin_type *)type)->plugin;
	struct protocol p = {.type = type, .host = host, .run = run};
	struct err err;
	int ret = work_dir_open(&p.work_dir, plugin->config, host->id(run), &err);

	if (ret < 0)
		return host->fail_with(run, err.code, err.text);
	set_up(&p, plugin);
	ret = plugin_start(plugin, "run", work_dir_path(p.work_dir), host->id(run),
			   &p.process, &err);
	if (ret < 0) {
		ret = host->fail_with(run, "task_failed", err.text);
	} else {
		send_start(&p, args);
		run_until_exit(&p);
		ret = outcome(&p);
	}
	process_free(p.process);
	work_dir_close(p.work_dir, type->resumable && p.stop && ret == p.stop);
	return ret;
}
