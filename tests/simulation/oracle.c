/* The checks of the simulation, each in the words of the contract. */
#include "tests/simulation/oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/model/verb.h"
#include "tests/simulation/sim_types.h"
#include "tests/simulation/trace.h"

void oracle_init(struct oracle *oracle, struct client *client,
		 struct sim_workers *workers)
{
	memset(oracle, 0, sizeof(*oracle));
	oracle->client = client;
	oracle->workers = workers;
}

void oracle_clear(struct oracle *oracle)
{
	struct known_task *known, *next;

	HASH_ITER(hh, oracle->tasks, known, next) {
		HASH_DEL(oracle->tasks, known);
		free(known);
	}
	free(oracle->started);
	free(oracle->events);
}

void oracle_turn(struct oracle *oracle, int turn)
{
	oracle->turn = turn;
	oracle->published_count = 0;
}

/* ---- known tasks ---- */

static struct known_task *find(const struct oracle *oracle, const char *id)
{
	struct known_task *known;

	HASH_FIND_STR(oracle->tasks, id, known);
	return known;
}

static struct known_task *know(struct oracle *oracle, const char *id)
{
	struct known_task *known = find(oracle, id);

	if (known)
		return known;
	known = calloc(1, sizeof(*known));
	if (!known)
		abort();
	snprintf(known->id, sizeof(known->id), "%s", id);
	HASH_ADD_STR(oracle->tasks, id, known);
	return known;
}

/* FNV-1a */
static uint64_t hash_of(const char *text, size_t size)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (uint8_t)text[i]) * 1099511628211u;
	return hash ? hash : 1;
}

/* The text after the first "key": in a JSON text that the agent wrote, where the keys
 * that matter precede foreign texts.  Far cheaper than parsing it. */
static const char *behind(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? at + strlen(key) : "";
}

static bool says(const char *text, const char *key, const char *value)
{
	const char *at = behind(text, key);

	return !strncmp(at, value, strlen(value));
}

static void copy_string(char *place, size_t size, const char *quoted)
{
	size_t length = *quoted == '"' ? strcspn(quoted + 1, "\"") : 0;

	snprintf(place, size, "%.*s", (int)length, quoted + (length ? 1 : 0));
}

/* ---- commands ---- */

static bool is(const struct sim_command *command, const char *verb)
{
	return !strcmp(command->verb, verb);
}

static void handled_create(struct oracle *oracle, struct sim_command *command)
{
	struct known_task *known;

	if (!command->id[0])
		return;
	known = know(oracle, command->id);
	if (known->command && known->command != command)
		known->command->contested = true;
	known->command = command;
}

static void handled_task(struct oracle *oracle, const struct sim_command *command)
{
	struct known_task *known =
		find(oracle, command->id[0] ? command->id : command->body);

	if (is(command, "task/resume"))
		*(known ? &known->resumed_at : &oracle->any_resumed_at) = oracle->turn;
	if (is(command, "task/restart"))
		*(known ? &known->restarted_at : &oracle->any_restarted_at) =
			oracle->turn;
	if (known && is(command, "task/update"))
		known->updated = true;
}

/* It may have been any command, for any task. */
static void handled_random_body(struct oracle *oracle)
{
	oracle->any_resumed_at = oracle->turn;
	oracle->any_restarted_at = oracle->turn;
}

static const char *const hardware[] = {
	"motor/move",	   "motor/home",   "motor/override",
	"light/set",	   "light/toggle", "camera/capture",
	"camera/settings", "trigger/fire", NULL};

static bool among(const char *verb, const char *const *verbs)
{
	for (; *verbs; verbs++)
		if (!strcmp(*verbs, verb))
			return true;
	return false;
}

/* An emergency stop on a full disk ends with the process, because it could not be
 * stored. */
static void handled_estop(struct oracle *oracle, bool disk_full)
{
	if (disk_full && !oracle->estopped)
		oracle->estop_unsaved = true;
	oracle->estopped = true;
}

