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

#define PAUSE_GRACE_MS 1000
#define LISTEN_MS 100 /* while a pause is under way, for a cancel that overtakes it */
#define SHOWN_MAX 80  /* bytes of a line that is quoted */
#define LOGGED_A_SECOND 50
#define LINES_A_SECOND 1000
#define LINES_AT_ONCE 2000

/* So many a second, and at once as many as were saved up. */
struct allowance {
	double left, a_second, most;
	int64_t at;
};

struct conversation {
	const struct task_type *type;
	const struct task_host *host;
	struct task_run *run;
	struct process *process;
	struct work_dir *work_dir;
	struct rig_proxy rig;
	struct allowance lines, logged;
	int64_t freeze_at; /* it was asked to pause, and has until then; 0: it was not */
	int stop;	   /* what the gate said; 0: it was not asked to stop */
	bool has_result, failed;
	char code[32], text[1024]; /* why it failed */
	char said[256];		   /* its last words on standard error */
};

static bool is_allowed(struct allowance *allowance)
{
	int64_t now = clock_monotonic_ms();

	allowance->left += (double)(now - allowance->at) * allowance->a_second / 1000;
	if (allowance->left > allowance->most)
		allowance->left = allowance->most;
	allowance->at = now;
	if (allowance->left < 1)
		return false;
	allowance->left -= 1;
	return true;
}

/* Codes that a program may end with; any other is a task that failed. */
static const char *code_of(const char *code)
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

/* The first reason is the one that counts. */
static void fail(struct conversation *c, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void fail(struct conversation *c, const char *code, const char *fmt, ...)
{
	va_list args;

	if (c->failed)
		return;
	c->failed = true;
	snprintf(c->code, sizeof(c->code), "%s", code);
	va_start(args, fmt);
	vsnprintf(c->text, sizeof(c->text), fmt, args);
	va_end(args);
	utf8_trim(c->text);
}

static void break_off(struct conversation *c, const char *sentence)
{
	fail(c, "task_failed", "%s", sentence);
	process_kill(c->process);
}

/* ---- to the program ---- */

static void tell(struct conversation *c, const char *line)
{
	if (!process_tell(c->process, line))
		break_off(c, "it does not read its standard input");
}

static void tell_start(struct conversation *c, const char *args)
{
	const char *saved = c->host->saved(c->run);
	char *line;

	if (asprintf(&line,
		     "{\"type\":\"start\",\"task\":\"%s\",\"id\":\"%s\",\"attempt\":%d,"
		     "\"args\":%s,"
		     "\"checkpoint\":%s}",
		     c->type->name, c->host->id(c->run), c->host->attempt(c->run), args,
		     saved ? saved : "null") < 0)
		abort(); /* as everywhere when memory is out */
	tell(c, line);
	free(line);
}

/* To a request that has a number.  Takes value; err NULL: it is done. */
static void answer(struct conversation *c, const cJSON *request, cJSON *value,
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
		tell(c, text);
	free(text);
	cJSON_Delete(line);
}

/* ---- pause and stop ---- */

static void begin_stop(struct conversation *c, int why)
{
	c->stop = why;
	c->freeze_at = 0;
	tell(c, c->host->estopped(c->run) ? "{\"type\":\"cancel\",\"estop\":true}"
					  : "{\"type\":\"cancel\",\"estop\":false}");
	process_end(c->process);
}

/* The program stands still, whether it can pause or not, for as long as the pause lasts.
 */
static void rest(struct conversation *c)
{
	bool was_told = c->freeze_at != 0;
	int why;

	process_freeze(c->process);
	why = c->host->gate(c->run);
	process_wake(c->process);
	c->freeze_at = 0;
	if (why != 0)
		begin_stop(c, why);
	else if (was_told)
		tell(c, "{\"type\":\"resume\"}");
}

static void heed(struct conversation *c)
{
	enum task_wish wish = c->host->wish(c->run);

	if (wish == TASK_WISH_STOP) {
		begin_stop(c, c->host->gate(c->run));
	} else if (c->freeze_at && clock_monotonic_ms() >= c->freeze_at) {
		rest(c);
	} else if (wish == TASK_WISH_PAUSE && !c->freeze_at) {
		c->freeze_at = clock_monotonic_ms() + PAUSE_GRACE_MS;
		tell(c, "{\"type\":\"pause\"}");
	}
}

/* ---- from the program ---- */

static void on_progress(struct conversation *c, cJSON *line)
{
	c->host->progress(c->run, json_number(line, "current", 0),
			  json_number(line, "total", 0), json_string(line, "message"));
}

static void on_checkpoint(struct conversation *c, cJSON *line)
{
	const cJSON *state = cJSON_GetObjectItemCaseSensitive(line, "state");
	char *text = state ? json_text(state) : NULL;

	if (!text) {
		break_off(c, "a checkpoint of it has no state");
		return;
	}
	c->host->checkpoint(c->run, text);
	free(text);
	answer(c, line, NULL, NULL);
}

static void on_begin(struct conversation *c, cJSON *line)
{
	c->host->begin(c->run);
	answer(c, line, NULL, NULL);
}

static void on_log(struct conversation *c, cJSON *line)
{
	static const char *const levels[] = {"error", "warn", "info", "debug"};
	const char *level = json_string(line, "level"),
		   *message = json_string(line, "message");
	enum task_log chosen = TASK_LOG_INFO;

	for (int i = 0; level && i < 4; i++)
		if (!strcmp(levels[i], level))
			chosen = (enum task_log)i;
	c->host->log(c->run, chosen, message ? message : "");
}

/* A name with a dot, and none that the agent itself would use. */
static bool is_event(const char *name)
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

static void on_event(struct conversation *c, cJSON *line)
{
	const char *name = json_string(line, "name");
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(line, "data");
	char *text;

	if (!is_event(name)) {
		break_off(c, "an event of it has a name that is not like my.thing, or is "
			     "the agent's");
		return;
	}
	text = cJSON_IsObject(data) ? json_text(data) : strdup("{}");
	c->host->event(c->run, name, text);
	free(text);
}

static void on_paused(struct conversation *c, cJSON *line)
{
	(void)line;
	if (c->freeze_at)
		rest(c);
}

static void on_result(struct conversation *c, cJSON *line)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(line, "value");
	char *text = value ? json_text(value) : strdup("null");

	c->host->result(c->run, text);
	c->has_result = true;
	free(text);
}

