/* Plays a history: chooses what happens next, and carries out what the core asks for. */
#include "tests/simulation/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/state.h"
#include "agent/turn.h"
#include "agent/outbox/outbox.h"
#include "tests/simulation/broker.h"
#include "tests/simulation/client.h"
#include "tests/simulation/sim_workers.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/sim_fs.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/sim_types.h"
#include "tests/simulation/sim_mailbox.h"
#include "tests/simulation/sql.h"
#include "tests/simulation/sim_writer.h"
#include "tests/simulation/trace.h"

#define SECOND 1000
#define STOP_TIMEOUT (20 * SECOND)
#define START_WALL INT64_C(1760000000000)
#define JUMP_DAYS 3650 /* how far a board without a clock battery may be off */
#define SPINS_MAX 8
#define COMMIT_CALLS 40 /* writes and syncs of a commit, about */
#define END_ROUNDS 5000
#define END_RESUMES 40

/* What may happen next; each history gives each move a weight. */
enum move {
	MOVE_SEND,
	MOVE_RECEIVE,
	MOVE_ACKNOWLEDGE,
	MOVE_DELIVER,
	MOVE_WORK,
	MOVE_TIME,
	MOVE_CONNECT,
	MOVE_START,
	MOVE_DISCONNECT,
	MOVE_SNAPSHOT,
	MOVE_RESTART_BROKER,
	MOVE_EXPIRE,
	MOVE_KILL,
	MOVE_POWER_CUT,
	MOVE_FULL,
	MOVE_WALL,
	MOVE_STOP,
	MOVE_RANDOM_BODY, /* only in world_play_bytes() */
	MOVES,
};

/* The sum over all possible moves is some hundreds. */
static const int weights[MOVES][4] = {
	[MOVE_SEND] = {30, 60, 100, 150},
	[MOVE_RECEIVE] = {50, 200, 300, 400},
	[MOVE_ACKNOWLEDGE] = {50, 200, 300, 400},
	[MOVE_DELIVER] = {40, 100, 200, 300},
	[MOVE_WORK] = {30, 100, 200, 300},
	[MOVE_TIME] = {10, 30, 60, 100},
	[MOVE_CONNECT] = {50, 100, 200, 400},
	[MOVE_START] = {50, 100, 200, 400},
	[MOVE_DISCONNECT] = {0, 1, 2, 8},
	[MOVE_SNAPSHOT] = {0, 0, 2, 8},
	[MOVE_RESTART_BROKER] = {0, 0, 1, 3},
	[MOVE_EXPIRE] = {0, 0, 0, 1},
	[MOVE_KILL] = {0, 1, 2, 6},
	[MOVE_POWER_CUT] = {0, 1, 2, 6},
	[MOVE_FULL] = {0, 0, 0, 1},
	[MOVE_WALL] = {0, 0, 1, 2},
	[MOVE_STOP] = {0, 0, 1, 2},
};

struct world {
	struct prng prng;
	struct core *core; /* NULL while the process is not running */
	struct core_options options;
	char boot[17];
	int boots;
	int64_t now, mono,
		skew; /* of the world; monotonic = now - mono, wall = now + skew */
	int turn, spins, eagerness;
	int weight[MOVES];
	bool stopping, stopped;
	int64_t stop_at, settled_at, full_until;
	struct packet delivered; /* a copy of the one message that is not released yet */
	uint64_t runs;		 /* started before it; a later one may be its own */
	int64_t events;

	struct sim_mailbox mailbox;
	struct broker broker;
	struct sim_workers workers;
	struct client client;
	struct oracle oracle;
};

static struct world world;
static struct registry *registries[2];
static cJSON *groups, *problems;
static struct sim_writer *sim_writer;

static struct core_time at(const struct world *w)
{
	return (struct core_time){.ms = w->now - w->mono, .wall = w->now + w->skew};
}

/* ---- the surroundings of the core ---- */

static void stop_ops_pause(void *context, uint64_t run)
{
	struct world *w = context;

	sim_workers_pause(&w->workers, run);
}