void oracle_process_gone(struct oracle *oracle)
{
	if (oracle->estop_unsaved)
		oracle->estopped = false;
	oracle->estop_unsaved = false;
}

void oracle_handled(struct oracle *oracle, struct sim_command *command,
		    const struct packet *packet, bool disk_full)
{
	if (packet->retained)
		return;
	if (++command->handled == 1)
		command->first_handled = oracle->turn;
	if (command->random_body)
		handled_random_body(oracle);
	trace("  handled: %s %s%s%s", command->verb, command->id,
	      packet->waited ? " (has waited)" : "", disk_full ? " (disk full)" : "");
	if (is(command, "estop"))
		handled_estop(oracle, disk_full);
	else if (is(command, "task/create"))
		handled_create(oracle, command);
	else if (!strncmp(command->verb, "task/", 5))
		handled_task(oracle, command);
}

void oracle_maybe_handled(struct oracle *oracle, struct sim_command *command)
{
	if (command->random_body)
		handled_random_body(oracle);
	if (is(command, "task/create")) {
		command->handled++;
		command->plain = false;
	} else if (!strncmp(command->verb, "task/", 5))
		handled_task(oracle, command);
}

/* ---- starts ---- */

/* No other run may hold these devices, and no exclusive task may run beside another
 * task. */
static void check_claims(const struct oracle *oracle, const char *what, uint32_t claim,
			 bool task, bool alone)
{
	for (int i = 0; i < oracle->workers->count; i++) {
		const struct sim_worker *worker = &oracle->workers->workers[i];
		bool exclusive = !worker->command && sim_types[worker->type].is_exclusive;

		if (worker->over || !worker->run)
			continue;
		if (worker->claim & claim)
			violation("%s and %s hold one device", what, worker->id);
		if (task && !worker->command && (alone || exclusive))
			violation("%s runs beside %s, and one of them is exclusive", what,
				  worker->id);
	}
}

static void check_slots(const struct oracle *oracle, const char *id, bool blocking)
{
	int n = 1, most = blocking ? oracle->blocking_threads : oracle->max_concurrent;

	for (int i = 0; i < oracle->workers->count; i++) {
		const struct sim_worker *worker = &oracle->workers->workers[i];

		n += worker->run && !worker->command && !worker->over &&
		     sim_types[worker->type].is_blocking == blocking;
	}
	if (n > most)
		violation("%s is number %d of %d that may run", id, n, most);
}

static bool comes_before(const struct known_task *a, const struct known_task *b)
{
	if (a->command->priority != b->command->priority)
		return a->command->priority > b->command->priority;
	return a->command->first_handled < b->command->first_handled;
}

static bool plain(const struct known_task *known)
{
	return known->command && known->command->plain && known->command->handled == 1 &&
	       !known->command->contested && !known->updated && !known->restarted_at;
}

/* Checks that all tasks that were started while it waited precede it in the queue. */
static void check_order(struct oracle *oracle, const struct known_task *known, int type)
{
	for (int i = oracle->started_count; i-- > 0;) {
		const struct known_task *other = oracle->started[i];

		if (other->started < known->command->first_handled)
			return;
		if (!plain(other) || !comes_before(known, other) || other == known)
			continue;
		if (other->command->type == type || sim_types[type].is_exclusive)
			violation("%s was started in turn %d before %s, which was before "
				  "it in the queue",
				  other->id, other->started, known->id);
	}
}

static void note_first_start(struct oracle *oracle, struct known_task *known, int type)
{
	known->started = oracle->turn;
	if (!plain(known) || oracle->any_restarted_at)
		return;
	check_order(oracle, known, type);
	if (oracle->started_count == oracle->started_room) {
		oracle->started_room =
			oracle->started_room ? 2 * oracle->started_room : 64;
		oracle->started =
			realloc(oracle->started, (size_t)oracle->started_room *
							 sizeof(struct known_task *));
		if (!oracle->started)
			abort();
	}
	oracle->started[oracle->started_count++] = known;
}