static void on_error(struct conversation *c, cJSON *line)
{
	const char *message = json_string(line, "message");

	fail(c, code_of(json_string(line, "code")), "%s",
	     message ? message : "it did not say why");
}

/* A pause halts the rig in the middle of a request, and the request goes on after it. */
static void on_rig(struct conversation *c, cJSON *line)
{
	struct err err;
	cJSON *value = NULL;
	int ret;

	do {
		ret = rig_proxy_call(&c->rig, line,
				     c->stop ? NULL : c->host->cancel(c->run), &value,
				     &err);
		if (ret != -EINTR)
			break;
		if (c->host->wish(c->run) == TASK_WISH_STOP)
			begin_stop(c, c->host->gate(c->run));
		else
			rest(c);
		err_code(&err, ret, "cancelled", "the task was told to stop meanwhile");
	} while (!c->stop);
	answer(c, line, value, ret < 0 ? &err : NULL);
}

static const struct {
	const char *type;
	void (*take)(struct conversation *c, cJSON *line);
} lines[] = {
	{"progress", on_progress}, {"checkpoint", on_checkpoint}, {"begin", on_begin},
	{"log", on_log},	   {"event", on_event},		  {"paused", on_paused},
	{"result", on_result},	   {"error", on_error},		  {"rig", on_rig},
};

static void take_message(struct conversation *c, cJSON *message, const char *line)
{
	const char *type = json_string(message, "type");

	for (size_t i = 0; type && i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strcmp(lines[i].type, type)) {
			lines[i].take(c, message);
			return;
		}
	fail(c, "task_failed", "it wrote what is no message: %.*s", SHOWN_MAX, line);
	process_kill(c->process);
}