static void stop_ops_stop(void *context, uint64_t run, bool estopped)
{
	struct world *w = context;

	sim_workers_stop(&w->workers, run, estopped);
}

static void stop_ops_stop_motion(void *context)
{
	(void)context;
}

static void stop_ops_estop(void *context)
{
	struct world *w = context;

	w->workers.estopped = true;
}

static cJSON *no_values(void *context)
{
	(void)context;
	return cJSON_CreateObject();
}

static cJSON *no_list(void *context)
{
	(void)context;
	return cJSON_CreateArray();
}

static int no_change(void *context, const cJSON *changes, struct tunables *tunables,
		     struct err *err)
{
	(void)context;
	(void)changes;
	(void)tunables;
	(void)err;
	return 0;
}

static struct core_options world_options(struct world *w)
{
	return (struct core_options){
		.root = ROOT,
		.device = DEVICE,
		.state_dir = DISK_FOLDER,
		.registry = registries[0],
		.devices = sim_devices,
		.device_count = SIM_DEVICES,
		.backend = "simulated",
		.boot = w->boot,
		.new_store = "5707e00000000001",
		.seed = 1,
		.blocking_threads = prng_between(&w->prng, 1, 3),
		.tunables = {.max_concurrent = prng_between(&w->prng, 1, 4),
			     .max_pause_ms = prng_chance(&w->prng, 10) ? 60 * SECOND
								       : 86400 * SECOND,
			     .kill_after_ms = 10 * SECOND,
			     .reply_spread_ms = 500,
			     .keep_tasks = prng_chance(&w->prng, 30) ? 5 : 200,
			     .keep_ms = 30 * INT64_C(86400) * SECOND},
		.groups = groups,
		.birth_prefix = "homeassistant",
		.settings = {w, no_values, no_list, no_list, no_change},
		.problems = problems,
		.reserve = disk_reserve(),
		.stop_ops = {w, stop_ops_pause, stop_ops_stop, stop_ops_stop_motion,
			     stop_ops_estop},
	};
}

/* ---- effects ---- */

static void release(struct world *w, const struct completion *completion)
{
	for (int i = 0; i < w->workers.count; i++)
		if (&w->workers.workers[i].completion == completion &&
		    w->workers.workers[i].saves)
			oracle_saved(&w->oracle, &w->workers.workers[i]);
	if (!sim_workers_release(&w->workers, completion) &&
	    !broker_release(&w->broker, completion))
		violation("an effect completed a wait that does not exist");
}

static void start(struct world *w, const struct effect *effect, bool late)
{
	if (effect->kind == EFFECT_COMMAND)
		oracle_command(&w->oracle, effect, late && effect->run > w->runs);
	else
		oracle_start(&w->oracle, effect, w->core->store);
	if (effect->kind == EFFECT_START && w->core->stopping)
		violation("%s was started while the agent stops", effect->name);
	sim_workers_start(&w->workers, effect, &w->prng);
}

static void go_on(struct world *w, const struct effect *effect)
{
	const struct sim_worker *worker = sim_workers_find(&w->workers, effect->run);

	if (!worker)
		return;
	trace("  GO ON %s", worker->id);
	oracle_resume(&w->oracle, worker);
	sim_workers_resume(&w->workers, effect->run);
}

static void carry_out_one(struct world *w, struct effect *effect, bool late)
{
	switch (effect->kind) {
	case EFFECT_COMPLETE:
		release(w, effect->completion);
		break;
	case EFFECT_START:
	case EFFECT_COMMAND:
		start(w, effect, late);
		break;
	case EFFECT_RESUME:
		go_on(w, effect);
		break;
	case EFFECT_PUBLISH:
		oracle_publish(&w->oracle, effect, w->core->store);
		/* fall through */
	case EFFECT_SUBSCRIBE:
	case EFFECT_UNSUBSCRIBE:
		if (w->broker.connected && effect->epoch == w->broker.epoch)
			broker_take(&w->broker, effect);
		break;
	case EFFECT_RECONNECT:
		violation("the agent believes that another agent has its id");
		break;
	case EFFECT_RELEASE_ESTOP:
		w->workers.estopped = false;
		oracle_estop_released(&w->oracle, late);
		break;
	case EFFECT_STOPPED:
		w->stopped = true;
		break;
	}
}

