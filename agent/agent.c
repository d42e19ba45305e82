#include "agent/agent.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/core.h"
#include "agent/machine.h"
#include "agent/waiter.h"
#include "agent/workers.h"
#include "mqtt/connection.h"
#include "mqtt/url.h"
#include "settings/settings.h"
#include "tasks/project.h"

#define CALLBACK_WAIT_MS 45000 /* below the keep alive of 60 s, see mqtt/connection.h */
#define HEALTH_MS 60000
#define OFFLINE_WAIT_MS 2000
#define KEEP_ALIVE_S 60
#define MB 1000000

struct agent {
	struct settings *settings;
	/* copies: those of the settings change with them */
	char root[TOPIC_MAX], device[NAME_MAX_LENGTH + 1], birth_prefix[TOPIC_MAX];
	char state_dir[4096];
	cJSON *groups, *problems;
	struct registry *registry;
	struct rig *rig;
	struct projects *projects;
	struct task_services services;
	struct mailbox *mailbox;
	struct workers *workers;
	struct core *core;
	struct connection *connection;
	struct core_device devices[CORE_DEVICES_MAX];
	atomic_bool device_changed[CORE_DEVICES_MAX];
	size_t device_count;
	char boot[17], store[17];
	struct machine machine;
	struct reserve_file reserve;
	int64_t health_at;
	int signals;
	bool stopped;       /* all is at rest */
	bool offline_sent;  /* the broker has it */
	uint64_t offline_token;
	uint32_t epoch;     /* of the connection, 0 while it is down */
	atomic_int mqtt_version; /* of the newest connection */
};

/* ---- reflexes: called by the core at once ---- */

static void reflex_pause_run(void *context, uint64_t run)
{
	struct agent *agent = context;

	workers_pause(agent->workers, run);
}

static void reflex_stop_run(void *context, uint64_t run, bool estopped)
{
	struct agent *agent = context;

	workers_stop(agent->workers, run, estopped);
}

static void reflex_stop_motion(void *context)
{
	struct agent *agent = context;

	rig_stop_motion(agent->rig);
}

static void reflex_estop(void *context)
{
	struct agent *agent = context;

	rig_estop(agent->rig);
}

/* ---- the rig's and the connection's threads ---- */

/* One event at most waits for each device: its state is read when the loop takes it. */
static void on_device_changed(void *context, enum device_kind kind, const char *name)
{
	struct agent *agent = context;

	for (size_t i = 0; i < agent->device_count; i++) {
		struct event *event;

		if (agent->devices[i].kind != kind || strcmp(agent->devices[i].name, name) != 0)
			continue;
		if (atomic_exchange(&agent->device_changed[i], true))
			return;
		event = event_new(EVENT_DEVICE);
		if (!event)
			abort();
		event->token = i;
		mailbox_post(agent->mailbox, event);
		return;
	}
}

/* An emergency stop and a stop of motion act before anything else happens. */
static void act_on_stops(struct agent *agent, const struct incoming *message)
{
	struct topic topic;

	topic_parse(agent->root, agent->device, message->topic, &topic);
	if (topic.kind != TOPIC_COMMAND || message->retained)
		return;
	/* Over 3.1.1 an empty motor/stop is refused: it may be our own clearing. */
	if (!strcmp(topic.noun, "estop") && !topic.verb[0])
		rig_estop(agent->rig);
	else if ((message->size || atomic_load(&agent->mqtt_version) == 5) &&
		 !strcmp(topic.noun, "motor") && !strcmp(topic.verb, "stop") &&
		 topic.scope == SCOPE_DEVICE)
		rig_stop_motion(agent->rig);
}

static struct event *message_event(uint32_t epoch, const struct incoming *message)
{
	struct event *event = event_new(EVENT_MESSAGE);

	if (!event || event_set_data(event, message->payload, message->size) < 0)
		abort();
	event->epoch = epoch;
	event->topic = strdup(message->topic);
	event->retained = message->retained;
	event->duplicate = message->duplicate;
	event->number = message->qos ? message->packet_id : 0;
	if (message->response_topic)
		event->response_topic = strdup(message->response_topic);
	if (message->correlation) {
		event->correlation = malloc(message->correlation_size + 1);
		if (!event->correlation)
			abort();
		memcpy(event->correlation, message->correlation, message->correlation_size);
		event->correlation_size = message->correlation_size;
	}
	return event;
}