static void take_line(struct conversation *c, const char *line, size_t size)
{
	cJSON *message;
	struct err err;

	if (c->failed || size == 0)
		return;
	if (!is_allowed(&c->lines)) {
		break_off(c, "it wrote more than 1,000 lines a second");
		return;
	}
	message = json_parse(line, size, &err);
	if (message) {
		take_message(c, message, line);
	} else {
		fail(c, "task_failed", "it wrote what is no message (%s)", err.text);
		process_kill(c->process);
	}
	cJSON_Delete(message);
}

static void take_words(struct conversation *c, const char *line, size_t size)
{
	if (size == 0)
		return;
	snprintf(c->said, sizeof(c->said), "%s", line);
	if (!utf8_valid(c->said, strlen(c->said)))
		utf8_trim(c->said);
	if (c->said[0] && is_allowed(&c->logged))
		c->host->log(c->run, TASK_LOG_INFO, c->said);
}

/* ---- from beginning to end ---- */

static void talk(struct conversation *c)
{
	const char *line;
	size_t size;

	for (;;) {
		bool listens = !c->stop && !c->freeze_at;
		int64_t until = c->freeze_at ? clock_monotonic_ms() + LISTEN_MS : -1;

		switch (process_wait(c->process, listens ? c->host->cancel(c->run) : NULL,
				     until, &line, &size)) {
		case PROCESS_LINE:
			take_line(c, line, size);
			break;
		case PROCESS_SAID:
			take_words(c, line, size);
			break;
		case PROCESS_LONG:
			break_off(c, "it wrote a line longer than 256 KiB");
			return;
		case PROCESS_WOKEN:
		case PROCESS_TIME:
			heed(c);
			break;
		case PROCESS_ENDED:
			return;
		}
	}
}

/* After a stop only a result says that the work was done all the same. */
static int verdict(struct conversation *c)
{
	const char *fault = process_fault(c->process);
	int ended_by = process_signal(c->process), code = process_exit(c->process);

	if (c->stop)
		return c->has_result ? 0 : c->stop;
	if (fault)
		fail(c, "task_failed", "%s", fault);
	else if (ended_by)
		fail(c, "task_failed", "it was ended by signal %d (%s)", ended_by,
		     strsignal(ended_by));
	else if (code && c->said[0])
		fail(c, "task_failed", "%s", c->said);
	else if (code)
		fail(c, "task_failed", "it ended with code %d", code);
	return c->failed ? c->host->explain(c->run, c->code, c->text) : 0;
}

static void begin(struct conversation *c, const struct plugin *plugin)
{
	int64_t now = clock_monotonic_ms();

	c->lines = (struct allowance){LINES_AT_ONCE, LINES_A_SECOND, LINES_AT_ONCE, now};
	c->logged = (struct allowance){LOGGED_A_SECOND, LOGGED_A_SECOND, LOGGED_A_SECOND,
				       now};
	c->rig = (struct rig_proxy){
		.rig = plugin->community->services->rig,
		.uses = c->type->uses,
		.work_dir = c->work_dir,
		.host = c->host,
		.run = c->run,
	};
}

int conversation_run(const struct task_type *type, const struct task_host *host,
		     struct task_run *run, const char *args)
{
	const struct plugin *plugin = ((const struct plugin_type *)type)->plugin;
	struct conversation c = {.type = type, .host = host, .run = run};
	struct err err;
	int ret = work_dir_open(&c.work_dir, plugin->community, host->id(run), &err);

	if (ret < 0)
		return host->explain(run, err.code, err.text);
	begin(&c, plugin);
	ret = plugin_start(plugin, "run", work_dir_path(c.work_dir), host->id(run),
			   &c.process, &err);
	if (ret < 0) {
		ret = host->explain(run, "task_failed", err.text);
	} else {
		tell_start(&c, args);
		talk(&c);
		ret = verdict(&c);
	}
	process_free(c.process);
	work_dir_close(c.work_dir, type->resumable && c.stop && ret == c.stop);
	return ret;
}
