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

static char *link_topic(const struct core *core, char topic[TOPIC_MAX], const char *rest)
{
	return topic_make(topic, core->options.root, core->options.device, "%s", rest);
}

/* ---- subscriptions ---- */

static struct effect *link_subscribe(struct core *core, const char *topic, int qos)
{
	struct effect *effect = effects_add(core->at_once, EFFECT_SUBSCRIBE);

	effect->epoch = core->link.epoch;
	effect->token = core->link.subscribe_token;
	task_set_text(&effect->name, topic);
	effect->qos = qos;
	return effect;
}

/* Commands: Retain Handling 1 tells a stored one just once, Retain As Published shows
 * that a live one was meant to be kept, No Local keeps our own clearings out. */
static void link_subscribe_commands(struct core *core, const char *topic)
{
	struct effect *effect = link_subscribe(core, topic, 1);

	effect->no_local = true;
	effect->as_published = true;
	effect->handling = 1;
}

static void link_unsubscribe(struct core *core, const char *topic)
{
	struct effect *effect = effects_add(core->at_once, EFFECT_UNSUBSCRIBE);

	effect->epoch = core->link.epoch;
	task_set_text(&effect->name, topic);
}

static void group_filter(const struct core *core, const char *group,
			 char topic[TOPIC_MAX])
{
	snprintf(topic, TOPIC_MAX, "%s/_group/%s/cmd/#", core->options.root, group);
}

/* Filters live on in the session: those of groups that were left must be taken back.  The
 * store knows which were subscribed last. */
static void link_groups(struct core *core)
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
		link_unsubscribe(core, topic);
	}
	cJSON_Delete(before);
	cJSON_ArrayForEach(group, core->options.groups) {
		group_filter(core, group->valuestring, topic);
		link_subscribe_commands(core, topic);
	}
	if (strcmp(known, text) != 0)
		store_set_text(core->store, "groups", text);
	free(text);
}

/* The topics of a sweep, given back. */
static void link_sweep_topics_back(struct core *core)
{
	char topic[TOPIC_MAX];

	link_unsubscribe(core, link_topic(core, topic, "task/+"));
	link_unsubscribe(core, link_topic(core, topic, "types/+"));
}

static void link_subscribe_all(struct core *core)
{
	char topic[TOPIC_MAX];

	core->link.subscribe_token = ++core->next_token;
	link_sweep_topics_back(core);
	link_subscribe_commands(core, link_topic(core, topic, "cmd/#"));
	snprintf(topic, sizeof(topic), "%s/_all/cmd/#", core->options.root);
	link_subscribe_commands(core, topic);
	link_groups(core);
	/* The stored info of another agent with our name, and any live one. */
	link_subscribe(core, link_topic(core, topic, "info"), 1)->no_local = true;
	snprintf(topic, sizeof(topic), "%s/status", core->options.birth_prefix);
	link_subscribe(core, topic, 1)->handling = 2;
	link_subscribe(core, link_topic(core, topic, "reply/_barrier"), 1)->handling = 2;
}

/* ---- the barrier ---- */

/* A QoS 1 message to oneself arrives behind all that waited for us in the session. */
static void link_send_barrier(struct core *core)
{
	char topic[TOPIC_MAX], payload[64];

	core->link.barrier_at = core->now.ms;
	snprintf(payload, sizeof(payload), "%s %lld", core->options.boot,
		 (long long)++core->link.barrier_number);
	core_publish(core, link_topic(core, topic, "reply/_barrier"), payload, 1, false);
}

static void link_sweep_ends(struct core *core)
{
	core->link.sweeping = false;
	link_sweep_topics_back(core);
}

/* All retained topics again, then the sweep.  Session present does not mean that the
 * broker still has the right ones; but a broker that comes and goes is not told
 * everything each time. */
static void link_publish_again(struct core *core)
{
	struct link *link = &core->link;

	link->publish_due = false;
	status_publish_all(core);
	if (link->sweep_at < 0)
		link->sweep_at = core->now.ms;
}

static bool link_may_publish(const struct core *core)
{
	const struct link *link = &core->link;

	return !link->published_at ||
	       core->now.ms - link->published_at >= PUBLISH_AGAIN_MS;
}

static void link_ready(struct core *core)
{
	struct link *link = &core->link;

	link->phase = LINK_READY;
	outbox_backlog_came(core->outbox, core->next_token);
	link->publish_due = true;
	/* A broker without our session has lost the rest as well. */
	if (!link->session_present || link_may_publish(core))
		link_publish_again(core);
	status_publish_info(core);
	status_publish_availability(core);
	link->info_known = true;
}

static void link_barrier(struct core *core, const struct event *event)
{
	char payload[64];

	snprintf(payload, sizeof(payload), "%s %lld", core->options.boot,
		 (long long)core->link.barrier_number);
	if (strcmp(event->data, payload) != 0)
		return;
	if (core->link.phase == LINK_BARRIER)
		link_ready(core);
	else if (core->link.sweeping)
		link_sweep_ends(core);
}

/* ---- the sweep ---- */

static void link_sweep(struct core *core)
{
	char topic[TOPIC_MAX];

	core->link.sweep_at = -1;
	core->link.sweeping = true;
	core->link.subscribe_token = ++core->next_token;
	link_subscribe(core, link_topic(core, topic, "task/+"), 0)->no_local = true;
	link_subscribe(core, link_topic(core, topic, "types/+"), 0)->no_local = true;
}

