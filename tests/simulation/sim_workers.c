/* The simulated workers: each step of a run or direct command is an event. */
#include "tests/simulation/sim_workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/model/verb.h"
#include "tests/simulation/sim_fs.h"
#include "tests/simulation/sim_types.h"
#include "tests/simulation/trace.h"

#define STUCK 100

void sim_workers_init(struct sim_workers *workers, struct sim_mailbox *mailbox)
{
	workers->count = 0;
	workers->mailbox = mailbox;
	workers->estopped = false;
}

struct sim_worker *sim_workers_start(struct sim_workers *workers,
				     const struct effect *effect, struct prng *prng)
{
	static const int patience[] = {0, 0, 0, 50, 95};
	bool stuck = prng_below(prng, 1000) < workers->stuck;
	int place = 0;
	struct sim_worker *worker;

	while (place < workers->count && workers->workers[place].run)
		place++;
	if (place == SIM_WORKERS_MAX)
		abort(); /* more runs than live tasks and commands */
	if (place == workers->count)
		workers->count++;
	worker = &workers->workers[place];
	*worker = (struct sim_worker){
		.run = effect->run,
		.command = effect->kind == EFFECT_COMMAND,
		.type = -1,
		.patience = stuck ? STUCK : patience[prng_below(prng, 5)],
	};
	snprintf(worker->id, sizeof(worker->id), "%s",
		 worker->command ? effect->verb->name : effect->name);
	if (worker->command) {
		worker->claim =
			effect->type ? 0 : sim_verb_claim(worker->id, effect->text);
		return worker;
	}
	worker->type = sim_type_index(effect->type->type->name);
	worker->claim = sim_type_claim(worker->type);
	snprintf(worker->saved, sizeof(worker->saved), "%s",
		 effect->more ? effect->more : "");
	if (effect->more)
		sscanf(effect->more, "{\"step\":%d}", &worker->step);
	return worker;
}

struct sim_worker *sim_workers_find(struct sim_workers *workers, uint64_t run)
{
	for (int i = 0; i < workers->count; i++)
		if (workers->workers[i].run == run && !workers->workers[i].over)
			return &workers->workers[i];
	return NULL;
}

struct sim_worker *sim_workers_find_task(struct sim_workers *workers, const char *task)
{
	for (int i = 0; i < workers->count; i++) {
		struct sim_worker *worker = &workers->workers[i];

		if (!worker->command && !worker->over && !strcmp(worker->id, task))
			return worker;
	}
	return NULL;
}

/* As with the real workers, a run that does not exist (any more, or yet) is ignored. */
void sim_workers_pause(struct sim_workers *workers, uint64_t run)
{
	struct sim_worker *worker = sim_workers_find(workers, run);

	if (worker)
		worker->pause = true;
}

void sim_workers_stop(struct sim_workers *workers, uint64_t run, bool estopped)
{
	struct sim_worker *worker = sim_workers_find(workers, run);

	if (!worker)
		return;
	worker->stop = true;
	worker->estopped |= estopped;
}

void sim_workers_resume(struct sim_workers *workers, uint64_t run)
{
	struct sim_worker *worker = sim_workers_find(workers, run);

	if (!worker)
		return;
	worker->pause = false;
	worker->parked = false;
}

bool sim_workers_release(struct sim_workers *workers, const struct completion *completion)
{
	for (int i = 0; i < workers->count; i++) {
		struct sim_worker *worker = &workers->workers[i];

		if (&worker->completion != completion)
			continue;
		worker->waits = false;
		worker->saves = false;
		return true;
	}
	return false;
}

static struct event *say(struct sim_workers *workers, const struct sim_worker *worker,
			 enum event_kind kind)
{
	struct event *event = sim_mailbox_post(workers->mailbox, kind);

	event->run = worker->run;
	return event;
}

/* ---- ends ---- */

static void finish(struct sim_workers *workers, struct sim_worker *worker,
		   enum outcome outcome, const char *code)
{
	struct event *event = say(workers, worker,
				  worker->command ? EVENT_COMMAND_DONE : EVENT_FINISHED);

	worker->over = true;
	event->outcome = outcome;
	event->flag = outcome == OUTCOME_DONE;
	snprintf(event->code, sizeof(event->code), "%s", code);
	if (outcome == OUTCOME_FAILED)
		event->text = strdup("it was told to fail");
	else if (outcome == OUTCOME_DONE && event_set_data(event, "{\"n\":7}", 7) < 0)
		abort();
	trace("  %s %s: %s %s", worker->command ? "command" : "run", worker->id,
	      outcome == OUTCOME_DONE	   ? "done"
	      : outcome == OUTCOME_STOPPED ? "stopped"
					   : "failed",
	      code);
}

static void fail(struct sim_workers *workers, struct sim_worker *worker,
		 struct prng *prng)
{
	static const char *const codes[] = {"task_failed",     "hardware_fault",
					    "hal_unavailable", "",
					    "internal",	       "invalid_state"};

	finish(workers, worker, OUTCOME_FAILED, codes[prng_below(prng, 6)]);
}

/* It was asked to stop; a run may still end in its own way before it notices. */
static void stop(struct sim_workers *workers, struct sim_worker *worker,
		 struct prng *prng)
{
	int lot = prng_below(prng, 20);