/* The message that these effects acknowledge was handled before any of them. */
static void carry_out_handled(struct world *w, const struct effects *effects)
{
	for (const struct effect *effect = effects->first; effect; effect = effect->next)
		if (effect->kind == EFFECT_COMPLETE &&
		    effect->completion == &w->broker.completion && w->delivered.command)
			oracle_handled(&w->oracle, w->delivered.command, &w->delivered,
				       w->core->commit_blocked);
}

static void carry_out(struct world *w, struct effects *effects)
{
	bool late = w->broker.waiting && w->delivered.waited;

	carry_out_handled(w, effects);
	for (struct effect *effect = effects->first; effect; effect = effect->next)
		carry_out_one(w, effect, late);
	oracle_turn_end(&w->oracle);
}

/* ---- starts and ends of the process ---- */

static void world_process_gone(struct world *w)
{
	broker_disconnect(&w->broker, &w->prng, false);
	if (w->broker.waiting && w->delivered.command)
		oracle_maybe_handled(&w->oracle, w->delivered.command);
	w->broker.waiting = false;
	core_close(w->core);
	w->core = NULL;
	oracle_process_gone(&w->oracle);
	w->stopping = false;
	w->stopped = false;
	sim_mailbox_clear(&w->mailbox);
	sim_workers_init(&w->workers, &w->mailbox);
	sim_writer_process_gone(sim_writer);
}

static void world_kill(struct world *w, const char *why)
{
	trace("the process is killed: %s", why);
	disk_kill();
	world_process_gone(w);
}

static void world_power_cut(struct world *w)
{
	trace("the power is cut");
	disk_power_cut(&w->prng);
	sim_writer_power_cut(sim_writer, &w->prng);
	if (w->core)
		world_process_gone(w);
	w->mono = w->now - prng_between(&w->prng, 1, 100000);
}

static void world_start(struct world *w)
{
	struct effects effects;
	struct err err;

	snprintf(w->boot, sizeof(w->boot), "b%015x", (unsigned)++w->boots);
	w->options.registry = registries[prng_chance(&w->prng, 3)];
	w->turn++;
	trace_at(w->turn, w->now);
	trace("the agent starts, boot %d", w->boots);
	oracle_turn(&w->oracle, w->turn);
	effects_init(&effects);
	if (core_open(&w->core, &w->options, at(w), &effects, &err) < 0) {
		w->core = NULL;
		disk_kill();
		if (!disk_full() && !disk_power_lost())
			violation("the agent does not start: %s", err.text);
		effects_clear(&effects);
		if (disk_power_lost())
			world_power_cut(w);
		return;
	}
	w->spins = 0;
	carry_out(w, &effects);
	oracle_check_rows(&w->oracle, w->core->store);
	effects_clear(&effects);
}

/* Checks, on a copy of the disk, that everything published would survive a power cut
 * now. */
static void world_look_at_copy(struct world *w)
{
	char damaged[STORE_PATH];
	struct store *store;
	struct err err;

	disk_copy();
	if (store_open(&store, DISK_COPY_FOLDER, NULL, damaged, &err) < 0) {
		violation("after a power cut the database would be lost: %s", err.text);
		return;
	}
	oracle_check_rows(&w->oracle, store);
	store_close(store);
}

static bool time_to_look(struct world *w)
{
	return prng_below(&w->prng, disk_bytes() < 400000 ? 100 : 2000) == 0;
}

/* ---- turns ---- */

static struct event *world_take(struct world *w)
{
	struct event *events = sim_mailbox_take(&w->mailbox, CORE_TURN_EVENTS);

	for (const struct event *event = events; event; event = event->next) {
		w->events++;
		sim_workers_event_taken(&w->workers, event);
	}
	return events;
}

static bool has_message(const struct event *events)
{
	for (; events; events = events->next)
		if (events->kind == EVENT_MESSAGE)
			return true;
	return false;
}

