/* The MQTT session: subscriptions, the barrier behind the backlog, the sweep of stale
 * retained topics, and rivals that use the same device id. */
#include "agent/core/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/base/utf8.h"
#include "agent/core/homeassistant.h"
#include "agent/core/lifecycle.h"
#include "agent/core/status.h"

#define BARRIER_AGAIN_MS 5000
#define PUBLISH_AGAIN_MS 60000
#define RIVAL_BACK_OFF_MS 60000
#define SWEEP_DELAY_MS (5 * 60 * 1000)

static char *make_topic(const struct core *core, char topic[TOPIC_MAX], const char *rest)
{
	return topic_make(topic, core->options.root, core->options.device, "%s", rest);
}

/* ---- subscriptions ---- */

static struct effect *subscribe(struct core *core, const char *topic, int qos)
{
	struct effect *effect = effects_add(core->immediate, EFFECT_SUBSCRIBE);

	effect->epoch = core->session.epoch;
	effect->token = core->session.subscribe_token;
	task_set_text(&effect->name, topic);
	effect->qos = qos;
	return effect;
}

/* Subscribes to commands.  Retain Handling 1 delivers a retained command just once,
 * Retain As Published shows that a live one has the retain flag, No Local keeps our own
 * clearings of retained commands out. */
static void subscribe_commands(struct core *core, const char *topic)
{
	struct effect *effect = subscribe(core, topic, 1);

	effect->no_local = true;
	effect->as_published = true;
	effect->handling = 1;
}

static void unsubscribe(struct core *core, const char *topic)
{
	struct effect *effect = effects_add(core->immediate, EFFECT_UNSUBSCRIBE);

	effect->epoch = core->session.epoch;
	task_set_text(&effect->name, topic);
}

static void group_filter(const struct core *core, const char *group,
			 char topic[TOPIC_MAX])
{
	snprintf(topic, TOPIC_MAX, "%s/_group/%s/cmd/#", core->options.root, group);
}

/* Subscriptions outlive the connection: those of groups that this agent has left must be
 * cancelled.  The store keeps the list that was subscribed last. */
static void subscribe_groups(struct core *core)
{
	char topic[TOPIC_MAX], known[2048];
	char *text = json_text(core->options.groups);
	const cJSON *group;

	store_text(core->store, "groups", known, sizeof(known));
	cJSON *before = cJSON_Parse(known);
	cJSON_ArrayForEach(group, before) {
		const cJSON *still;
		bool stays = false;

		cJSON_ArrayForEach(still, core->options.groups)
			stays |= !strcmp(still->valuestring, group->valuestring);
		if (stays)
			continue;
		group_filter(core, group->valuestring, topic);
		unsubscribe(core, topic);
	}
	cJSON_Delete(before);
	cJSON_ArrayForEach(group, core->options.groups) {
		group_filter(core, group->valuestring, topic);
		subscribe_commands(core, topic);
	}
	if (strcmp(known, text) != 0)
		store_set_text(core->store, "groups", text);
	free(text);
}

static void unsubscribe_sweep(struct core *core)
{
	char topic[TOPIC_MAX];

	unsubscribe(core, make_topic(core, topic, "task/+"));
	unsubscribe(core, make_topic(core, topic, "types/+"));
}

static void subscribe_all(struct core *core)
{
	char topic[TOPIC_MAX];

	core->session.subscribe_token = ++core->next_token;
	unsubscribe_sweep(core);
	subscribe_commands(core, make_topic(core, topic, "cmd/#"));
	snprintf(topic, sizeof(topic), "%s/_all/cmd/#", core->options.root);
	subscribe_commands(core, topic);
	subscribe_groups(core);
	/* Shows other agents with our device id: their retained info and live ones. */
	subscribe(core, make_topic(core, topic, "info"), 1)->no_local = true;
	snprintf(topic, sizeof(topic), "%s/status", core->options.birth_prefix);
	subscribe(core, topic, 1)->handling = 2;
	subscribe(core, make_topic(core, topic, "reply/_barrier"), 1)->handling = 2;
}

/* ---- the barrier ---- */