	if (worker->command)
		finish(workers, worker, OUTCOME_FAILED, "interrupted");
	else if (lot == 0)
		finish(workers, worker, OUTCOME_DONE, "");
	else if (lot == 1)
		fail(workers, worker, prng);
	else
		finish(workers, worker, OUTCOME_STOPPED, "");
}

/* ---- steps ---- */

static void progress(struct sim_workers *workers, struct sim_worker *worker)
{
	struct event *event = say(workers, worker, EVENT_PROGRESS);

	event->current = ++worker->step;
	event->total = 1000;
	event->text = strdup("at work");
}

static void checkpoint(struct sim_workers *workers, struct sim_worker *worker)
{
	struct event *event = say(workers, worker, EVENT_CHECKPOINT);

	snprintf(worker->saved, sizeof(worker->saved), "{\"step\":%d}", ++worker->step);
	event->text = strdup(worker->saved);
	event->completion = &worker->completion;
	worker->waits = true;
	worker->saves = true;
	trace("  run %s: checkpoint %s", worker->id, worker->saved);
}

static void begin(struct sim_workers *workers, struct sim_worker *worker)
{
	say(workers, worker, EVENT_BEGIN)->completion = &worker->completion;
	worker->waits = true;
}

static void log_a_line(struct sim_workers *workers, struct sim_worker *worker)
{
	struct event *event = say(workers, worker, EVENT_LOG);

	event->number = 2;
	event->text = strdup("a line");
}

static void tell_photo(struct sim_workers *workers, struct sim_worker *worker)
{
	struct event *event = say(workers, worker, EVENT_EMIT);

	event->topic = strdup("scan.photo");
	event->text = strdup("{\"done\":1}");
	event->completion = &worker->completion;
	worker->waits = true;
}

/* A run with a camera reports photos that are on disk, unless the power was cut. */
static void take_photos(struct sim_workers *workers, struct sim_worker *worker,
			struct prng *prng)
{
	int reported =
		worker->claim & CAMERA
			? sim_writer_take_photos(workers->sim_writer, prng, workers->cuts)
			: 1;

	while (reported-- > 0 && !sim_fs_power_lost())
		tell_photo(workers, worker);
}

static void hold(struct sim_workers *workers, struct sim_worker *worker)
{
	say(workers, worker, EVENT_PARKED);
	worker->parked = true;
	trace("  run %s: held", worker->id);
}

static void work(struct sim_workers *workers, struct sim_worker *worker,
		 struct prng *prng)
{
	bool shoots = (worker->claim & CAMERA) && prng_chance(prng, 50);
	int lot =
		shoots ? 31
		       : prng_below(prng, 40); /* as a run that has something to report */

	if (lot < 14)
		progress(workers, worker);
	else if (lot < 26 && sim_types[worker->type].resumable)
		checkpoint(workers, worker);
	else if (lot < 29)
		begin(workers, worker);
	else if (lot < 31)
		log_a_line(workers, worker);
	else if (lot < 33)
		take_photos(workers, worker, prng);
	else if (lot < 34)
		fail(workers, worker, prng);
	else if (lot < 37)
		finish(workers, worker, OUTCOME_DONE, "");
}

static void carry_out(struct sim_workers *workers, struct sim_worker *worker,
		      struct prng *prng)
{
	if (prng_chance(prng, 80))
		finish(workers, worker, OUTCOME_DONE, "");
	else
		finish(workers, worker, OUTCOME_FAILED, "hardware_fault");
}

static void worker_step(struct sim_workers *workers, struct sim_worker *worker,
			struct prng *prng, bool diligent)
{
	if (!diligent && prng_chance(prng, worker->patience))
		return;
	if (worker->stop)
		stop(workers, worker, prng);
	else if (worker->pause && !worker->command)
		hold(workers, worker);
	else if (worker->command)
		carry_out(workers, worker, prng);
	else if (diligent)
		finish(workers, worker, OUTCOME_DONE, "");
	else
		work(workers, worker, prng);
}

static bool worker_able(const struct sim_worker *worker)
{
	return worker->run && !worker->over && !worker->waits &&
	       (!worker->parked || worker->stop);
}

static int count_able(const struct sim_workers *workers)
{
	int able = 0;

	for (int i = 0; i < workers->count; i++)
		able += worker_able(&workers->workers[i]);
	return able;
}

bool sim_workers_able(const struct sim_workers *workers)
{
	return count_able(workers) > 0;
}

bool sim_workers_step(struct sim_workers *workers, struct prng *prng, bool diligent)
{
	int able = count_able(workers);
	int lot = able ? prng_below(prng, able) : -1;

	for (int i = 0; i < workers->count && lot >= 0; i++) {
		if (!worker_able(&workers->workers[i]) || lot-- > 0)
			continue;
		worker_step(workers, &workers->workers[i], prng, diligent);
	}
	return able > 0;
}

void sim_workers_event_taken(struct sim_workers *workers, const struct event *event)
{
	if (event->kind != EVENT_FINISHED && event->kind != EVENT_COMMAND_DONE)
		return;
	for (int i = 0; i < workers->count; i++) {
		if (workers->workers[i].run != event->run)
			continue;
		workers->workers[i].run = 0; /* frees the slot; the others keep theirs */
		break;
	}
}