static void world_committed(struct world *w, struct effects *effects, bool message)
{
	carry_out(w, effects);
	if (message && w->broker.waiting && !w->core->commit_blocked)
		violation("a message was not released in its turn");
	if (!w->core->commit_blocked)
		w->oracle.estop_unsaved = false;
	w->oracle.was_full |= w->core->commit_blocked;
	if (outbox_depth(w->core->outbox) == 0)
		w->settled_at = w->now;
	if (w->now - w->settled_at > OUTBOX_REPLY_AGE_MS / 2 ||
	    outbox_depth(w->core->outbox) >= OUTBOX_REPLIES_MAX)
		w->oracle.replies_lost = true;
	if (time_to_look(w))
		world_look_at_copy(w);
}

static bool is_promise(const struct effect *effect)
{
	return effect->kind == EFFECT_PUBLISH && effect->qos == 1 &&
	       strcmp(effect->name, OURS "reply/_barrier") != 0;
}

/* The power was cut before the turn was committed.  Effects that such a turn returns do
 * not wait for a commit, so none of them may start or promise anything. */
static void world_uncommitted(struct world *w, const struct effects *effects)
{
	const struct sim_command *command = w->delivered.command;

	for (const struct effect *e = effects->first; e; e = e->next) {
		if (is_promise(e) || e->kind == EFFECT_START ||
		    e->kind == EFFECT_COMMAND || e->kind == EFFECT_RESUME)
			violation("%s left before its commit",
				  e->name ? e->name : "a run");
		if (e->kind != EFFECT_COMPLETE)
			continue;
		if (e->completion != &w->broker.completion)
			release(w, e->completion);
		else if (command && !command->handled && !command->contested &&
			 command->id[0] && !strcmp(command->verb, "task/create") &&
			 scheduler_find(&w->core->scheduler, command->id))
			violation("%s was acknowledged before its commit", command->id);
	}
}

static void world_turn(struct world *w)
{
	struct effects effects;
	struct event *events;
	struct err err;

	trace_at(++w->turn, w->now);
	oracle_turn(&w->oracle, w->turn);
	events = world_take(w);
	w->spins = events ? 0 : w->spins + 1;
	if (w->spins > SPINS_MAX)
		violation("the core asks for one turn after another and does nothing");
	effects_init(&effects);
	if (core_turn(w->core, events, at(w), &effects, &err) == 0) {
		world_committed(w, &effects, has_message(events));
	} else if (disk_power_lost()) {
		world_uncommitted(w, &effects);
	} else {
		violation("a turn was not committed: %s", err.text);
		world_kill(w, err.text);
	}
	effects_clear(&effects);
	sim_mailbox_free_events(events);
	if (disk_power_lost())
		world_power_cut(w);
	if (w->core &&
	    (w->stopped || (w->stopping && w->now > w->stop_at + STOP_TIMEOUT))) {
		trace("the agent has stopped");
		world_process_gone(w);
	}
}

static bool world_turn_due(const struct world *w)
{
	int64_t wake = core_wake(w->core);

	return wake >= 0 && wake <= w->now - w->mono;
}

/* Lets time pass; the core gets its turns when they are due. */
static void world_pass(struct world *w, int64_t ms)
{
	int64_t until = w->now + ms;

	while (w->core && !first_violation()) {
		int64_t wake = core_wake(w->core);

		if (wake < 0 || wake + w->mono > until)
			break;
		if (wake + w->mono > w->now) {
			w->now = wake + w->mono;
			w->spins = 0;
		}
		world_turn(w);
	}
	if (w->now < until) {
		w->now = until;
		w->spins = 0;
	}
}

/* ---- moves ---- */

static void move_deliver(struct world *w)
{
	bool again;
	const struct packet *packet = broker_deliver(&w->broker, &again);

	if (!packet)
		return;
	w->delivered = *packet;
	w->runs = w->core->next_run;
	trace("delivers packet %d%s%s: %s", packet->id,
	      packet->retained ? ", retained" : "", again ? ", DUP" : "",
	      packet->command ? packet->command->body : packet->topic);
	/* The receiving thread stops the rig first. */
	if (packet->command && !packet->retained &&
	    !strcmp(packet->command->verb, "estop"))
		w->workers.estopped = true;
}

