/* The numbered events: written to the store, then sent in order. */
#include "agent/outbox/event_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/base/log.h"

int event_log_open(struct event_log *log, struct store *store, const char *topic)
{
	log->topic = strdup(topic);
	if (!log->topic)
		return -ENOMEM;
	log->store = store;
	log->last = store_number(store, "last_seq", 0);
	log->acked = store_number(store, "event_sent", 0);
	log->sent = log->acked;
	return 0;
}

void event_log_close(struct event_log *log)
{
	free(log->topic);
}

void event_log_add(struct event_log *log, const char *name, const char *id,
		   const char *data, const char *store_name, int64_t wall_ms)
{
	char stamp[CLOCK_TEXT];
	cJSON *event = cJSON_CreateObject();
	cJSON *content = data ? cJSON_CreateRaw(data) : NULL;
	char *body;

	clock_text(wall_ms, stamp);
	log->last++;
	cJSON_AddNumberToObject(event, "seq", (double)log->last);
	cJSON_AddStringToObject(event, "store", store_name);
	cJSON_AddStringToObject(event, "ts", stamp);
	cJSON_AddStringToObject(event, "event", name);
	json_put_string(event, "id", id);
	cJSON_AddItemToObject(event, "data", content ? content : cJSON_CreateObject());
	body = json_text(event);
	store_event_add(log->store, log->last, body);
	free(body);
	cJSON_Delete(event);
	store_set_number(log->store, "last_seq", log->last);

	if (log->last - log->acked > EVENT_LOG_UNSENT_MAX) {
		int64_t first = log->last - EVENT_LOG_UNSENT_MAX;

		log->dropped += first - log->acked;
		log->acked = first;
		log->acked_unsaved = true;
		if (log->sent < first)
			log->sent = first;
	}
}

void event_log_save_acked(struct event_log *log)
{
	if (log->acked_unsaved)
		store_set_number(log->store, "event_sent", log->acked);
	log->acked_unsaved = false;
}

bool event_log_send(struct event_log *log, struct effects *effects, uint32_t epoch,
		    uint64_t *token)
{
	int64_t seq;
	char *body;

	if (log->sent >= log->last || log->in_flight_count == EVENT_LOG_IN_FLIGHT_MAX)
		return false;
	body = store_event_from(log->store, log->sent + 1, &seq);
	if (!body) {
		log->sent = log->last;
		return false;
	}
	effects_publish(effects, epoch, ++*token, log->topic, body);
	log->in_flight[log->in_flight_count++] = (struct event_in_flight){*token, seq};
	log->sent = seq;
	return true;
}

/* An event is done when it and all events before it are acknowledged. */
static void update_acked(struct event_log *log)
{
	int64_t done = log->in_flight_count ? log->in_flight[0].seq - 1 : log->sent;

	if (done <= log->acked)
		return;
	log->acked = done;
	log->acked_unsaved = true;
}

bool event_log_completed(struct event_log *log, uint64_t token, bool ok)
{
	for (unsigned i = 0; i < log->in_flight_count; i++) {
		if (log->in_flight[i].token != token)
			continue;
		if (!ok)
			log_warn("the broker refused event %lld",
				 (long long)log->in_flight[i].seq);
		log->in_flight_count--;
		memmove(log->in_flight + i, log->in_flight + i + 1,
			(log->in_flight_count - i) * sizeof(log->in_flight[0]));
		update_acked(log);
		return true;
	}
	return false;
}

void event_log_disconnected(struct event_log *log)
{
	log->in_flight_count = 0;
	log->sent = log->acked;
}