/* The PUBACK leaves when this returns: after the commit, or never. */
static void on_message(void *context, uint32_t epoch, const struct incoming *message)
{
	struct agent *agent = context;
	struct event *event;
	struct waiter waiter;

	act_on_stops(agent, message);
	event = message_event(epoch, message);
	waiter_init(&waiter);
	event->waiter = &waiter;
	mailbox_post(agent->mailbox, event);
	if (!waiter_wait(&waiter, CALLBACK_WAIT_MS)) {
		log_error("the loop did not commit within %d s: the agent ends unacknowledged",
			  CALLBACK_WAIT_MS / 1000);
		rig_estop(agent->rig);
		_exit(AGENT_EXIT_NOT_COMMITTED);
	}
	waiter_destroy(&waiter);
}

static struct event *link_event_new(enum event_kind kind, uint32_t epoch)
{
	struct event *event = event_new(kind);

	if (!event)
		abort();
	event->epoch = epoch;
	return event;
}

static void on_up(void *context, uint32_t epoch, bool session_present, unsigned window, int version)
{
	struct agent *agent = context;
	struct event *event = link_event_new(EVENT_LINK_UP, epoch);

	atomic_store(&agent->mqtt_version, version);
	event->flag = session_present;
	event->number = window;
	event->version = version;
	mailbox_post(agent->mailbox, event);
}

static void on_down(void *context, uint32_t epoch, const char *why)
{
	struct agent *agent = context;

	log_info("disconnected: %s", why);
	mailbox_post(agent->mailbox, link_event_new(EVENT_LINK_DOWN, epoch));
}

static void on_sent(void *context, uint32_t epoch, uint64_t token, bool ok)
{
	struct agent *agent = context;
	struct event *event = link_event_new(EVENT_SENT, epoch);

	event->token = token;
	event->flag = ok;
	mailbox_post(agent->mailbox, event);
}

static void on_subscribed(void *context, uint32_t epoch, uint64_t token, bool ok)
{
	struct agent *agent = context;
	struct event *event = link_event_new(EVENT_SUBSCRIBED, epoch);

	event->token = token;
	event->flag = ok;
	mailbox_post(agent->mailbox, event);
}

/* ---- effects ---- */

static void do_start(struct agent *agent, const struct effect *effect)
{
	struct run_order order = {
		.run = effect->run,
		.type = effect->type,
		.task = effect->kind == EFFECT_START ? effect->name : NULL,
		.verb = effect->name,
		.args = effect->text,
		.saved = effect->more,
		.attempt = (int)effect->number,
	};

	workers_start(agent->workers, &order);
}

static void do_publish(struct agent *agent, const struct effect *effect)
{
	struct outgoing message = {
		.token = effect->token,
		.topic = effect->name,
		.payload = effect->text,
		.size = effect->size,
		.qos = effect->qos,
		.retain = effect->retain,
		.expiry_s = effect->expiry_s,
		.correlation = effect->correlation,
		.correlation_size = effect->correlation_size,
	};

	connection_publish(agent->connection, effect->epoch, &message);
}

/* Subscriptions of one token go out together; returns the last effect of them. */
static const struct effect *do_subscribe(struct agent *agent, const struct effect *effect)
{
	struct filter filters[64];
	const struct effect *last = effect;
	size_t n = 0;

	for (const struct effect *e = effect; e && n < 64; e = e->next) {
		if (e->kind == EFFECT_UNSUBSCRIBE)
			break;
		if (e->kind != EFFECT_SUBSCRIBE || e->token != effect->token)
			continue;
		filters[n++] = (struct filter){
			.topic = e->name,
			.qos = e->qos,
			.no_local = e->no_local,
			.retain_as_published = e->as_published,
			.retain_handling = e->handling,
		};
		last = e;
	}
	connection_subscribe(agent->connection, effect->epoch, effect->token, filters, n);
	return last;
}