/* A QoS 1 message to ourselves arrives behind the backlog of the session. */
static void send_barrier(struct core *core)
{
	char topic[TOPIC_MAX], payload[64];

	core->session.barrier_at = core->now.ms;
	snprintf(payload, sizeof(payload), "%s %lld", core->options.boot,
		 (long long)++core->session.barrier_number);
	core_publish(core, make_topic(core, topic, "reply/_barrier"), payload, 1, false);
}

static void end_sweep(struct core *core)
{
	core->session.sweeping = false;
	unsubscribe_sweep(core);
}

/* Publishes all retained topics again, then sweeps.  Session present does not mean that
 * the broker still has the right values; but over a connection that keeps breaking not
 * everything is published each time, see may_publish_all(). */
static void publish_all(struct core *core)
{
	struct session *session = &core->session;

	session->publish_due = false;
	status_publish_all(core);
	if (session->sweep_at < 0)
		session->sweep_at = core->now.ms;
}

static bool may_publish_all(const struct core *core)
{
	const struct session *session = &core->session;

	return !session->published_at ||
	       core->now.ms - session->published_at >= PUBLISH_AGAIN_MS;
}

static void session_ready(struct core *core)
{
	struct session *session = &core->session;

	session->phase = SESSION_READY;
	outbox_backlog_received(core->outbox, core->next_token);
	session->publish_due = true;
	/* A broker without our session has lost the retained topics as well. */
	if (!session->session_present || may_publish_all(core))
		publish_all(core);
	status_publish_info(core);
	status_publish_availability(core);
	session->info_known = true;
}

static void handle_barrier(struct core *core, const struct event *event)
{
	char payload[64];

	snprintf(payload, sizeof(payload), "%s %lld", core->options.boot,
		 (long long)core->session.barrier_number);
	if (strcmp(event->data, payload) != 0)
		return;
	if (core->session.phase == SESSION_BARRIER)
		session_ready(core);
	else if (core->session.sweeping)
		end_sweep(core);
}

/* ---- the sweep ---- */

/* Receives the retained task and type topics, and clears those of tasks and types that no
 * longer exist. */
static void begin_sweep(struct core *core)
{
	char topic[TOPIC_MAX];

	core->session.sweep_at = -1;
	core->session.sweeping = true;
	core->session.subscribe_token = ++core->next_token;
	subscribe(core, make_topic(core, topic, "task/+"), 0)->no_local = true;
	subscribe(core, make_topic(core, topic, "types/+"), 0)->no_local = true;
}

static void sweep_task(struct core *core, const struct event *event, const char *id)
{
	struct task *ended;

	if (!core->session.sweeping || !event->retained || !event->size)
		return;
	if (!core_find_task(core, id, &ended))
		outbox_add_clearing(core->outbox, event->topic, core_age(core));
	task_free(ended);
}

/* A type has no row in the store: its topic is cleared through telemetry. */
static void sweep_type(struct core *core, const struct event *event, const char *name)
{
	if (core->session.sweeping && event->retained && event->size &&
	    !registry_find(core->options.registry, name))
		status_clear_type(core, name);
}

/* ---- rivals ---- */

static void report_rival(struct core *core, const char *boot)
{
	cJSON *data = cJSON_CreateObject();
	char shown[17];

	/* Anyone may have published it. */
	snprintf(shown, sizeof(shown), "%s", boot);
	utf8_trim(shown);
	core_problem(
		core,
		"another agent (boot %s) uses the device id '%.64s': this one keeps away for a "
		"minute or two",
		shown, core->options.device);
	cJSON_AddStringToObject(data, "boot", shown);
	core_emit_event(core, "duplicate_device", NULL, data);
	core->session.sweep_at = core->now.ms + SWEEP_DELAY_MS;
	core->session.back_off_ms =
		RIVAL_BACK_OFF_MS + (int64_t)(core_random(core) % RIVAL_BACK_OFF_MS);
}

void session_back_off(struct core *core)
{
	if (core->session.back_off_ms == 0)
		return;
	effects_add(core->immediate, EFFECT_RECONNECT)->number =
		core->session.back_off_ms;
	core->session.back_off_ms = 0;
}

