#include "agent/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/base/clock.h"
#include "agent/base/interrupt.h"
#include "agent/base/json.h"
#include "agent/base/log.h"
#include "agent/deed.h"
#include "agent/waiter.h"

#define IDLE_THREADS 4
#define STACK_BYTES (512 * 1024)
#define LOG_LINES_WAITING 64
#define MESSAGE_BYTES 257
#define ERROR_BYTES 1024

/* One run.  Made by the loop, worked on by one thread, freed by the loop when it has taken the
 * event that ends it. */
struct task_run {
	uint64_t id;
	struct workers *workers;
	const struct registered_type *type;
	char *task, *verb, *args, *saved;
	int attempt;
	struct interrupt interrupt;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	bool pause, stop, estopped, held;
	bool posted; /* a progress event is on its way */
	double current, total;
	char message[MESSAGE_BYTES];
	int log_lines, log_dropped;

	/* the run's thread alone */
	char *result;
	char code[32];
	char *text;

	struct task_run *next;
};

struct workers {
	struct mailbox *mailbox;
	const struct task_services *services;
	struct seat *seat;
	struct task_host host;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t work, ended;
	struct task_run *runs;              /* all that the loop has not let go of */
	struct task_run *waiting, **newest; /* started, no thread yet; linked by queue_next */
	int idle, threads, busy, unclaimed; /* unclaimed: how many are waiting */
	bool closing;
};

/* ---- what a run tells ---- */

static struct event *run_event(const struct task_run *run, enum event_kind kind)
{
	struct event *event = event_new(kind);

	if (!event)
		abort(); /* without memory nothing can be promised: start again */
	event->run = run->id;
	return event;
}

static void copy_text(char *place, size_t size, const char *text)
{
	size_t length = strnlen(text, size - 1);

	/* Not in the middle of a UTF-8 sequence. */
	while (length && text[length] && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	memcpy(place, text, length);
	place[length] = '\0';
}

static void host_progress(struct task_run *run, double current, double total, const char *message)
{
	bool post;

	pthread_mutex_lock(&run->lock);
	run->current = current;
	run->total = total;
	if (message)
		copy_text(run->message, sizeof(run->message), message);
	post = !run->posted;
	run->posted = true;
	pthread_mutex_unlock(&run->lock);
	if (post)
		mailbox_post(run->workers->mailbox, run_event(run, EVENT_PROGRESS));
}

static int run_stopped(struct task_run *run)
{
	pthread_mutex_lock(&run->lock);
	bool stop = run->stop;
	pthread_mutex_unlock(&run->lock);
	return stop ? -ECANCELED : 0;
}

/* Posts and returns when the loop has committed it. */
static int run_post_and_wait(struct task_run *run, struct event *event)
{
	struct waiter waiter;

	waiter_init(&waiter);
	event->waiter = &waiter;
	mailbox_post(run->workers->mailbox, event);
	waiter_wait(&waiter, -1);
	waiter_destroy(&waiter);
	return run_stopped(run);
}

static int host_begin(struct task_run *run)
{
	return run_post_and_wait(run, run_event(run, EVENT_BEGAN));
}

static int host_checkpoint(struct task_run *run, const char *state)
{
	struct event *event = run_event(run, EVENT_CHECKPOINT);

	event->text = strdup(state);
	if (!event->text)
		abort();
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
		if (!run->held) {
			run->held = true;
			mailbox_post(run->workers->mailbox, run_event(run, EVENT_HELD));
		}
		pthread_cond_wait(&run->changed, &run->lock);
	}
	run->held = false;
	ret = run->stop ? -ECANCELED : 0;
	pthread_mutex_unlock(&run->lock);
	return ret;
}

static enum task_wish host_wish(struct task_run *run)
{
	pthread_mutex_lock(&run->lock);
	enum task_wish wish = run->stop	   ? TASK_WISH_STOP
			      : run->pause ? TASK_WISH_PAUSE
					   : TASK_WISH_GO_ON;
	pthread_mutex_unlock(&run->lock);
	return wish;
}

static int host_sleep(struct task_run *run, int64_t ms)
{
	int64_t deadline = clock_monotonic_ns() + ms * 1000000;
	int ret = host_gate(run);

	while (ret == 0 && interrupt_wait_until(&run->interrupt, deadline))
		ret = host_gate(run);
	return ret;
}