static void agent_carry_out(struct agent *agent, struct effects *effects)
{
	for (const struct effect *effect = effects->first; effect; effect = effect->next) {
		const char *topics[1] = {effect->name};

		switch (effect->kind) {
		case EFFECT_RELEASE:
			waiter_release(effect->waiter);
			break;
		case EFFECT_START:
		case EFFECT_ACT:
			do_start(agent, effect);
			break;
		case EFFECT_GO_ON:
			workers_go_on(agent->workers, effect->run);
			break;
		case EFFECT_PUBLISH:
			do_publish(agent, effect);
			break;
		case EFFECT_SUBSCRIBE:
			effect = do_subscribe(agent, effect);
			break;
		case EFFECT_UNSUBSCRIBE:
			connection_unsubscribe(agent->connection, effect->epoch, 0, topics, 1);
			break;
		case EFFECT_LINK_RESTART:
			connection_restart(agent->connection, effect->number);
			break;
		case EFFECT_RELEASE_ESTOP:
			rig_release_estop(agent->rig);
			break;
		case EFFECT_STOPPED:
			agent->stopped = true;
			break;
		}
	}
	effects_clear(effects);
}

/* ---- the loop ---- */

static struct now now(void)
{
	return (struct now){.ms = clock_monotonic_ms(), .wall = clock_wall_ms()};
}

static void read_device(struct agent *agent, struct event *event)
{
	const struct core_device *device = &agent->devices[event->token];
	size_t i = 0;
	cJSON *state;

	atomic_store(&agent->device_changed[event->token], false);
	while (strcmp(rig_name(agent->rig, device->kind, i), device->name) != 0)
		i++;
	state = rig_state(agent->rig, device->kind, i);
	if (asprintf(&event->topic, "%s/%s", device_kind_name(device->kind), device->name) < 0)
		abort();
	event->data = json_text(state);
	cJSON_Delete(state);
}

/* Facts that stand outside the core are put into the events as they are taken. */
static void agent_see(struct agent *agent, struct event *events)
{
	for (struct event *event = events; event; event = event->next) {
		workers_see(agent->workers, event);
		if (event->kind == EVENT_DEVICE && !event->data)
			read_device(agent, event);
		if (event->kind == EVENT_LINK_UP)
			agent->epoch = event->epoch;
		if (event->kind == EVENT_LINK_DOWN && event->epoch == agent->epoch)
			agent->epoch = 0;
		if (event->kind == EVENT_SENT && agent->offline_token &&
		    event->token == agent->offline_token)
			agent->offline_sent = true;
	}
}

static struct event *health_event(struct agent *agent, int64_t ms)
{
	struct event *event = event_new(EVENT_HEALTH);
	cJSON *health = machine_look(&agent->machine, projects_root(agent->projects), ms);

	if (!event)
		abort();
	event->data = json_text(health);
	cJSON_Delete(health);
	return event;
}

/* What was not committed is not told and not acknowledged: the process ends here, the broker
 * delivers again, the supervisor starts the agent again. */
static void agent_die_uncommitted(struct agent *agent, const struct err *err)
{
	log_error("cannot commit: %s", err->text);
	rig_estop(agent->rig);
	_exit(AGENT_EXIT_NOT_COMMITTED);
}

static void agent_turn(struct agent *agent)
{
	struct event *events = mailbox_take(agent->mailbox, CORE_TURN_EVENTS);
	struct effects effects;
	struct now at = now();
	struct err err;

	agent_see(agent, events);
	if (at.ms >= agent->health_at) {
		struct event *health = health_event(agent, at.ms);

		agent->health_at = at.ms + HEALTH_MS;
		health->next = events;
		events = health;
	}
	effects_init(&effects);
	if (core_turn(agent->core, events, at, &effects, &err) < 0)
		agent_die_uncommitted(agent, &err);
	agent_carry_out(agent, &effects);
	while (events) {
		struct event *event = events;

		events = event->next;
		event_free(event);
	}
}

