/* The pool of worker threads. */
#include "agent/workers/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/base/log.h"
#include "agent/workers/run.h"

#define IDLE_THREADS 4
#define STACK_BYTES (512 * 1024)

struct workers {
	struct mailbox *mailbox;
	const struct task_services *services;
	struct rig_slot *rig_slot;
	struct task_host host;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t work, ended;
	/* Runs with a thread, until the loop has taken their end. */
	struct task_run *runs;
	/* Runs without a thread, the oldest first; unclaimed is their number. */
	struct task_run *waiting, **newest;
	int idle, threads, unclaimed;
	bool closing;
};

static struct event *run_command(const struct workers *workers, struct task_run *run)
{
	struct work work = {
		.services = workers->services,
		.rig_slot = workers->rig_slot,
		.cancel = &run->cancel,
		.mailbox = workers->mailbox,
		.type = run->type,
		.args = run->args,
	};
	struct event *event = run_event(run, EVENT_COMMAND_DONE);
	struct err err = {.number = 0};
	cJSON *data = NULL;
	cJSON *body = cJSON_Parse(run->args);
	int ret = run->verb->work(&work, body, &data, &err);

	event->flag = ret == 0;
	if (ret == 0) {
		event->data = data ? json_text(data) : NULL;
	} else {
		run_copy_text(event->code, sizeof(event->code),
			      ret == -EINTR ? "interrupted"
			      : err.code[0] ? err.code
					    : "internal");
		event->text = strdup(err.text[0] ? err.text : strerror(-ret));
	}
	cJSON_Delete(data);
	cJSON_Delete(body);
	return event;
}

static void *worker(void *context)
{
	struct workers *workers = context;

	pthread_mutex_lock(&workers->lock);
	for (;;) {
		struct task_run *run;
		struct event *event;

		while (!workers->waiting && !workers->closing &&
		       workers->idle < IDLE_THREADS) {
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
		pthread_mutex_unlock(&workers->lock);

		event = run->task ? run_execute(run, &workers->host)
				  : run_command(workers, run);
		mailbox_post(workers->mailbox, event);

		pthread_mutex_lock(&workers->lock);
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
		log_error("no thread could be created: the run waits for a busy one");
	pthread_attr_destroy(&attr);
}

void workers_start(struct workers *workers, const struct run_params *params)
{
	struct task_run *run = run_new(params, workers->mailbox);

	pthread_mutex_lock(&workers->lock);
	*workers->newest = run;
	workers->newest = &run->next;
	/* A thread that was signalled counts as idle until it wakes up. */
	if (++workers->unclaimed <= workers->idle)
		pthread_cond_signal(&workers->work);
	else
		worker_spawn(workers);
	pthread_mutex_unlock(&workers->lock);
}

/* With the lock held. */
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

static void workers_request(struct workers *workers, uint64_t id,
			    enum run_request request)
{
	struct task_run *run;

	pthread_mutex_lock(&workers->lock);
	run = find(workers, id);
	if (run)
		run_request(run, request);
	pthread_mutex_unlock(&workers->lock);
}

void workers_pause(struct workers *workers, uint64_t run)
{
	workers_request(workers, run, RUN_PAUSE);
}

void workers_stop(struct workers *workers, uint64_t run, bool estopped)
{
	workers_request(workers, run, estopped ? RUN_ESTOP : RUN_STOP);
}

void workers_resume(struct workers *workers, uint64_t run)
{
	workers_request(workers, run, RUN_RESUME);
}

void workers_take_event(struct workers *workers, struct event *event)
{
	struct task_run *run, **place;

	if (!event->run)
		return;
	pthread_mutex_lock(&workers->lock);
	run = find(workers, event->run);
	if (run && event->kind == EVENT_PROGRESS)
		run_fill_progress(run, event);
	if (run && event->kind == EVENT_LOG)
		run_log_taken(run);
	if (run && (event->kind == EVENT_FINISHED || event->kind == EVENT_COMMAND_DONE)) {
		for (place = &workers->runs; *place != run; place = &(*place)->next)
			;
		*place = run->next;
		run_free(run);
	}
	pthread_mutex_unlock(&workers->lock);
}

int workers_open(struct workers **out, struct mailbox *mailbox,
		 const struct task_services *services, struct rig_slot *rig_slot,
		 struct err *err)
{
	struct workers *workers = calloc(1, sizeof(*workers));
	pthread_condattr_t attr;

	if (!workers)
		return err_set(err, -ENOMEM, "out of memory");

	workers->mailbox = mailbox;
	workers->services = services;
	workers->rig_slot = rig_slot;
	workers->host = run_host(services);
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
		if (pthread_cond_timedwait(&workers->ended, &workers->lock, &until) ==
		    ETIMEDOUT)
			return false;
	return true;
}

bool workers_close(struct workers *workers, int64_t timeout_ms)
{
	bool ended;

	if (!workers)
		return true;

	pthread_mutex_lock(&workers->lock);
	workers->closing = true;
	for (struct task_run *run = workers->runs; run; run = run->next)
		run_request(run, RUN_STOP);
	for (struct task_run *run = workers->waiting; run; run = run->next)
		run_request(run, RUN_STOP);
	pthread_cond_broadcast(&workers->work);
	ended = wait_for_threads(workers, timeout_ms);
	pthread_mutex_unlock(&workers->lock);
	if (!ended)
		return false;

	run_free_all(workers->runs);
	run_free_all(workers->waiting); /* no thread could be created */
	pthread_cond_destroy(&workers->ended);
	pthread_cond_destroy(&workers->work);
	pthread_mutex_destroy(&workers->lock);
	free(workers);
	return true;
}