/* Whether this task has completed, even if it was deleted since. */
static bool completed(struct store *store, const char *id)
{
	struct task *task = store_task(store, id);
	struct dedup_record record = {.reply = NULL};
	char key[SIM_ID_SIZE + 1];
	bool yes;

	if (task) {
		yes = task->status == TASK_COMPLETED;
		task_free(task);
		return yes;
	}
	snprintf(key, sizeof(key), "i%s", id);
	yes = store_dedup_find(store, key, &record) &&
	      !strcmp(record.status, "completed");
	dedup_record_clear(&record);
	return yes;
}

static void check_dependencies(const struct known_task *known, struct store *store)
{
	const struct sim_command *command = known->command;

	for (int i = 0; command && !command->contested && i < command->after_count; i++)
		if (!completed(store, command->after[i]))
			violation("%s was started, but %s, which it comes after, has not "
				  "completed",
				  known->id, command->after[i]);
}

static int newest(int a, int b)
{
	return a > b ? a : b;
}

/* Checks that somebody resumed it since it was published as paused. */
static void check_paused(const struct oracle *oracle, const struct known_task *known,
			 const char *what)
{
	int since = newest(newest(known->resumed_at, known->restarted_at),
			   newest(oracle->any_resumed_at, oracle->any_restarted_at));

	if (known->status == TASK_PAUSED && known->paused_at > since)
		violation("%s was published as paused and %s, but nobody resumed it",
			  known->id, what);
}

static void check_history(const struct oracle *oracle, const struct known_task *known)
{
	int restarted = newest(known->restarted_at, oracle->any_restarted_at);

	if (known->status == TASK_COMPLETED && known->published)
		violation("%s had completed and was started again", known->id);
	if (known->command && known->command->retained && !known->command->contested)
		violation("%s was started by a retained command", known->id);
	if (known->cancelled_at > restarted)
		violation("%s was started after it was published as cancelled (turn %d)",
			  known->id, known->cancelled_at);
	check_paused(oracle, known, "was started");
}

static int step_of(const char *saved)
{
	int step = 0;

	if (saved)
		sscanf(saved, "{\"step\":%d}", &step);
	return step;
}

static void check_checkpoint(const struct oracle *oracle, struct known_task *known,
			     const char *saved)
{
	if (newest(known->restarted_at, oracle->any_restarted_at))
		known->saved = 0;
	if (step_of(saved) < known->saved)
		violation(
			"%s goes on from step %d, but step %d was acknowledged as saved",
			known->id, step_of(saved), known->saved);
}

void oracle_start(struct oracle *oracle, const struct effect *effect, struct store *store)
{
	struct known_task *known = know(oracle, effect->name);
	int type = sim_type_index(effect->type->type->name);
	uint32_t claim = sim_type_claim(type);

	trace("  START %s %s attempt %lld %s", effect->name, sim_types[type].name,
	      (long long)effect->number, effect->more ? effect->more : "");
	if (sim_workers_find_task(oracle->workers, effect->name))
		violation("%s was started while a run works on it", effect->name);
	if (oracle->estopped && claim)
		violation("%s was started after an emergency stop", effect->name);
	check_claims(oracle, effect->name, claim, true, sim_types[type].is_exclusive);
	check_slots(oracle, effect->name, sim_types[type].is_blocking);
	check_dependencies(known, store);
	check_history(oracle, known);
	check_checkpoint(oracle, known, effect->more);
	if (!known->started)
		note_first_start(oracle, known, type);
}

void oracle_resume(struct oracle *oracle, const struct sim_worker *worker)
{
	/* A run that stops is released too. */
	if (oracle->estopped && worker->claim && !worker->stop)
		violation("%s was resumed after an emergency stop", worker->id);
	check_paused(oracle, know(oracle, worker->id), "was let go on");
}