static int poll_timeout(const struct agent *agent, int64_t until)
{
	int64_t wake = core_wake(agent->core);
	int64_t left;

	if (wake < 0 || wake > agent->health_at)
		wake = agent->health_at;
	if (until >= 0 && wake > until)
		wake = until;
	left = wake - clock_monotonic_ms();
	return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static void on_signal(struct agent *agent)
{
	struct signalfd_siginfo info;

	if (read(agent->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	log_info("%s: stopping in order", strsignal((int)info.ssi_signo));
	mailbox_post(agent->mailbox, link_event_new(EVENT_STOP, 0));
}

/* Turns until done() says so or the time (monotonic ms, -1: none) has come. */
static void agent_run_until(struct agent *agent, bool (*done)(const struct agent *agent),
			    int64_t until)
{
	while (!done(agent) && (until < 0 || clock_monotonic_ms() < until)) {
		struct pollfd fds[] = {
			{.fd = mailbox_fd(agent->mailbox), .events = POLLIN},
			{.fd = agent->signals, .events = POLLIN},
		};

		poll(fds, 2, poll_timeout(agent, until));
		if (fds[1].revents)
			on_signal(agent);
		agent_turn(agent);
	}
}

/* ---- stopping ---- */

static bool is_stopping(const struct agent *agent)
{
	return agent->core->stopping;
}

static bool is_stopped(const struct agent *agent)
{
	return agent->stopped;
}

static bool has_told_all(const struct agent *agent)
{
	return !agent->epoch || outbox_depth(agent->core->outbox) == 0;
}

static bool has_told_offline(const struct agent *agent)
{
	return !agent->epoch || agent->offline_sent;
}

static bool is_disconnected(const struct agent *agent)
{
	return !agent->epoch;
}

static void agent_say_offline(struct agent *agent)
{
	char topic[TOPIC_MAX];
	struct outgoing message = {
		.token = UINT64_MAX,
		.topic = topic_make(topic, agent->root, agent->device, "status"),
		.payload = "offline",
		.size = strlen("offline"),
		.qos = 1,
		.retain = true,
	};

	agent->offline_token = message.token;
	connection_publish(agent->connection, agent->epoch, &message);
}

static void agent_stop(struct agent *agent)
{
	int64_t timeout = settings_int(agent->settings, "agent.stop_timeout_s") * 1000;
	int64_t until = agent->core->stop_asked + timeout;

	agent_run_until(agent, is_stopped, until);
	if (!agent->stopped)
		log_warn("some tasks did not stop within %lld s", (long long)timeout / 1000);
	agent_run_until(agent, has_told_all, clock_monotonic_ms() + OFFLINE_WAIT_MS);
	agent_say_offline(agent);
	agent_run_until(agent, has_told_offline, clock_monotonic_ms() + OFFLINE_WAIT_MS);
	/* The loop goes on meanwhile: a message that came last still waits for its commit. */
	connection_finish(agent->connection, OFFLINE_WAIT_MS);
	agent_run_until(agent, is_disconnected, clock_monotonic_ms() + OFFLINE_WAIT_MS);
}

/* ---- settings ---- */

static void read_tunables(const struct settings *s, struct tunables *tunables)
{
	*tunables = (struct tunables){
		.max_concurrent = (int)settings_int(s, "scheduler.max_concurrent"),
		.max_pause_ms = settings_int(s, "scheduler.max_pause_s") * 1000,
		.kill_after_ms = settings_int(s, "tasks.kill_after_s") * 1000,
		.reply_spread_ms = settings_int(s, "fleet.reply_spread_ms"),
		.keep_tasks = settings_int(s, "agent.keep_tasks"),
		.keep_ms = settings_int(s, "agent.keep_days") * 24 * 3600 * 1000,
		.group_motion = settings_bool(s, "fleet.group_motion"),
	};
}

static cJSON *read_values(void *context)
{
	struct agent *agent = context;

	return settings_values(agent->settings);
}

static cJSON *read_restart_needed(void *context)
{
	struct agent *agent = context;

	return settings_restart_needed(agent->settings);
}

static int change_settings(void *context, const cJSON *changes, struct tunables *tunables,
			   struct err *err)
{
	struct agent *agent = context;
	int ret = settings_set(agent->settings, changes, err);

	if (ret < 0)
		return ret;
	read_tunables(agent->settings, tunables);
	log_set_level(
		(enum log_level)log_level_parse(settings_string(agent->settings, "log_level")));
	return 0;
}

/* ---- opening ---- */

static int random_name(char name[17], struct err *err)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_set(err, -errno, "no random numbers: %s", strerror(errno));
	snprintf(name, 17, "%016llx", (unsigned long long)random);
	return 0;
}

/* mkdir -p */
static int make_folder(const char *path, struct err *err)
{
	char part[4096];

	for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		size_t length = slash ? (size_t)(slash - path) : strlen(path);

		if (length >= sizeof(part))
			return err_set(err, -ENAMETOOLONG, "%s: the path is too long", path);
		memcpy(part, path, length);
		part[length] = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return err_code(err, -errno, "storage_error", "%s: %s", part,
					strerror(errno));
		if (!slash)
			return 0;
	}
}

static int open_rig(struct agent *agent, struct err *err)
{
	struct rig_options options = {
		.state_dir = agent->state_dir,
		.sim_speed = settings_number(agent->settings, "sim_speed"),
		.assume_position_after_power_cut =
			settings_bool(agent->settings, "motion.assume_position_after_power_cut"),
		.changed = on_device_changed,
		.context = agent,
	};
	cJSON *config;
	int ret = settings_device(agent->settings, &config, err);

	if (ret < 0)
		return ret;
	ret = rig_open(&agent->rig, config, &options, err);
	cJSON_Delete(config);
	return ret;
}

/* Every device gets a number, and its first state goes out. */
static int list_devices(struct agent *agent, struct err *err)
{
	for (int kind = 0; kind < DEVICE_KINDS; kind++) {
		for (size_t i = 0; i < rig_count(agent->rig, (enum device_kind)kind); i++) {
			if (agent->device_count == CORE_DEVICES_MAX)
				return err_set(err, -ENOSPC, "the device config has more than %d devices",
					       CORE_DEVICES_MAX);
			agent->devices[agent->device_count++] = (struct core_device){
				.kind = (enum device_kind)kind,
				.name = rig_name(agent->rig, (enum device_kind)kind, i),
			};
		}
	}
	return 0;
}

static const char **string_list(const cJSON *list)
{
	const char **strings = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(*strings));
	const cJSON *item;
	size_t n = 0;

	if (!strings)
		abort();
	cJSON_ArrayForEach(item, list)
		strings[n++] = item->valuestring;
	return strings;
}