static void move_work(struct world *w)
{
	sim_workers_step(&w->workers, &w->prng, false);
	for (int i = 0; i < w->workers.count; i++)
		if (w->workers.workers[i].saves)
			oracle_saving(&w->oracle, &w->workers.workers[i]);
	if (sim_fs_power_lost())
		world_power_cut(w);
}

static void move_time(struct world *w)
{
	int lot = prng_below(&w->prng, 10);

	if (lot < 6)
		world_pass(w, prng_between(&w->prng, 1, 300));
	else if (lot < 9)
		world_pass(w, prng_between(&w->prng, 1, 5) * SECOND);
	else
		world_pass(w, prng_between(&w->prng, 10, 90) * SECOND);
}

static void move_connect(struct world *w)
{
	/* A new connection is made only when the callback of the last one has
	 * returned. */
	if (w->core && !w->broker.connected && !w->broker.waiting)
		broker_connect(&w->broker, &w->prng);
}

static void move_restart_broker(struct world *w)
{
	broker_disconnect(&w->broker, &w->prng, w->core != NULL);
	if (w->broker.waiting)
		return;
	broker_restart(&w->broker);
	w->oracle.may_repeat = true;
}

static void move_expire(struct world *w)
{
	if (!w->broker.connected && !w->broker.waiting)
		broker_lose_session(&w->broker);
}

static void move_wall(struct world *w)
{
	w->skew = START_WALL +
		  (int64_t)prng_between(&w->prng, -JUMP_DAYS, JUMP_DAYS) * 86400 * SECOND;
	trace("the wall clock jumps");
}

static void move_stop(struct world *w)
{
	if (w->stopping)
		return;
	trace("SIGTERM");
	w->stopping = true;
	w->stop_at = w->now;
	sim_mailbox_post(&w->mailbox, EVENT_STOP);
}

/* Cuts it now, or in the middle of one of the next commits. */
static void move_power_cut(struct world *w)
{
	if (prng_chance(&w->prng, 50))
		world_power_cut(w);
	else
		disk_cut_power_after(prng_below(&w->prng, COMMIT_CALLS));
}

static bool possible(const struct world *w, enum move move)
{
	switch (move) {
	case MOVE_START:
		return !w->core;
	case MOVE_RECEIVE:
		return w->broker.sent != NULL;
	case MOVE_ACKNOWLEDGE:
		return w->broker.ack_count > 0;
	case MOVE_DELIVER:
		return w->broker.connected && w->broker.state.queue && !w->broker.waiting;
	case MOVE_DISCONNECT:
		return w->broker.connected;
	case MOVE_WORK:
		return w->core && sim_workers_able(&w->workers);
	case MOVE_KILL:
	case MOVE_STOP:
		return w->core != NULL;
	case MOVE_CONNECT:
		return w->core && !w->broker.connected;
	default:
		return true;
	}
}

static enum move choose(struct world *w)
{
	int total = 0, lot;

	for (int i = 0; i < MOVES; i++)
		total += possible(w, (enum move)i) ? w->weight[i] : 0;
	lot = prng_below(&w->prng, total);
	for (int i = 0; i < MOVES; i++) {
		if (!possible(w, (enum move)i))
			continue;
		if (lot < w->weight[i])
			return (enum move)i;
		lot -= w->weight[i];
	}
	return MOVE_TIME;
}

/* Database and photos are on the same disk. */
static void world_set_full(struct world *w, bool full)
{
	disk_set_full(full);
	sim_fs_set_full(full);
	if (!full)
		w->full_until = 0;
	trace(full ? "the disk is full" : "the disk has room again");
}