static struct interrupt *host_interrupt(struct task_run *run)
{
	return &run->interrupt;
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
		snprintf(dropped, sizeof(dropped), "(%d lines before this one were dropped) ",
			 run->log_dropped);
		run->log_dropped = 0;
	}
	pthread_mutex_unlock(&run->lock);
	if (full)
		return;

	event = run_event(run, EVENT_LOG);
	event->number = level;
	copy_text(kept, sizeof(kept), text);
	if (asprintf(&event->text, "%s%s", dropped, kept) < 0)
		abort();
	mailbox_post(run->workers->mailbox, event);
}

static void host_result(struct task_run *run, const char *json)
{
	free(run->result);
	run->result = strdup(json);
}

static int host_explain(struct task_run *run, const char *code, const char *text)
{
	char kept[ERROR_BYTES + 1];

	copy_text(run->code, sizeof(run->code), code);
	copy_text(kept, sizeof(kept), text);
	free(run->text);
	run->text = strdup(kept);
	return -1;
}

static void host_event(struct task_run *run, const char *name, const char *data)
{
	struct event *event = run_event(run, EVENT_HAPPENED);

	event->topic = strdup(name);
	event->text = strdup(data);
	if (!event->topic || !event->text)
		abort();
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

static void post_image(void *context, const char *camera, const void *jpeg, size_t size)
{
	struct workers *workers = context;
	struct event *event = event_new(EVENT_IMAGE);

	if (!event || asprintf(&event->topic, "camera/%s/image", camera) < 0 ||
	    event_set_data(event, jpeg, size) < 0)
		abort();
	mailbox_post(workers->mailbox, event);
}

static void post_types(void *context, struct catalog *catalog)
{
	struct workers *workers = context;
	struct event *event = event_new(EVENT_TYPES);

	if (!event)
		abort();
	event->catalog = catalog;
	mailbox_post(workers->mailbox, event);
}

static void host_image(struct task_run *run, const char *camera, const void *jpeg, uint64_t size)
{
	post_image(run->workers, camera, jpeg, (size_t)size);
}

/* ---- a run from its start to its end ---- */

static enum outcome run_outcome(struct task_run *run, int ret)
{
	struct err err;
	cJSON *result;

	if (ret == -1 || (ret < 0 && run->code[0]))
		return OUTCOME_FAILED;
	if (ret < 0) {
		if (run_stopped(run) < 0)
			return OUTCOME_STOPPED;
		host_explain(run, "task_failed", strerror(-ret));
		return OUTCOME_FAILED;
	}
	if (!run->result)
		return OUTCOME_DONE;
	result = json_parse(run->result, strlen(run->result), &err);
	cJSON_Delete(result);
	if (result)
		return OUTCOME_DONE;
	host_explain(run, "internal", "the task's result is not JSON");
	return OUTCOME_FAILED;
}

static struct event *run_task(struct task_run *run)
{
	const struct task_type *type = run->type->type;
	int ret = type->run(type, &run->workers->host, run, run->args);
	struct event *event = run_event(run, EVENT_FINISHED);

	event->outcome = run_outcome(run, ret);
	copy_text(event->code, sizeof(event->code), run->code);
	event->text = run->text;
	event->data = run->result;
	run->text = NULL;
	run->result = NULL;
	return event;
}

static struct event *run_act(struct task_run *run)
{
	struct deed deed = {
		.services = run->workers->services,
		.seat = run->workers->seat,
		.interrupt = &run->interrupt,
		.type = run->type,
		.image = post_image,
		.types = post_types,
		.context = run->workers,
	};
	struct event *event = run_event(run, EVENT_ACT_DONE);
	struct err err = {.number = 0};
	cJSON *data = NULL;
	int ret = deed_do(&deed, run->verb, run->args, &data, &err);

	event->flag = ret == 0;
	if (ret == 0) {
		event->data = data ? json_text(data) : NULL;
	} else {
		copy_text(event->code, sizeof(event->code),
			  ret == -EINTR ? "interrupted" : err.code[0] ? err.code : "internal");
		event->text = strdup(err.text[0] ? err.text : strerror(-ret));
	}
	cJSON_Delete(data);
	return event;
}

static void *worker(void *context)
{
	struct workers *workers = context;

	pthread_mutex_lock(&workers->lock);
	for (;;) {
		struct task_run *run;
		struct event *event;

		while (!workers->waiting && !workers->closing && workers->idle < IDLE_THREADS) {
			workers->idle++;
			pthread_cond_wait(&workers->work, &workers->lock);
			workers->idle--;
		}
		run = workers->waiting;
		if (!run)
			break;
		workers->waiting = run->next;
		workers->unclaimed--;
		if (!workers->waiting)
			workers->newest = &workers->waiting;
		run->next = workers->runs;
		workers->runs = run;
		workers->busy++;
		pthread_mutex_unlock(&workers->lock);

		event = run->task ? run_task(run) : run_act(run);
		mailbox_post(workers->mailbox, event);

		pthread_mutex_lock(&workers->lock);
		workers->busy--;
		pthread_cond_broadcast(&workers->ended);
	}
	workers->threads--;
	pthread_cond_broadcast(&workers->ended);
	pthread_mutex_unlock(&workers->lock);
	return NULL;
}

static void worker_spawn(struct workers *workers)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, worker, workers) == 0)
		workers->threads++;
	else
		log_error("no thread for a task: it waits for one that is busy");
	pthread_attr_destroy(&attr);
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static void run_free(struct task_run *run)
{
	interrupt_destroy(&run->interrupt);
	pthread_cond_destroy(&run->changed);
	pthread_mutex_destroy(&run->lock);
	free(run->task);
	free(run->verb);
	free(run->args);
	free(run->saved);
	free(run->result);
	free(run->text);
	free(run);
}