static int open_registry(struct agent *agent, const struct type_offer *extra, struct err *err)
{
	const struct settings *s = agent->settings;
	const char **namespaces = string_list(settings_list(s, "task_autodiscovery_namespaces"));
	const char **ignored = string_list(settings_list(s, "task_autodiscovery_ignore_modules"));
	struct registry_options options = {
		.enabled = settings_bool(s, "task_autodiscovery_enabled"),
		.namespaces = namespaces,
		.include_subpackages = settings_bool(s, "task_autodiscovery_include_subpackages"),
		.ignore_modules = ignored,
		.override_on_conflict = settings_bool(s, "task_autodiscovery_override_on_conflict"),
	};
	int ret = registry_open(&agent->registry, &options, extra, err);

	free(namespaces);
	free(ignored);
	return ret;
}

static int open_core(struct agent *agent, struct effects *effects, struct err *err)
{
	const struct settings *s = agent->settings;
	struct core_options options = {
		.root = agent->root,
		.device = agent->device,
		.state_dir = agent->state_dir,
		.registry = agent->registry,
		.devices = agent->devices,
		.device_count = agent->device_count,
		.backend = rig_backend(agent->rig),
		.boot = agent->boot,
		.new_store = agent->store,
		.seed = strtoull(agent->boot, NULL, 16),
		.blocking_threads = (int)settings_int(s, "scheduler.blocking_threads"),
		.groups = agent->groups,
		.birth_prefix = agent->birth_prefix,
		.settings = {.context = agent,
			     .values = read_values,
			     .restart_needed = read_restart_needed,
			     .set = change_settings},
		.problems = agent->problems,
		.reserve = reserve_in(&agent->reserve, agent->state_dir),
		.reflexes = {.context = agent,
			     .pause_run = reflex_pause_run,
			     .stop_run = reflex_stop_run,
			     .stop_motion = reflex_stop_motion,
			     .estop = reflex_estop},
	};

	read_tunables(s, &options.tunables);
	return core_open(&agent->core, &options, now(), effects, err);
}