static void world_move(struct world *w, enum move move)
{
	switch (move) {
	case MOVE_SEND:
		broker_publish(&w->broker, client_random_command(&w->client, &w->prng));
		break;
	case MOVE_RECEIVE:
		broker_receive(&w->broker);
		break;
	case MOVE_ACKNOWLEDGE:
		broker_acknowledge(&w->broker);
		break;
	case MOVE_DELIVER:
		move_deliver(w);
		break;
	case MOVE_WORK:
		move_work(w);
		break;
	case MOVE_CONNECT:
		move_connect(w);
		break;
	case MOVE_START:
		world_start(w);
		break;
	case MOVE_DISCONNECT:
		broker_disconnect(&w->broker, &w->prng, true);
		break;
	case MOVE_SNAPSHOT:
		broker_take_snapshot(&w->broker);
		break;
	case MOVE_RESTART_BROKER:
		move_restart_broker(w);
		break;
	case MOVE_EXPIRE:
		move_expire(w);
		break;
	case MOVE_KILL:
		world_kill(w, "at random");
		break;
	case MOVE_POWER_CUT:
		move_power_cut(w);
		break;
	case MOVE_FULL:
		w->full_until = w->now + prng_between(&w->prng, 1, 4000);
		world_set_full(w, true);
		break;
	case MOVE_WALL:
		move_wall(w);
		break;
	case MOVE_STOP:
		move_stop(w);
		break;
	case MOVE_RANDOM_BODY:
		broker_publish(&w->broker, client_random_bytes(&w->client, &w->prng));
		break;
	case MOVE_TIME:
	case MOVES:
		move_time(w);
		break;
	}
}

static void world_step(struct world *w)
{
	trace_at(w->turn, w->now);
	world_move(w, choose(w));
	if (w->full_until && w->now >= w->full_until) {
		world_set_full(w, false);
	}
	if (!w->core || first_violation())
		return;
	if (world_turn_due(w) ||
	    (w->mailbox.first && prng_chance(&w->prng, w->eagerness)))
		world_turn(w);
}

/* ---- the end ---- */

/* Everything that is on its way arrives, and everybody does their work. */
static void end_round(struct world *w)
{
	if (!w->core)
		world_start(w);
	if (!w->core)
		return;
	move_connect(w);
	while (broker_receive(&w->broker))
		;
	while (broker_acknowledge(&w->broker))
		;
	move_deliver(w);
	sim_workers_step(&w->workers, &w->prng, true);
	if (w->mailbox.first || world_turn_due(w))
		world_turn(w);
}

static bool end_is_idle(struct world *w)
{
	return w->core && !w->mailbox.first && w->broker.connected &&
	       broker_is_idle(&w->broker) &&
	       !sim_workers_step(&w->workers, &w->prng, true) && !w->mailbox.first;
}

static void end_send(struct world *w, const char *verb, const char *body)
{
	broker_publish(&w->broker, client_command(&w->client, verb, body));
}

static bool end_live(struct world *w)
{
	return w->core->scheduler.count > 0;
}

static void end_resume(struct world *w, const char *id)
{
	struct sim_command *command;
	char body[100];

	snprintf(body, sizeof(body), "{\"id\":\"%s\"}", id);
	command = client_command(&w->client, "task/resume", body);
	snprintf(command->id, sizeof(command->id), "%s", id);
	broker_publish(&w->broker, command);
}

/* Sends the commands that let everything continue. */
static void end_resume_all(struct world *w)
{
	end_send(w, "agent/undrain", "{}");
	end_send(w, "queue/resume", "{}");
	for (int64_t number = 0;;) {
		struct task *row = store_task_after(w->core->store, number);

		if (!row)
			break;
		number = row->number;
		if (row->status == TASK_PAUSED)
			end_resume(w, row->id);
		task_free(row);
	}
}

static void end_settle(struct world *w)
{
	for (int round = 0; round < END_ROUNDS && !first_violation(); round++) {
		trace_at(w->turn, w->now);
		end_round(w);
		if (end_is_idle(w))
			return;
	}
}