void oracle_command(struct oracle *oracle, const struct effect *effect, bool late)
{
	static const char *const moving[] = {"motor/move", "motor/home", "camera/capture",
					     "trigger/fire", NULL};
	const char *verb = effect->verb->name;
	uint32_t claim = effect->type ? 0 : sim_verb_claim(verb, effect->text);

	trace("  COMMAND %s %s", verb, effect->text);
	/* A command that was accepted earlier waits for its commit on a full disk; the
	 * rig refuses it. */
	if (oracle->estopped && !oracle->estop_unsaved && among(verb, moving))
		violation("%s was begun after an emergency stop", verb);
	if (late && among(verb, hardware))
		violation("%s had waited at the broker and was carried out", verb);
	check_claims(oracle, verb, claim, false, false);
}

void oracle_estop_released(struct oracle *oracle, bool late)
{
	trace("  the emergency stop is lifted");
	if (late)
		violation(
			"queue/resume had waited at the broker and lifted the emergency "
			"stop");
	oracle->estopped = false;
}

void oracle_saving(struct oracle *oracle, const struct sim_worker *worker)
{
	know(oracle, worker->id)->saving = step_of(worker->saved);
}

void oracle_saved(struct oracle *oracle, const struct sim_worker *worker)
{
	know(oracle, worker->id)->saved = step_of(worker->saved);
}

/* ---- published messages ---- */

static enum task_status status_in(const char *document)
{
	char name[16];

	copy_string(name, sizeof(name), behind(document, "\"status\":"));
	return (enum task_status)task_status_parse(name);
}

static void check_document(struct oracle *oracle, struct known_task *known,
			   const char *text)
{
	int64_t rev = strtoll(behind(text, "\"rev\":"), NULL, 10);
	enum task_status status = status_in(text);

	if (known->published && rev < known->rev)
		violation("the revision of %s went back from %lld to %lld", known->id,
			  (long long)known->rev, (long long)rev);
	if (known->published && rev == known->rev && status != known->status)
		violation("revision %lld of %s was published as %s and as %s",
			  (long long)rev, known->id, task_status_name(known->status),
			  task_status_name(status));
	if (known->published && known->status == TASK_COMPLETED && rev > known->rev)
		violation("%s had completed and became %s", known->id,
			  task_status_name(status));
	if (!known->published)
		client_task_seen(oracle->client, known->id);
	known->published = true;
	known->rev = rev;
	known->status = status;
	known->cancelling = says(text, "\"stopping\":", "\"cancel\"");
	if (known->cancelling || status == TASK_CANCELLED)
		known->cancelled_at = oracle->turn;
	if (status == TASK_PAUSED)
		known->paused_at = oracle->turn;
	if (oracle->published_count < PUBLISHED_MAX)
		oracle->published[oracle->published_count++] = known;
}

static void check_clearing(struct known_task *known, struct store *store)
{
	struct task *task = store_task(store, known->id);

	if (task)
		violation("the topic of %s was cleared, but the task exists", known->id);
	task_free(task);
	known->published = false;
}

static void check_event(struct oracle *oracle, const char *text, size_t size)
{
	int64_t seq = strtoll(behind(text, "\"seq\":"), NULL, 10);
	uint64_t hash = hash_of(text, size);

	if (seq < 1 || seq > oracle->last_seq + 1) {
		violation("event %lld follows event %lld", (long long)seq,
			  (long long)oracle->last_seq);
		return;
	}
	if (seq >= oracle->event_room) {
		oracle->event_room = oracle->event_room ? 2 * oracle->event_room : 512;
		oracle->events = realloc(oracle->events, (size_t)oracle->event_room *
								 sizeof(*oracle->events));
		if (!oracle->events)
			abort();
	}
	if (seq <= oracle->last_seq && oracle->events[seq] != hash)
		violation("event %lld was published twice with different contents: %s",
			  (long long)seq, text);
	oracle->events[seq] = hash;
	if (seq > oracle->last_seq)
		oracle->last_seq = seq;
}