static void link_swept(struct core *core, const struct event *event, const char *id)
{
	struct task *ended;

	if (!core->link.sweeping || !event->retained || !event->size)
		return;
	if (!core_find_task(core, id, &ended))
		outbox_clearing(core->outbox, event->topic, core_age(core));
	task_free(ended);
}

/* Types have no rows: the board clears their topics. */
static void link_swept_type(struct core *core, const struct event *event,
			    const char *name)
{
	if (core->link.sweeping && event->retained && event->size &&
	    !registry_find(core->options.registry, name))
		status_clear_type(core, name);
}

/* ---- rivals ---- */

static void link_rival(struct core *core, const char *boot)
{
	cJSON *data = cJSON_CreateObject();
	char shown[17];

	/* Anybody may have written it. */
	snprintf(shown, sizeof(shown), "%s", boot);
	utf8_trim(shown);
	core_problem(
		core,
		"another agent (boot %s) uses the device id '%.64s': this one keeps away for a "
		"minute or two",
		shown, core->options.device);
	cJSON_AddStringToObject(data, "boot", shown);
	core_emit_event(core, "duplicate_device", NULL, data);
	core->link.sweep_at = core->now.ms + SWEEP_DELAY_MS;
	core->link.back_off_ms =
		RIVAL_BACK_OFF_MS + (int64_t)(core_random(core) % RIVAL_BACK_OFF_MS);
}

void link_back_off(struct core *core)
{
	if (core->link.back_off_ms == 0)
		return;
	effects_add(core->at_once, EFFECT_LINK_RESTART)->number = core->link.back_off_ms;
	core->link.back_off_ms = 0;
}

static void link_info(struct core *core, const struct event *event)
{
	cJSON *info = event->size ? json_parse(event->data, event->size, NULL) : NULL;
	const char *boot = json_string(info, "boot");
	const char *store = json_string(info, "store");
	bool foreign = boot && store && strcmp(boot, core->options.boot) != 0;
	bool other_store = foreign && strcmp(store, core->store_name) != 0;
	/* Without No Local (3.1.1) what we told before we were killed waits for us. */
	bool ourselves = !other_store && core->link.phase != LINK_READY;
	bool live = !event->retained && !ourselves;

	/* Live: somebody is there now.  Stored: somebody was there after us. */
	if (foreign && (live || (other_store && core->link.info_known)))
		link_rival(core, boot);
	else if (other_store)
		core->link.sweep_at = core->now.ms + SWEEP_DELAY_MS;
	cJSON_Delete(info);
}

bool link_message(struct core *core, const struct event *event, const struct topic *topic)
{
	switch (topic->kind) {
	case TOPIC_BARRIER:
		link_barrier(core, event);
		return true;
	case TOPIC_INFO:
		link_info(core, event);
		return true;
	case TOPIC_TASK:
		link_swept(core, event, topic->name);
		return true;
	case TOPIC_TYPE:
		link_swept_type(core, event, topic->name);
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

static void link_up(struct core *core, const struct event *event)
{
	struct link *link = &core->link;

	link->phase = LINK_SUBSCRIBING;
	link->epoch = event->epoch;
	link->window = (unsigned)event->number;
	link->version = event->version;
	link->session_present = event->flag;
	link->sweeping = false;
	outbox_link_up(core->outbox);
	if (!link->session_present)
		outbox_new_session(core->outbox);
	link_subscribe_all(core);
}

static void link_down(struct core *core, const struct event *event)
{
	if (core->link.phase == LINK_DOWN || event->epoch != core->link.epoch)
		return;
	core->link.phase = LINK_DOWN;
	core->link.sweeping = false;
	core->link.reconnects++;
	outbox_link_down(core->outbox);
	board_link_down(core->board);
}

static void link_subscribed(struct core *core, const struct event *event)
{
	struct link *link = &core->link;

	if (event->epoch != link->epoch || event->token != link->subscribe_token)
		return;
	if (!event->flag)
		log_error("the broker refused a subscription: check its access control");
	if (link->phase == LINK_SUBSCRIBING)
		link->phase = LINK_BARRIER;
	link_send_barrier(core);
}

void link_event(struct core *core, const struct event *event)
{
	if (event->kind == EVENT_LINK_UP)
		link_up(core, event);
	else if (event->kind == EVENT_LINK_DOWN)
		link_down(core, event);
	else
		link_subscribed(core, event);
}

void link_tick(struct core *core)
{
	struct link *link = &core->link;

	if ((link->phase == LINK_BARRIER || link->sweeping) &&
	    core->now.ms - link->barrier_at >= BARRIER_AGAIN_MS)
		link_send_barrier(core);
	if (link->phase == LINK_READY && link->publish_due && link_may_publish(core))
		link_publish_again(core);
	if (link->phase == LINK_READY && !link->sweeping && link->sweep_at >= 0 &&
	    core->now.ms >= link->sweep_at)
		link_sweep(core);
}

int64_t link_wake(const struct core *core)
{
	const struct link *link = &core->link;

	if (link->phase == LINK_BARRIER || link->sweeping)
		return link->barrier_at + BARRIER_AGAIN_MS;
	if (link->phase != LINK_READY)
		return -1;
	if (link->publish_due && (link->sweep_at < 0 ||
				  link->published_at + PUBLISH_AGAIN_MS < link->sweep_at))
		return link->published_at + PUBLISH_AGAIN_MS;
	return link->sweep_at;
}