static void world_finish(struct world *w)
{
	trace("---- the end: everything may finish ----");
	world_set_full(w, false);
	disk_cut_power_after(-1);
	/* A requested stop is carried out first. */
	if (w->stopping)
		world_kill(w, "to start again");
	/* Long enough for republishing, retries, timeouts and the sweep. */
	for (int i = 0; i < END_RESUMES && !first_violation(); i++) {
		bool live;

		end_settle(w);
		if (first_violation() || !w->core)
			continue;
		live = end_live(w);
		if (i < 3 || live)
			end_resume_all(w);
		end_settle(w);
		world_pass(w, 20 * SECOND);
		if (i > 6 && !live)
			break;
	}
	end_settle(w);
	if (!first_violation() && w->core)
		oracle_check_end(&w->oracle, w->core->store, &w->broker);
	if (w->workers.estopped)
		violation("the emergency stop cannot be lifted");
}

/* ---- a history ---- */

static int history_length(struct prng *prng)
{
	return prng_chance(prng, 1) ? 5000 : prng_between(prng, 50, 500);
}

static void world_open(struct world *w, uint64_t seed, struct prng prng)
{
	memset(w, 0, sizeof(*w));
	w->prng = prng;
	disk_format(seed, !prng_chance(&w->prng, 5));
	sim_mailbox_init(&w->mailbox);
	broker_init(&w->broker, &w->mailbox);
	sim_workers_init(&w->workers, &w->mailbox);
	sim_writer_begin(sim_writer, seed);
	client_init(&w->client, &w->prng);
	oracle_init(&w->oracle, &w->client, &w->workers);
	w->options = world_options(w);
	w->oracle.max_concurrent = w->options.tunables.max_concurrent;
	w->oracle.blocking_threads = w->options.blocking_threads;
	w->skew = START_WALL;
	w->mono = -prng_between(&w->prng, 1, 1000000);
	w->eagerness = prng_chance(&w->prng, 60) ? 100 : prng_between(&w->prng, 10, 90);
	for (int i = 0; i < MOVES; i++)
		w->weight[i] = weights[i][prng_below(&w->prng, 4)];
	w->workers.sim_writer = sim_writer;
	w->workers.cuts = w->weight[MOVE_POWER_CUT] > 0;
	w->workers.stuck = prng_chance(&w->prng, 25) ? 30 : 0;
}

static void world_close(struct world *w)
{
	disk_kill();
	core_close(w->core);
	sim_mailbox_clear(&w->mailbox);
	broker_clear(&w->broker);
	oracle_clear(&w->oracle);
	client_clear(&w->client);
}

static struct outcome_of_history world_end(struct world *w)
{
	if (!first_violation())
		world_finish(w);
	if (!first_violation())
		sim_writer_power_cut(sim_writer, &w->prng);
	world_close(w);
	return (struct outcome_of_history){first_violation(), w->events};
}

struct outcome_of_history world_play(uint64_t seed)
{
	struct world *w = &world;
	int length;

	trace_begin(seed);
	world_open(w, seed, prng_seeded(seed * 0x9e3779b97f4a7c15u + 1));
	length = history_length(&w->prng);
	world_start(w);
	for (int i = 0; i < length && !first_violation(); i++)
		world_step(w);
	return world_end(w);
}

struct outcome_of_history world_play_bytes(const uint8_t *bytes, size_t size)
{
	struct world *w = &world;

	trace_begin(0);
	world_open(w, 0, prng_from_bytes(bytes, size));
	w->weight[MOVE_RANDOM_BODY] = w->weight[MOVE_SEND];
	world_start(w);
	while (w->prng.bytes_size && !first_violation())
		world_step(w);
	return world_end(w);
}

void world_prepare(void)
{
	char damaged[STORE_PATH];
	struct store *store;
	struct err err;

	disk_register();
	sql_watch();
	sim_writer = sim_writer_new();
	registries[0] = sim_types_registry(true);
	registries[1] = sim_types_registry(false);
	groups = cJSON_Parse("[\"" GROUP "\"]");
	problems = cJSON_CreateArray();
	disk_format(0, false);
	if (store_open(&store, DISK_FOLDER, NULL, damaged, &err) < 0) {
		fprintf(stderr, "no database: %s\n", err.text);
		exit(2);
	}
	store_close(store);
	disk_keep_template();
}