/* Whether this command may be carried out each time it is delivered. */
static bool repeatable(const struct sim_command *command)
{
	static const char *const verbs[] = {"estop",	    "motor/stop", "agent/sync",
					    "task/get",	    "task/list",  "task/log",
					    "task/events",  "agent/ping", "settings/get",
					    "project/list", NULL};

	return command->contested || among(command->verb, verbs) ||
	       strstr(command->body, "dry_run");
}

/* A command with an id or a request is carried out once, however often it is sent; any
 * other once per sending. */
static void check_once(const struct oracle *oracle, struct sim_command *command,
		       uint64_t hash)
{
	bool named =
		command->request[0] || (is(command, "task/create") && command->id[0]);

	for (int i = 0; i < command->done_count; i++)
		if (command->done[i] == hash)
			return;
	if (command->done_count < SIM_DONE_MAX)
		command->done[command->done_count++] = hash;
	if (repeatable(command) ||
	    (!named && (oracle->may_repeat || oracle->replies_lost)))
		return;
	if (command->done_count > (named ? 1 : command->sent))
		violation("%s %s was sent %d times and carried out %d times",
			  command->verb, command->body, command->sent,
			  command->done_count);
}

static void check_done(struct oracle *oracle, struct sim_command *command,
		       const char *text, size_t size)
{
	char id[SIM_ID_SIZE];

	copy_string(id, sizeof(id), behind(text, "\"id\":"));
	if (says(text, "\"duplicate\":", "true")) {
		if (command->done_count && strcmp(id, command->done_id) != 0 &&
		    !repeatable(command))
			violation(
				"the repetition of %s is about %s, the first reply about "
				"%s",
				command->body, id, command->done_id);
		return;
	}
	if (command->retained && !command->contested)
		violation("%s was retained and carried out", command->body);
	check_once(oracle, command, hash_of(text, size));
	snprintf(command->done_id, sizeof(command->done_id), "%s", id);
	if (is(command, "task/create") && !strstr(command->body, "dry_run"))
		know(oracle, id)->accepted = true;
	if (is(command, "task/cancel") && id[0]) {
		struct known_task *known = know(oracle, id);

		known->cancelled_at = newest(known->cancelled_at, command->first_handled);
	}
}

static void check_reply(struct oracle *oracle, const struct effect *effect)
{
	struct sim_command *command =
		client_command_of_reply(oracle->client, effect->name, effect->correlation,
					effect->correlation_size);

	trace("  reply: %.*s", (int)strcspn(effect->text, "{") + 160, effect->text);
	if (says(effect->text, "\"code\":", "\"internal\""))
		violation("internal error: %s", effect->text);
	if (!command)
		return;
	command->replied = true;
	if (says(effect->text, "\"ok\":", "true"))
		check_done(oracle, command, effect->text, effect->size);
	else if (says(effect->text, "\"code\":", "\"id_conflict\"") &&
		 !command->contested)
		violation("%s %s is no conflict: %s", command->verb, command->body,
			  effect->text);
}

static bool below(const char *topic, const char *prefix)
{
	return !strncmp(topic, prefix, strlen(prefix));
}

void oracle_publish(struct oracle *oracle, const struct effect *effect,
		    struct store *store)
{
	const char *id = effect->name + strlen(OURS "task/");