void workers_start(struct workers *workers, const struct run_order *order)
{
	struct task_run *run = calloc(1, sizeof(*run));

	if (!run)
		abort();
	run->id = order->run;
	run->workers = workers;
	run->type = order->type;
	run->task = copy(order->task);
	run->verb = copy(order->verb);
	run->args = copy(order->args);
	run->saved = copy(order->saved);
	run->attempt = order->attempt;
	interrupt_init(&run->interrupt);
	pthread_mutex_init(&run->lock, NULL);
	pthread_cond_init(&run->changed, NULL);

	pthread_mutex_lock(&workers->lock);
	*workers->newest = run;
	workers->newest = &run->next;
	/* An idle thread that was called for another run stays idle until it wakes up. */
	if (++workers->unclaimed <= workers->idle)
		pthread_cond_signal(&workers->work);
	else
		worker_spawn(workers);
	pthread_mutex_unlock(&workers->lock);
}

/* Under the workers' lock. */
static struct task_run *find(struct workers *workers, uint64_t id)
{
	for (struct task_run *run = workers->waiting; run; run = run->next)
		if (run->id == id)
			return run;
	for (struct task_run *run = workers->runs; run; run = run->next)
		if (run->id == id)
			return run;
	return NULL;
}

enum ask { ASK_PAUSE, ASK_STOP, ASK_ESTOP, ASK_GO_ON };

static void run_ask(struct task_run *run, enum ask ask)
{
	pthread_mutex_lock(&run->lock);
	if (ask == ASK_PAUSE)
		run->pause = true;
	if (ask == ASK_GO_ON) {
		run->pause = false;
		/* A pause that follows before the run has woken up is told anew. */
		run->held = false;
	}
	if (ask == ASK_STOP || ask == ASK_ESTOP)
		run->stop = true;
	if (ask == ASK_ESTOP)
		run->estopped = true;
	if (run->pause || run->stop)
		interrupt_raise(&run->interrupt);
	else
		interrupt_lower(&run->interrupt);
	pthread_cond_broadcast(&run->changed);
	pthread_mutex_unlock(&run->lock);
}

static void workers_ask(struct workers *workers, uint64_t id, enum ask ask)
{
	struct task_run *run;

	pthread_mutex_lock(&workers->lock);
	run = find(workers, id);
	if (run)
		run_ask(run, ask);
	pthread_mutex_unlock(&workers->lock);
}

void workers_pause(struct workers *workers, uint64_t run)
{
	workers_ask(workers, run, ASK_PAUSE);
}