static int open_connection(struct agent *agent, struct err *err)
{
	const struct settings *s = agent->settings;
	char will[TOPIC_MAX];
	struct connection_options options = {
		.url = settings_string(s, "mqtt.url"),
		.user = settings_string(s, "mqtt.user"),
		.password_file = settings_string(s, "mqtt.password_file"),
		.ca_file = settings_string(s, "mqtt.ca_file"),
		.cert_file = settings_string(s, "mqtt.cert_file"),
		.key_file = settings_string(s, "mqtt.key_file"),
		.client_id = agent->device,
		.will_topic = topic_make(will, agent->root, agent->device, "status"),
		.will_text = "lost",
		.session_expiry_s = (int)settings_int(s, "mqtt.session_expiry_s"),
		.reconnect_max_s = (int)settings_int(s, "mqtt.reconnect_max_s"),
		.keep_alive_s = KEEP_ALIVE_S,
	};
	struct connection_callbacks callbacks = {
		.context = agent,
		.up = on_up,
		.down = on_down,
		.message = on_message,
		.sent = on_sent,
		.subscribed = on_subscribed,
	};

	return connection_open(&agent->connection, &options, &callbacks, err);
}

/* Signals come by a descriptor; every thread made later inherits the mask. */
static int open_signals(struct agent *agent, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	agent->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (agent->signals < 0)
		return err_set(err, -errno, "signalfd: %s", strerror(errno));
	return 0;
}

static int agent_open(struct agent *agent, const struct type_offer *extra, struct err *err)
{
	const struct settings *s = agent->settings;
	struct effects effects;
	int ret;

	snprintf(agent->root, sizeof(agent->root), "%s", settings_string(s, "mqtt.root"));
	snprintf(agent->device, sizeof(agent->device), "%s", settings_string(s, "device.id"));
	snprintf(agent->birth_prefix, sizeof(agent->birth_prefix), "%s",
		 settings_string(s, "homeassistant.prefix"));
	agent->groups = cJSON_Duplicate(settings_list(s, "fleet.groups"), true);
	agent->problems = cJSON_Duplicate(settings_problems(s), true);
	snprintf(agent->state_dir, sizeof(agent->state_dir), "%s", settings_string(s, "state_dir"));
	machine_init(&agent->machine, clock_monotonic_ms());
	effects_init(&effects);

	if ((ret = open_signals(agent, err)) < 0 || (ret = random_name(agent->boot, err)) < 0 ||
	    (ret = random_name(agent->store, err)) < 0 ||
	    (ret = make_folder(agent->state_dir, err)) < 0 ||
	    (ret = open_registry(agent, extra, err)) < 0 ||
	    (ret = projects_open(&agent->projects, settings_string(s, "project_dir"), err)) < 0 ||
	    (ret = mailbox_open(&agent->mailbox, err)) < 0 || (ret = open_rig(agent, err)) < 0 ||
	    (ret = list_devices(agent, err)) < 0)
		return ret;
	agent->services = (struct task_services){
		.rig = agent->rig,
		.projects = agent->projects,
		.min_free_bytes = settings_int(s, "projects.min_free_mb") * MB,
	};
	if ((ret = workers_open(&agent->workers, agent->mailbox, &agent->services, err)) < 0 ||
	    (ret = open_core(agent, &effects, err)) < 0)
		return ret;
	for (size_t i = 0; i < agent->device_count; i++)
		on_device_changed(agent, agent->devices[i].kind, agent->devices[i].name);
	ret = open_connection(agent, err);
	if (ret == 0)
		agent_carry_out(agent, &effects);
	effects_clear(&effects);
	return ret;
}