	if (below(effect->name, OURS "task/") && effect->retain) {
		struct known_task *known = know(oracle, id);

		if (!effect->size) {
			trace("  cleared: %s", id);
			check_clearing(known, store);
			return;
		}
		check_document(oracle, known, effect->text);
		trace("  published: %s rev %lld %s%s", id, (long long)known->rev,
		      task_status_name(known->status),
		      known->cancelling ? ", cancelling" : "");
	} else if (!strcmp(effect->name, OURS "event")) {
		trace("  event: %.100s", effect->text);
		check_event(oracle, effect->text, effect->size);
	} else if (below(effect->name, ROOT "/_reply/") ||
		   (below(effect->name, OURS "reply/") &&
		    strcmp(effect->name, OURS "reply/_barrier") != 0)) {
		check_reply(oracle, effect);
	}
}

/* A task that is published as not running must not have an active run. */
static void check_truth(const struct oracle *oracle, const struct known_task *known)
{
	const struct sim_worker *worker =
		sim_workers_find_task(oracle->workers, known->id);

	if (!worker || known->status == TASK_RUNNING)
		return;
	if (known->status != TASK_PAUSED || !worker->parked || !worker->pause)
		violation("%s was published as %s, but its run is active", known->id,
			  task_status_name(known->status));
}

/* After an emergency stop no run may keep using hardware. */
static void check_still(const struct oracle *oracle)
{
	for (int i = 0; oracle->estopped && i < oracle->workers->count; i++) {
		const struct sim_worker *worker = &oracle->workers->workers[i];

		if (worker->run && !worker->command && !worker->over && worker->claim &&
		    !worker->stop)
			violation(
				"%s holds hardware, but the emergency stop did not reach it",
				worker->id);
	}
}

void oracle_turn_end(struct oracle *oracle)
{
	check_still(oracle);
	for (int i = 0; i < oracle->published_count; i++)
		check_truth(oracle, oracle->published[i]);
}

/* ---- the database ---- */

static bool remembered(struct store *store, const char prefix, const char *name,
		       struct dedup_record *record)
{
	char key[SIM_ID_SIZE + 1];
	bool yes;

	snprintf(key, sizeof(key), "%c%s", prefix, name);
	yes = store_dedup_find(store, key, record);
	dedup_record_clear(record);
	return yes;
}

static void check_row(const struct oracle *oracle, const struct known_task *known,
		      const struct task *row)
{
	if (known->published && row->rev < known->rev)
		violation(
			"revision %lld of %s was published, but revision %lld is on disk",
			(long long)known->rev, known->id, (long long)row->rev);
	if (known->published && row->rev == known->rev && row->status != known->status)
		violation("%s was published as %s, but is %s on disk", known->id,
			  task_status_name(known->status), task_status_name(row->status));
	if (!newest(known->restarted_at, oracle->any_restarted_at) &&
	    step_of(row->checkpoint) < known->saved)
		violation(
			"step %d of %s was acknowledged as saved, but step %d is on disk",
			known->saved, known->id, step_of(row->checkpoint));
}

static void check_known(const struct oracle *oracle, const struct known_task *known,
			struct store *store)
{
	struct task *row = store_task(store, known->id);
	struct dedup_record record = {.reply = NULL};

	if (row) {
		check_row(oracle, known, row);
		task_free(row);
		return;
	}
	if (!known->accepted && !known->published)
		return;
	if (!remembered(store, 'i', known->id, &record) || !record.status[0])
		violation("%s was %s, but is not on disk and was not deleted", known->id,
			  known->accepted ? "accepted" : "published");
}

struct load {
	int async, blocking, alone;
	uint32_t devices;
};

static void load_add(struct load *load, const struct task *row)
{
	int type = sim_type_index(row->type_name);

	if (sim_type_claim(type) & load->devices)
		violation("%s holds a device that another task holds", row->id);
	load->devices |= sim_type_claim(type);
	load->alone += sim_types[type].is_exclusive;
	if (sim_types[type].is_blocking)
		load->blocking++;
	else
		load->async++;
}