void workers_stop(struct workers *workers, uint64_t run, bool estopped)
{
	workers_ask(workers, run, estopped ? ASK_ESTOP : ASK_STOP);
}

void workers_go_on(struct workers *workers, uint64_t run)
{
	workers_ask(workers, run, ASK_GO_ON);
}

/* ---- the loop's side ---- */

static void see_progress(struct task_run *run, struct event *event)
{
	pthread_mutex_lock(&run->lock);
	run->posted = false;
	event->current = run->current;
	event->total = run->total;
	event->text = strdup(run->message);
	pthread_mutex_unlock(&run->lock);
}

static void see_log(struct task_run *run)
{
	pthread_mutex_lock(&run->lock);
	run->log_lines--;
	pthread_mutex_unlock(&run->lock);
}

void workers_see(struct workers *workers, struct event *event)
{
	struct task_run *run, **place;

	if (!event->run)
		return;
	pthread_mutex_lock(&workers->lock);
	run = find(workers, event->run);
	if (run && event->kind == EVENT_PROGRESS)
		see_progress(run, event);
	if (run && event->kind == EVENT_LOG)
		see_log(run);
	if (run && (event->kind == EVENT_FINISHED || event->kind == EVENT_ACT_DONE)) {
		for (place = &workers->runs; *place != run; place = &(*place)->next)
			;
		*place = run->next;
		run_free(run);
	}
	pthread_mutex_unlock(&workers->lock);
}

int workers_open(struct workers **out, struct mailbox *mailbox,
		 const struct task_services *services, struct seat *seat, struct err *err)
{
	struct workers *workers = calloc(1, sizeof(*workers));
	pthread_condattr_t attr;

	if (!workers)
		return err_set(err, -ENOMEM, "out of memory");

	workers->mailbox = mailbox;
	workers->services = services;
	workers->seat = seat;
	workers->host = (struct task_host){
		.version = TASK_API_VERSION,
		.size = sizeof(struct task_host),
		.progress = host_progress,
		.begin = host_begin,
		.checkpoint = host_checkpoint,
		.saved = host_saved,
		.gate = host_gate,
		.sleep = host_sleep,
		.interrupt = host_interrupt,
		.log = host_log,
		.result = host_result,
		.explain = host_explain,
		.event = host_event,
		.id = host_id,
		.attempt = host_attempt,
		.estopped = host_estopped,
		.image = host_image,
		.services = services,
		.wish = host_wish,
	};
	workers->newest = &workers->waiting;
	pthread_mutex_init(&workers->lock, NULL);
	pthread_cond_init(&workers->work, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&workers->ended, &attr);
	pthread_condattr_destroy(&attr);
	*out = workers;
	return 0;
}

static bool wait_for_threads(struct workers *workers, int64_t timeout_ms)
{
	int64_t deadline = clock_monotonic_ms() + timeout_ms;
	struct timespec until = {
		.tv_sec = (time_t)(deadline / 1000),
		.tv_nsec = (long)(deadline % 1000) * 1000000,
	};

	while (workers->threads)
		if (pthread_cond_timedwait(&workers->ended, &workers->lock, &until) == ETIMEDOUT)
			return false;
	return true;
}

static void runs_free(struct task_run *run)
{
	while (run) {
		struct task_run *next = run->next;

		run_free(run);
		run = next;
	}
}

bool workers_close(struct workers *workers, int64_t timeout_ms)
{
	bool ended;

	if (!workers)
		return true;

	pthread_mutex_lock(&workers->lock);
	workers->closing = true;
	for (struct task_run *run = workers->runs; run; run = run->next)
		run_ask(run, ASK_STOP);
	for (struct task_run *run = workers->waiting; run; run = run->next)
		run_ask(run, ASK_STOP);
	pthread_cond_broadcast(&workers->work);
	ended = wait_for_threads(workers, timeout_ms);
	pthread_mutex_unlock(&workers->lock);
	if (!ended)
		return false;

	runs_free(workers->runs);
	runs_free(workers->waiting); /* there was no thread to be had */
	pthread_cond_destroy(&workers->ended);
	pthread_cond_destroy(&workers->work);
	pthread_mutex_destroy(&workers->lock);
	free(workers);
	return true;
}