static void agent_close(struct agent *agent)
{
	bool ended;

	connection_close(agent->connection, OFFLINE_WAIT_MS);
	ended = workers_close(agent->workers, 0);
	core_close(agent->core);
	rig_close(agent->rig);
	/* A thread that did not end still uses what stands below; the process ends now anyway. */
	if (!ended)
		_exit(EXIT_SUCCESS);
	projects_close(agent->projects);
	mailbox_close(agent->mailbox);
	registry_close(agent->registry);
	settings_free(agent->settings);
	cJSON_Delete(agent->groups);
	cJSON_Delete(agent->problems);
	if (agent->signals >= 0)
		close(agent->signals);
}

static int agent_serve(struct agent *agent, const struct type_offer *extra)
{
	struct err err;

	agent->signals = -1;
	if (agent_open(agent, extra, &err) < 0) {
		log_error("%s", err.text);
		agent_close(agent);
		return EXIT_FAILURE;
	}
	log_info("openscan-agent %s: device %s, %s rig, state in %s", OPENSCAN_VERSION,
		 agent->device, rig_backend(agent->rig), agent->state_dir);
	agent_run_until(agent, is_stopping, -1);
	agent_stop(agent);
	agent_close(agent);
	return EXIT_SUCCESS;
}

/* ---- the command line ---- */

static void print_usage(FILE *to)
{
	fputs("usage: openscan-agent [--config FILE] [--check-config] [--print-config] [--version]\n"
	      "\n"
	      "Drives a photogrammetry rig over MQTT.  mqtt/README.md describes topics, commands\n"
	      "and the environment variables that set it up.\n",
	      to);
}

static const char *environment(const char *name)
{
	return getenv(name);
}

/* /proc tells a process's environment to everybody of the same user for as long as it runs. */
static void hide_password(void)
{
	char *url = getenv("OPENSCAN_MQTT_URL");

	if (url)
		url_hide_password(url);
}

static int print_config(const struct settings *settings)
{
	cJSON *values = settings_values(settings);
	char *text = cJSON_Print(values);

	puts(text);
	free(text);
	cJSON_Delete(values);
	return EXIT_SUCCESS;
}

enum { OPTION_CONFIG = 1, OPTION_CHECK, OPTION_PRINT, OPTION_VERSION, OPTION_HELP };

int agent_main(int argc, char **argv, const struct type_offer *extra)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, OPTION_CONFIG},
		{"check-config", no_argument, NULL, OPTION_CHECK},
		{"print-config", no_argument, NULL, OPTION_PRINT},
		{"version", no_argument, NULL, OPTION_VERSION},
		{"help", no_argument, NULL, OPTION_HELP},
		{NULL, 0, NULL, 0},
	};
	struct settings_source source = {.system_dir = "/etc/openscan-agent", .env = environment};
	static struct agent agent;
	bool check = false, print = false;
	struct err err;
	int option, ret;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == OPTION_CONFIG) {
			source.config_file = optarg;
		} else if (option == OPTION_CHECK) {
			check = true;
		} else if (option == OPTION_PRINT) {
			print = true;
		} else if (option == OPTION_VERSION) {
			puts("openscan-agent " OPENSCAN_VERSION);
			return EXIT_SUCCESS;
		} else {
			print_usage(option == OPTION_HELP ? stdout : stderr);
			return option == OPTION_HELP ? EXIT_SUCCESS : AGENT_EXIT_USAGE;
		}
	}
	ret = settings_load(&agent.settings, &source, &err);
	hide_password();
	if (ret < 0) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_FAILURE;
	}
	log_set_level((enum log_level)log_level_parse(settings_string(agent.settings, "log_level")));
	if (check || print) {
		ret = print ? print_config(agent.settings) : EXIT_SUCCESS;

		if (check)
			puts("the configuration is in order");
		settings_free(agent.settings);
		return ret;
	}
	return agent_serve(&agent, extra);
}