/* The tasks that are running or paused, restored ones without a run included. */
static void check_load(const struct oracle *oracle, struct store *store)
{
	struct load load = {0};

	for (int64_t number = 0;;) {
		struct task *row = store_task_after(store, number);

		if (!row)
			break;
		number = row->number;
		if (task_is_active(row))
			load_add(&load, row);
		task_free(row);
	}
	if (load.alone && load.async + load.blocking > 1)
		violation("an exclusive task is not alone: %d run or are paused",
			  load.async + load.blocking);
	if (load.async > oracle->max_concurrent ||
	    load.blocking > oracle->blocking_threads)
		violation("%d async and %d blocking tasks run or are paused", load.async,
			  load.blocking);
}

void oracle_check_rows(struct oracle *oracle, struct store *store)
{
	const struct known_task *known;

	for (known = oracle->tasks; known; known = known->hh.next)
		check_known(oracle, known, store);
	check_load(oracle, store);
	if (store_number(store, "last_seq", 0) < oracle->last_seq)
		violation("event %lld was published, but %lld is the last on disk",
			  (long long)oracle->last_seq,
			  (long long)store_number(store, "last_seq", 0));
}

/* ---- the end ---- */

static void end_row(const struct broker *broker, const struct task *row)
{
	char topic[200];
	const struct retained *retained;

	snprintf(topic, sizeof(topic), OURS "task/%s", row->id);
	retained = broker_retained(broker, topic);
	if (task_is_live(row))
		violation("%s never ends: it is %s", row->id,
			  task_status_name(row->status));
	else if (!retained)
		violation("the broker has nothing about %s", row->id);
	else if (strtoll(behind(retained->text, "\"rev\":"), NULL, 10) != row->rev ||
		 status_in(retained->text) != row->status)
		violation("the broker says of %s: %s; true is revision %lld, %s", row->id,
			  retained->text, (long long)row->rev,
			  task_status_name(row->status));
}

static void end_retained(const struct broker *broker, struct store *store)
{
	const struct retained *retained;

	for (retained = broker->state.retained; retained; retained = retained->hh.next) {
		struct task *task;

		if (!below(retained->topic, OURS "task/"))
			continue;
		task = store_task(store, retained->topic + strlen(OURS "task/"));
		if (!task)
			violation("the broker still has %s", retained->topic);
		task_free(task);
	}
}

/* A change with a dedup record must have been answered.  On a full disk the replies to
 * commands that stop hardware are not stored and may be lost with the process. */
static void end_wish(const struct oracle *oracle, const struct sim_command *command,
		     struct store *store)
{
	bool stops = is(command, "motor/stop") || is(command, "estop");
	struct dedup_record record;
	bool create = !strcmp(command->verb, "task/create") && command->id[0];

	if (!command->has_reply_topic || command->replied || command->contested ||
	    command->retained || (stops && oracle->was_full))
		return;
	record.reply = NULL;
	if ((command->request[0] && remembered(store, 'r', command->request, &record)) ||
	    (create && remembered(store, 'i', command->id, &record)))
		violation("%s %s was done and never answered", command->verb,
			  command->body);
}

static void end_topic(const struct broker *broker, const char *topic, const char *part)
{
	const struct retained *retained = broker_retained(broker, topic);

	if (!retained || !strstr(retained->text, part))
		violation("%s is %s", topic, retained ? retained->text : "not there");
}

void oracle_check_end(struct oracle *oracle, struct store *store,
		      const struct broker *broker)
{
	oracle_check_rows(oracle, store);
	for (int64_t number = 0;;) {
		struct task *row = store_task_after(store, number);

		if (!row)
			break;
		number = row->number;
		end_row(broker, row);
		task_free(row);
	}
	end_retained(broker, store);
	end_topic(broker, OURS "status", "online");
	end_topic(broker, OURS "queue", "\"running\":[],\"pending\":[],\"depth\":0");
	end_topic(broker, OURS "current", "\"status\":\"idle\"");
	for (int i = 0; i < oracle->client->count && !oracle->replies_lost; i++)
		end_wish(oracle, oracle->client->commands[i], store);
}
