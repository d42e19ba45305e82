#include "agent/outbox/event_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/base/log.h"

int feed_open(struct feed *feed, struct store *store, const char *topic)
{
	feed->topic = strdup(topic);
	if (!feed->topic)
		return -ENOMEM;
	feed->store = store;
	feed->last = store_number(store, "last_seq", 0);
	feed->sent = store_number(store, "event_sent", 0);
	feed->posted = feed->sent;
	return 0;
}

void feed_close(struct feed *feed)
{
	free(feed->topic);
}

void feed_add(struct feed *feed, const char *name, const char *id, const char *data,
	      const char *store_name, int64_t wall_ms)
{
	char stamp[CLOCK_TEXT];
	cJSON *event = cJSON_CreateObject();
	cJSON *content = data ? cJSON_CreateRaw(data) : NULL;
	char *body;

	clock_text(wall_ms, stamp);
	feed->last++;
	cJSON_AddNumberToObject(event, "seq", (double)feed->last);
	cJSON_AddStringToObject(event, "store", store_name);
	cJSON_AddStringToObject(event, "ts", stamp);
	cJSON_AddStringToObject(event, "event", name);
	json_put_string(event, "id", id);
	cJSON_AddItemToObject(event, "data", content ? content : cJSON_CreateObject());
	body = json_text(event);
	store_event(feed->store, feed->last, body);
	free(body);
	cJSON_Delete(event);
	store_set_number(feed->store, "last_seq", feed->last);

	if (feed->last - feed->sent > FEED_UNSENT_MAX) {
		int64_t first = feed->last - FEED_UNSENT_MAX;

		feed->dropped += first - feed->sent;
		feed->sent = first;
		feed->sent_waits = true;
		if (feed->posted < first)
			feed->posted = first;
	}
}

void feed_settle(struct feed *feed)
{
	if (feed->sent_waits)
		store_set_number(feed->store, "event_sent", feed->sent);
	feed->sent_waits = false;
}

bool feed_pump(struct feed *feed, struct effects *effects, uint32_t epoch,
	       uint64_t *token)
{
	int64_t seq;
	char *body;

	if (feed->posted >= feed->last || feed->in_flight == FEED_FLYING_MAX)
		return false;
	body = store_event_from(feed->store, feed->posted + 1, &seq);
	if (!body) {
		feed->posted = feed->last;
		return false;
	}
	effects_publish(effects, epoch, ++*token, feed->topic, body);
	feed->flights[feed->in_flight++] = (struct event_flight){*token, seq};
	feed->posted = seq;
	return true;
}

/* An event is over when it and all before it are acknowledged. */
static void feed_move_on(struct feed *feed)
{
	int64_t over = feed->in_flight ? feed->flights[0].seq - 1 : feed->posted;

	if (over <= feed->sent)
		return;
	feed->sent = over;
	feed->sent_waits = true;
}

bool feed_sent(struct feed *feed, uint64_t token, bool ok)
{
	for (unsigned i = 0; i < feed->in_flight; i++) {
		if (feed->flights[i].token != token)
			continue;
		if (!ok)
			log_warn("the broker refused event %lld",
				 (long long)feed->flights[i].seq);
		feed->in_flight--;
		memmove(feed->flights + i, feed->flights + i + 1,
			(feed->in_flight - i) * sizeof(feed->flights[0]));
		feed_move_on(feed);
		return true;
	}
	return false;
}

void feed_link_down(struct feed *feed)
{
	feed->in_flight = 0;
	feed->posted = feed->sent;
}
