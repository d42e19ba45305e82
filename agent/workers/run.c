/* A run, from its parameters to the event that ends it. */
#include "agent/workers/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/workers/completion.h"

#define LOG_LINES_WAITING 64
#define ERROR_BYTES 1024

/* ---- the functions of the host ---- */

struct event *run_event(const struct task_run *run, enum event_kind kind)
{
	struct event *event = event_new(kind);

	event->run = run->id;
	return event;
}

static char *copy(const char *text)
{
	char *copied = text ? strdup(text) : NULL;

	if (text && !copied)
		abort();
	return copied;
}

void run_copy_text(char *place, size_t size, const char *text)
{
	size_t length = strnlen(text, size - 1);

	/* Never in the middle of a UTF-8 sequence. */
	while (length && text[length] && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	memcpy(place, text, length);
	place[length] = '\0';
}

static void host_progress(struct task_run *run, double current, double total,
			  const char *message)
{
	bool post;

	pthread_mutex_lock(&run->lock);
	run->current = current;
	run->total = total;
	if (message)
		run_copy_text(run->message, sizeof(run->message), message);
	post = !run->posted;
	run->posted = true;
	pthread_mutex_unlock(&run->lock);
	if (post)
		mailbox_post(run->mailbox, run_event(run, EVENT_PROGRESS));
}

static int run_stopped(struct task_run *run)
{
	pthread_mutex_lock(&run->lock);
	bool stop = run->stop;
	pthread_mutex_unlock(&run->lock);
	return stop ? -ECANCELED : 0;
}

/* Posts the event, and returns once the loop has committed it. */
static int run_post_and_wait(struct task_run *run, struct event *event)
{
	struct completion completion;

	completion_init(&completion);
	event->completion = &completion;
	mailbox_post(run->mailbox, event);
	completion_wait(&completion, -1);
	completion_destroy(&completion);
	return run_stopped(run);
}

static int host_begin(struct task_run *run)
{
	return run_post_and_wait(run, run_event(run, EVENT_BEGIN));
}

static int host_checkpoint(struct task_run *run, const char *state)
{
	struct event *event = run_event(run, EVENT_CHECKPOINT);

	event->text = copy(state);
	return run_post_and_wait(run, event);
}

static const char *host_saved(struct task_run *run)
{
	return run->saved;
}

static int host_gate(struct task_run *run)
{
	int ret;

	pthread_mutex_lock(&run->lock);
	while (run->pause && !run->stop) {
		if (!run->parked) {
			run->parked = true;
			mailbox_post(run->mailbox, run_event(run, EVENT_PARKED));
		}
		pthread_cond_wait(&run->changed, &run->lock);
	}
	run->parked = false;
	ret = run->stop ? -ECANCELED : 0;
	pthread_mutex_unlock(&run->lock);
	return ret;
}

static enum task_request host_request(struct task_run *run)
{
	pthread_mutex_lock(&run->lock);
	enum task_request request = run->stop	 ? TASK_REQUEST_STOP
				    : run->pause ? TASK_REQUEST_PAUSE
						 : TASK_REQUEST_NONE;
	pthread_mutex_unlock(&run->lock);
	return request;
}

static int host_sleep(struct task_run *run, int64_t ms)
{
	int64_t deadline = clock_monotonic_ns() + ms * 1000000;
	int ret = host_gate(run);

	while (ret == 0 && cancel_wait_until(&run->cancel, deadline))
		ret = host_gate(run);
	return ret;
}

static struct cancel *host_cancel(struct task_run *run)
{
	return &run->cancel;
}

static void host_log(struct task_run *run, enum task_log level, const char *text)
{
	struct event *event;
	char dropped[64] = "";
	char kept[ERROR_BYTES + 1];

	pthread_mutex_lock(&run->lock);
	bool full = run->log_lines >= LOG_LINES_WAITING;
	if (full)
		run->log_dropped++;
	else
		run->log_lines++;
	if (!full && run->log_dropped) {
		snprintf(dropped, sizeof(dropped),
			 "(%d lines before this one were dropped) ", run->log_dropped);
		run->log_dropped = 0;
	}
	pthread_mutex_unlock(&run->lock);
	if (full)
		return;

	event = run_event(run, EVENT_LOG);
	event->number = level;
	run_copy_text(kept, sizeof(kept), text);
	if (asprintf(&event->text, "%s%s", dropped, kept) < 0)
		abort();
	mailbox_post(run->mailbox, event);
}

static void host_result(struct task_run *run, const char *json)
{
	free(run->result);
	run->result = copy(json);
}

static int host_fail_with(struct task_run *run, const char *code, const char *text)
{
	char kept[ERROR_BYTES + 1];

	run_copy_text(run->code, sizeof(run->code), code);
	run_copy_text(kept, sizeof(kept), text);
	free(run->text);
	run->text = copy(kept);
	return -1;
}

static void host_event(struct task_run *run, const char *name, const char *data)
{
	struct event *event = run_event(run, EVENT_EMIT);

	event->topic = copy(name);
	event->text = copy(data);
	run_post_and_wait(run, event);
}

static const char *host_id(struct task_run *run)
{
	return run->task;
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

static void host_image(struct task_run *run, const char *camera, const void *jpeg,
		       uint64_t size)
{
	mailbox_post(run->mailbox, event_image(camera, jpeg, (size_t)size));
}

struct task_host run_host(const struct task_services *services)
{
	return (struct task_host){
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
		.services = services,
		.request = host_request,
	};
}

/* ---- executing a task ---- */

static enum outcome run_outcome(struct task_run *run, int ret)
{
	struct err err;
	cJSON *result;

	if (ret == -1 || (ret < 0 && run->code[0]))
		return OUTCOME_FAILED;
	if (ret < 0) {
		if (run_stopped(run) < 0)
			return OUTCOME_STOPPED;
		host_fail_with(run, "task_failed", strerror(-ret));
		return OUTCOME_FAILED;
	}
	if (!run->result)
		return OUTCOME_DONE;
	result = json_parse(run->result, strlen(run->result), &err);
	cJSON_Delete(result);
	if (result)
		return OUTCOME_DONE;
	host_fail_with(run, "internal", "the task's result is not JSON");
	return OUTCOME_FAILED;
}

struct event *run_execute(struct task_run *run, const struct task_host *host)
{
	const struct task_type *type = run->type->type;
	int ret = type->run(type, host, run, run->args);
	struct event *event = run_event(run, EVENT_FINISHED);

	event->outcome = run_outcome(run, ret);
	run_copy_text(event->code, sizeof(event->code), run->code);
	event->text = run->text;
	event->data = run->result;
	run->text = NULL;
	run->result = NULL;
	return event;
}

/* ---- requests ---- */

void run_request(struct task_run *run, enum run_request request)
{
	pthread_mutex_lock(&run->lock);
	if (request == RUN_PAUSE)
		run->pause = true;
	if (request == RUN_RESUME) {
		run->pause = false;
		/* A new pause is reported again, even if the run has not woken up yet. */
		run->parked = false;
	}
	if (request == RUN_STOP || request == RUN_ESTOP)
		run->stop = true;
	if (request == RUN_ESTOP)
		run->estopped = true;
	if (run->pause || run->stop)
		cancel_request(&run->cancel);
	else
		cancel_reset(&run->cancel);
	pthread_cond_broadcast(&run->changed);
	pthread_mutex_unlock(&run->lock);
}

void run_fill_progress(struct task_run *run, struct event *event)
{
	pthread_mutex_lock(&run->lock);
	run->posted = false;
	event->current = run->current;
	event->total = run->total;
	event->text = copy(run->message);
	pthread_mutex_unlock(&run->lock);
}

void run_log_taken(struct task_run *run)
{
	pthread_mutex_lock(&run->lock);
	run->log_lines--;
	pthread_mutex_unlock(&run->lock);
}

/* ---- making and freeing ---- */

struct task_run *run_new(const struct run_params *params, struct mailbox *mailbox)
{
	struct task_run *run = calloc(1, sizeof(*run));

	if (!run)
		abort(); /* see effects_add() */
	run->id = params->run;
	run->mailbox = mailbox;
	run->type = params->type;
	run->task = copy(params->task);
	run->verb = params->verb;
	run->args = copy(params->args);
	run->saved = copy(params->saved);
	run->attempt = params->attempt;
	cancel_init(&run->cancel);
	pthread_mutex_init(&run->lock, NULL);
	pthread_cond_init(&run->changed, NULL);
	return run;
}

void run_free(struct task_run *run)
{
	cancel_destroy(&run->cancel);
	pthread_cond_destroy(&run->changed);
	pthread_mutex_destroy(&run->lock);
	free(run->task);
	free(run->args);
	free(run->saved);
	free(run->result);
	free(run->text);
	free(run);
}

void run_free_all(struct task_run *run)
{
	while (run) {
		struct task_run *next = run->next;

		run_free(run);
		run = next;
	}
}
