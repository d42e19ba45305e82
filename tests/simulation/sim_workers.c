#include "tests/simulation/sim_workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/model/verb.h"
#include "tests/simulation/sim_fs.h"
#include "tests/simulation/sim_types.h"
#include "tests/simulation/trace.h"

#define STUCK 100

void crew_init(struct crew *crew, struct mail *mail)
{
	crew->count = 0;
	crew->mail = mail;
	crew->estopped = false;
}

struct member *crew_start(struct crew *crew, const struct effect *effect,
			  struct prng *prng)
{
	static const int patience[] = {0, 0, 0, 50, 95};
	bool stuck = prng_below(prng, 1000) < crew->stuck;
	int place = 0;
	struct member *member;

	while (place < crew->count && crew->members[place].run)
		place++;
	if (place == CREW_MAX)
		abort(); /* more runs than live tasks and commands */
	if (place == crew->count)
		crew->count++;
	member = &crew->members[place];
	*member = (struct member){
		.run = effect->run,
		.act = effect->kind == EFFECT_ACT,
		.kind = -1,
		.patience = stuck ? STUCK : patience[prng_below(prng, 5)],
	};
	snprintf(member->id, sizeof(member->id), "%s",
		 member->act ? effect->verb->name : effect->name);
	if (member->act) {
		member->claim = effect->type ? 0 : verb_claim(member->id, effect->text);
		return member;
	}
	member->kind = kind_of(effect->type->type->name);
	member->claim = kind_claim(member->kind);
	snprintf(member->saved, sizeof(member->saved), "%s",
		 effect->more ? effect->more : "");
	if (effect->more)
		sscanf(effect->more, "{\"step\":%d}", &member->step);
	return member;
}

struct member *crew_find(struct crew *crew, uint64_t run)
{
	for (int i = 0; i < crew->count; i++)
		if (crew->members[i].run == run && !crew->members[i].over)
			return &crew->members[i];
	return NULL;
}

struct member *crew_on(struct crew *crew, const char *task)
{
	for (int i = 0; i < crew->count; i++) {
		struct member *member = &crew->members[i];

		if (!member->act && !member->over && !strcmp(member->id, task))
			return member;
	}
	return NULL;
}

/* As the real workers: who is not there (any more, or yet) is not asked. */
void crew_pause(struct crew *crew, uint64_t run)
{
	struct member *member = crew_find(crew, run);

	if (member)
		member->pause = true;
}

void crew_stop(struct crew *crew, uint64_t run, bool estopped)
{
	struct member *member = crew_find(crew, run);

	if (!member)
		return;
	member->stop = true;
	member->estopped |= estopped;
}

void crew_go_on(struct crew *crew, uint64_t run)
{
	struct member *member = crew_find(crew, run);

	if (!member)
		return;
	member->pause = false;
	member->held = false;
}

bool crew_release(struct crew *crew, const struct waiter *waiter)
{
	for (int i = 0; i < crew->count; i++) {
		struct member *member = &crew->members[i];

		if (&member->waiter != waiter)
			continue;
		member->waits = false;
		member->saves = false;
		return true;
	}
	return false;
}

static struct event *say(struct crew *crew, const struct member *member,
			 enum event_kind kind)
{
	struct event *event = mail_post(crew->mail, kind);

	event->run = member->run;
	return event;
}

/* ---- ends ---- */

static void finish(struct crew *crew, struct member *member, enum outcome outcome,
		   const char *code)
{
	struct event *event =
		say(crew, member, member->act ? EVENT_ACT_DONE : EVENT_FINISHED);

	member->over = true;
	event->outcome = outcome;
	event->flag = outcome == OUTCOME_DONE;
	snprintf(event->code, sizeof(event->code), "%s", code);
	if (outcome == OUTCOME_FAILED)
		event->text = strdup("it was told to fail");
	else if (outcome == OUTCOME_DONE && event_set_data(event, "{\"n\":7}", 7) < 0)
		abort();
	trace("  %s %s: %s %s", member->act ? "act" : "run", member->id,
	      outcome == OUTCOME_DONE	   ? "done"
	      : outcome == OUTCOME_STOPPED ? "stopped"
					   : "failed",
	      code);
}

static void fail(struct crew *crew, struct member *member, struct prng *prng)
{
	static const char *const codes[] = {"task_failed",     "hardware_fault",
					    "hal_unavailable", "",
					    "internal",	       "invalid_state"};

	finish(crew, member, OUTCOME_FAILED, codes[prng_below(prng, 6)]);
}