static void handle_info(struct core *core, const struct event *event)
{
	cJSON *info = event->size ? json_parse(event->data, event->size, NULL) : NULL;
	const char *boot = json_string(info, "boot");
	const char *store = json_string(info, "store");
	bool foreign = boot && store && strcmp(boot, core->options.boot) != 0;
	bool other_store = foreign && strcmp(store, core->store_name) != 0;
	/* Without No Local (MQTT 3.1.1) our own last message may come back after a kill.
	 */
	bool ourselves = !other_store && core->session.phase != SESSION_READY;
	bool live = !event->retained && !ourselves;

	/* A live message: a rival is connected now.  A retained one: it was after us. */
	if (foreign && (live || (other_store && core->session.info_known)))
		report_rival(core, boot);
	else if (other_store)
		core->session.sweep_at = core->now.ms + SWEEP_DELAY_MS;
	cJSON_Delete(info);
}

bool session_message(struct core *core, const struct event *event,
		     const struct topic *topic)
{
	switch (topic->kind) {
	case TOPIC_BARRIER:
		handle_barrier(core, event);
		return true;
	case TOPIC_INFO:
		handle_info(core, event);
		return true;
	case TOPIC_TASK:
		sweep_task(core, event, topic->name);
		return true;
	case TOPIC_TYPE:
		sweep_type(core, event, topic->name);
		return true;
	case TOPIC_BIRTH:
		if (event->data && !strcmp(event->data, "online"))
			homeassistant_birth(core);
		return true;
	case TOPIC_OTHER:
		return true;
	case TOPIC_COMMAND:
		break;
	}
	return false;
}

/* ---- up and down ---- */

static void session_up(struct core *core, const struct event *event)
{
	struct session *session = &core->session;

	session->phase = SESSION_SUBSCRIBING;
	session->epoch = event->epoch;
	session->window = (unsigned)event->number;
	session->version = event->version;
	session->session_present = event->flag;
	session->sweeping = false;
	outbox_connected(core->outbox);
	if (!session->session_present)
		outbox_new_session(core->outbox);
	subscribe_all(core);
}

static void session_down(struct core *core, const struct event *event)
{
	if (core->session.phase == SESSION_DOWN || event->epoch != core->session.epoch)
		return;
	core->session.phase = SESSION_DOWN;
	core->session.sweeping = false;
	core->session.reconnects++;
	outbox_disconnected(core->outbox);
	telemetry_disconnected(core->telemetry);
}

static void session_subscribed(struct core *core, const struct event *event)
{
	struct session *session = &core->session;

	if (event->epoch != session->epoch || event->token != session->subscribe_token)
		return;
	if (!event->flag)
		log_error("the broker refused a subscription: check its access control");
	if (session->phase == SESSION_SUBSCRIBING)
		session->phase = SESSION_BARRIER;
	send_barrier(core);
}

void session_event(struct core *core, const struct event *event)
{
	if (event->kind == EVENT_CONNECTED)
		session_up(core, event);
	else if (event->kind == EVENT_DISCONNECTED)
		session_down(core, event);
	else
		session_subscribed(core, event);
}

void session_tick(struct core *core)
{
	struct session *session = &core->session;

	if ((session->phase == SESSION_BARRIER || session->sweeping) &&
	    core->now.ms - session->barrier_at >= BARRIER_AGAIN_MS)
		send_barrier(core);
	if (session->phase == SESSION_READY && session->publish_due &&
	    may_publish_all(core))
		publish_all(core);
	if (session->phase == SESSION_READY && !session->sweeping &&
	    session->sweep_at >= 0 && core->now.ms >= session->sweep_at)
		begin_sweep(core);
}

int64_t session_wake(const struct core *core)
{
	const struct session *session = &core->session;

	if (session->phase == SESSION_BARRIER || session->sweeping)
		return session->barrier_at + BARRIER_AGAIN_MS;
	if (session->phase != SESSION_READY)
		return -1;
	if (session->publish_due &&
	    (session->sweep_at < 0 ||
	     session->published_at + PUBLISH_AGAIN_MS < session->sweep_at))
		return session->published_at + PUBLISH_AGAIN_MS;
	return session->sweep_at;
}