/* It was asked to stop.  A run may end in its own way before it sees that. */
static void stop(struct crew *crew, struct member *member, struct prng *prng)
{
	int lot = prng_below(prng, 20);

	if (member->act)
		finish(crew, member, OUTCOME_FAILED, "interrupted");
	else if (lot == 0)
		finish(crew, member, OUTCOME_DONE, "");
	else if (lot == 1)
		fail(crew, member, prng);
	else
		finish(crew, member, OUTCOME_STOPPED, "");
}

/* ---- steps ---- */

static void progress(struct crew *crew, struct member *member)
{
	struct event *event = say(crew, member, EVENT_PROGRESS);

	event->current = ++member->step;
	event->total = 1000;
	event->text = strdup("at work");
}

static void checkpoint(struct crew *crew, struct member *member)
{
	struct event *event = say(crew, member, EVENT_CHECKPOINT);

	snprintf(member->saved, sizeof(member->saved), "{\"step\":%d}", ++member->step);
	event->text = strdup(member->saved);
	event->waiter = &member->waiter;
	member->waits = true;
	member->saves = true;
	trace("  run %s: checkpoint %s", member->id, member->saved);
}

static void begin(struct crew *crew, struct member *member)
{
	say(crew, member, EVENT_BEGAN)->waiter = &member->waiter;
	member->waits = true;
}

static void log_a_line(struct crew *crew, struct member *member)
{
	struct event *event = say(crew, member, EVENT_LOG);

	event->number = 2;
	event->text = strdup("a line");
}

static void tell_photo(struct crew *crew, struct member *member)
{
	struct event *event = say(crew, member, EVENT_EMIT);

	event->topic = strdup("scan.photo");
	event->text = strdup("{\"done\":1}");
	event->waiter = &member->waiter;
	member->waits = true;
}

/* One with a camera tells of photos that are on disk; nobody tells anything when the
 * power has gone meanwhile. */
static void take_photos(struct crew *crew, struct member *member, struct prng *prng)
{
	int reported =
		member->claim & CAMERA ? studio_shoot(crew->studio, prng, crew->cuts) : 1;

	while (reported-- > 0 && !drive_blown())
		tell_photo(crew, member);
}

static void hold(struct crew *crew, struct member *member)
{
	say(crew, member, EVENT_HELD);
	member->held = true;
	trace("  run %s: held", member->id);
}

static void work(struct crew *crew, struct member *member, struct prng *prng)
{
	bool shoots = (member->claim & CAMERA) && prng_chance(prng, 50);
	int lot = shoots ? 31
			 : prng_below(prng, 40); /* as one that has something to tell */

	if (lot < 14)
		progress(crew, member);
	else if (lot < 26 && kinds[member->kind].resumable)
		checkpoint(crew, member);
	else if (lot < 29)
		begin(crew, member);
	else if (lot < 31)
		log_a_line(crew, member);
	else if (lot < 33)
		take_photos(crew, member, prng);
	else if (lot < 34)
		fail(crew, member, prng);
	else if (lot < 37)
		finish(crew, member, OUTCOME_DONE, "");
}

static void act(struct crew *crew, struct member *member, struct prng *prng)
{
	if (prng_chance(prng, 80))
		finish(crew, member, OUTCOME_DONE, "");
	else
		finish(crew, member, OUTCOME_FAILED, "hardware_fault");
}

static void member_step(struct crew *crew, struct member *member, struct prng *prng,
			bool diligent)
{
	if (!diligent && prng_chance(prng, member->patience))
		return;
	if (member->stop)
		stop(crew, member, prng);
	else if (member->pause && !member->act)
		hold(crew, member);
	else if (member->act)
		act(crew, member, prng);
	else if (diligent)
		finish(crew, member, OUTCOME_DONE, "");
	else
		work(crew, member, prng);
}

static bool member_able(const struct member *member)
{
	return member->run && !member->over && !member->waits &&
	       (!member->held || member->stop);
}

static int count_able(const struct crew *crew)
{
	int able = 0;

	for (int i = 0; i < crew->count; i++)
		able += member_able(&crew->members[i]);
	return able;
}

bool crew_able(const struct crew *crew)
{
	return count_able(crew) > 0;
}

bool crew_step(struct crew *crew, struct prng *prng, bool diligent)
{
	int able = count_able(crew);
	int lot = able ? prng_below(prng, able) : -1;

	for (int i = 0; i < crew->count && lot >= 0; i++) {
		if (!member_able(&crew->members[i]) || lot-- > 0)
			continue;
		member_step(crew, &crew->members[i], prng, diligent);
	}
	return able > 0;
}

void crew_see(struct crew *crew, const struct event *event)
{
	if (event->kind != EVENT_FINISHED && event->kind != EVENT_ACT_DONE)
		return;
	for (int i = 0; i < crew->count; i++) {
		if (crew->members[i].run != event->run)
			continue;
		crew->members[i].run =
			0; /* a free place; the others stay where they are */
		break;
	}
}
