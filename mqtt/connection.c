#include "mqtt/connection.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "mqtt/link.h"
#include "mqtt/login.h"
#include "mqtt/tls.h"
#include "mqtt/url.h"

#define WINDOW_MAX 16 /* Paho stops for a second when it meets the broker's limit */
/* QoS 0 messages, and bytes in all, within Paho: it loses the memory of what it has not
 * yet written when a handle is destroyed, so little must be waiting there on a stalled
 * socket. */
#define UNWRITTEN_MAX 4
#define HANDED_MAX (64 * 1024)
#define RETRY_MIN_MS 200 /* the first wait before a new connection */
#define STABLE_MS 10000	 /* a connection of this age begins again with RETRY_MIN_MS */
#define CONNECT_PATIENCE_MS 30000 /* Paho's own timeout is 10 s, in steps of 3 s */
#define LEAVE_MS 1000		  /* for DISCONNECT to get out */
#define HANG_UPS_MAX 3		  /* on CONNECTs of MQTT 5, before 3.1.1 is tried */
#define MQTT_5_AGAIN_MS (60 * 60 * 1000)
#define TLS_WHY_MS 1000	   /* to find out why; less than anybody waits for the end */
#define PACKET_OVERHEAD 64 /* more than header and properties of a message of ours */
#define WHY_MAX sizeof(((struct err *)0)->text)

enum { MQTT_3_1_1 = 4, MQTT_5 = 5 };

enum item_kind { ITEM_PUBLISH, ITEM_SUBSCRIBE, ITEM_UNSUBSCRIBE, ITEM_PROBE };

/* Something asked for, from the queue through Paho to its answer. */
struct item {
	struct item *next;
	enum item_kind kind;
	uint32_t epoch;
	uint64_t token;
	struct outgoing message;
	struct filter *filters;
	const char **topics; /* to unsubscribe */
	size_t n;
	_Alignas(max_align_t) char bytes[]; /* what the pointers above point to */
};

struct connection {
	struct connection_callbacks callbacks;
	struct link_options options; /* the strings are below */
	char *client_id, *will_topic, *will_text, *probe_topic;
	char *user, *password_file, *ca_file, *cert_file, *key_file;
	int reconnect_max_s;
	pthread_t thread;

	/* The sender's own. */
	struct link *link;
	int64_t retry_ms; /* the middle of the next wait */
	char last_why[WHY_MAX];
	int hang_ups;		 /* one after the other, on MQTT 5 */
	int64_t mqtt_5_again_ms; /* while 3.1.1 is spoken: until when */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* lock, from here on */
	struct item *first, **last; /* waiting to be handed to Paho */
	uint32_t epoch;
	bool up, lost, disconnected; /* of the present link */
	char why[WHY_MAX];
	enum link_loss loss;
	unsigned window;
	uint32_t packet_max;
	unsigned unacknowledged, unwritten; /* handed to Paho, without an answer yet */
	size_t handed;			    /* their bytes */
	int64_t keep_alive_ms;
	int64_t up_ms;	  /* when the link came up */
	int64_t heard_ms; /* when the broker last said something */
	int64_t due_ms;	  /* since when it owes us an answer, while unacknowledged > 0 */
	bool restart;
	int64_t not_before_ms;
	bool closing, finished, abandoned;
	int64_t close_by_ms;
};

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Waits for a change until when; the lock is held. */
static void wait_until(struct connection *c, int64_t when_ms)
{
	struct timespec t = {
		.tv_sec = (time_t)(when_ms / 1000),
		.tv_nsec = (long)(when_ms % 1000) * 1000000,
	};

	pthread_cond_timedwait(&c->changed, &c->lock, &t);
}

/* Only the first reason is kept: what follows is its consequence.  The lock is held. */
static void note_why(struct connection *c, const char *why)
{
	if (!c->why[0])
		snprintf(c->why, sizeof(c->why), "%s", why);
}

/* The lock is held. */
static void lose(struct connection *c, const char *why)
{
	note_why(c, why);
	c->lost = true;
	pthread_cond_broadcast(&c->changed);
}

static bool acknowledged(const struct item *item)
{
	return item->kind != ITEM_PUBLISH || item->message.qos > 0;
}

static const char *first_topic(const struct item *item)
{
	if (item->kind == ITEM_PUBLISH)
		return item->message.topic;
	return item->kind == ITEM_SUBSCRIBE ? item->filters[0].topic : item->topics[0];
}

/* The bytes of item's packet, or a few more. */
static size_t packet_size(const struct item *item)
{
	const struct outgoing *m = &item->message;

	if (item->kind != ITEM_PUBLISH)
		return PACKET_OVERHEAD;
	return m->size + strlen(m->topic) + m->correlation_size + PACKET_OVERHEAD;
}

/* Counts item as handed to Paho; the lock is held. */
static void count_in(struct connection *c, const struct item *item)
{
	c->handed += packet_size(item);
	if (!acknowledged(item))
		c->unwritten++;
	else if (c->unacknowledged++ == 0)
		c->due_ms = clock_monotonic_ms();
}

/* The lock is held. */
static void count_out(struct connection *c, const struct item *item)
{
	c->handed -= packet_size(item);
	if (acknowledged(item))
		c->unacknowledged--;
	else
		c->unwritten--;
}

/* May item go to Paho now?  The lock is held. */
static bool has_room(const struct connection *c, const struct item *item)
{
	if (c->handed && c->handed + packet_size(item) > HANDED_MAX)
		return false;
	if (acknowledged(item))
		return c->unacknowledged < c->window;
	return c->unwritten < UNWRITTEN_MAX;
}

/* ---- The events of a link, on Paho's threads ---- */

static void event_up(void *context, const struct link_terms *terms)
{
	struct connection *c = context;
	unsigned window;
	uint32_t epoch;
	bool muted;

	pthread_mutex_lock(&c->lock);
	muted = c->abandoned;
	epoch = ++c->epoch;
	window = terms->receive_max < WINDOW_MAX ? terms->receive_max : WINDOW_MAX;
	c->window = window;
	c->packet_max = terms->packet_max;
	if (terms->keep_alive_s > 0)
		c->keep_alive_ms = terms->keep_alive_s * INT64_C(1000);
	c->up_ms = c->heard_ms = clock_monotonic_ms();
	c->up = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);

	log_info("connected to %s:%u with MQTT %s%s", c->options.url.host,
		 c->options.url.port, terms->mqtt_version == MQTT_5 ? "5" : "3.1.1",
		 terms->session_present ? ", the broker kept our session" : "");
	if (!muted)
		c->callbacks.up(c->callbacks.context, epoch, terms->session_present,
				window, terms->mqtt_version);
}

static void event_lost(void *context, enum link_loss loss, const char *why)
{
	struct connection *c = context;

	pthread_mutex_lock(&c->lock);
	if (!c->why[0])
		c->loss = loss;
	lose(c, why);
	pthread_mutex_unlock(&c->lock);
}

static void event_message(void *context, const struct incoming *message)
{
	struct connection *c = context;
	uint32_t epoch;

	pthread_mutex_lock(&c->lock);
	/* Nobody can take it any more, and to return would be to acknowledge it: this
	 * thread stays here until the process ends, and the broker delivers again. */
	while (c->abandoned)
		pthread_cond_wait(&c->changed, &c->lock);
	epoch = c->epoch;
	c->heard_ms = clock_monotonic_ms();
	pthread_mutex_unlock(&c->lock);

	c->callbacks.message(c->callbacks.context, epoch, message);

	/* The callback may have taken long, and nothing could be heard meanwhile. */
	pthread_mutex_lock(&c->lock);
	c->heard_ms = clock_monotonic_ms();
	pthread_mutex_unlock(&c->lock);
}

static void report(struct connection *c, const struct item *item, bool ok)
{
	if (item->kind == ITEM_PUBLISH && item->token)
		c->callbacks.sent(c->callbacks.context, item->epoch, item->token, ok);
	else if (item->kind == ITEM_SUBSCRIBE || item->kind == ITEM_UNSUBSCRIBE)
		c->callbacks.subscribed(c->callbacks.context, item->epoch, item->token,
					ok);
}

static void event_done(void *context, void *tag, enum link_result result)
{
	struct connection *c = context;
	struct item *item = tag;
	bool muted;

	pthread_mutex_lock(&c->lock);
	count_out(c, item);
	if (acknowledged(item) && result != LINK_BROKEN)
		c->heard_ms = clock_monotonic_ms();
	muted = c->abandoned || result == LINK_BROKEN;
	/* The sender sleeps unless there is something to do: no wake-up for each PUBACK.
	 */
	if (c->first || c->closing)
		pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);

	if (!muted)
		report(c, item, result == LINK_DONE);
	free(item);
}

static void event_disconnected(void *context)
{
	struct connection *c = context;

	pthread_mutex_lock(&c->lock);
	c->disconnected = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

/* ---- The sender ---- */

/* Hands item to Paho; what cannot be sent is reported here. */
static void hand_over(struct connection *c, struct item *item, uint32_t packet_max)
{
	struct err err = {0};
	int ret;

	if (item->kind == ITEM_SUBSCRIBE)
		ret = link_subscribe(c->link, item->filters, item->n, item, &err);
	else if (item->kind != ITEM_PUBLISH)
		ret = link_unsubscribe(c->link, item->topics, item->n, item, &err);
	else if (packet_size(item) > packet_max)
		ret = err_set(&err, -EINVAL, "the broker takes at most %u bytes",
			      packet_max);
	else
		ret = link_send(c->link, &item->message, item, &err);
	if (!ret)
		return;

	pthread_mutex_lock(&c->lock);
	count_out(c, item);
	if (ret != -EINVAL)
		lose(c, err.text);
	pthread_mutex_unlock(&c->lock);
	if (ret == -EINVAL) {
		log_warn("%s: nothing was sent: %s", first_topic(item), err.text);
		report(c, item, false);
	}
	free(item);
}

/* The first item when it may go to Paho now, else NULL; the lock is held. */
static struct item *take(struct connection *c)
{
	struct item *item = c->first;

	if (!item || !has_room(c, item))
		return NULL;
	c->first = item->next;
	if (!c->first)
		c->last = &c->first;
	count_in(c, item);
	return item;
}

static void send_item(struct connection *c, struct item *item)
{
	uint32_t packet_max = c->packet_max;

	pthread_mutex_unlock(&c->lock);
	hand_over(c, item, packet_max);
	pthread_mutex_lock(&c->lock);
}

static struct item *item_new(enum item_kind kind, size_t bytes)
{
	struct item *item = calloc(1, sizeof(*item) + bytes);

	if (item)
		item->kind = kind;
	return item;
}

/* A question whose answer only shows that the broker is still there: leaving a topic that
 * was never subscribed.  Paho does not always notice that its PINGREQ stays without an
 * answer. */
static void send_probe(struct connection *c)
{
	struct item *item = item_new(ITEM_PROBE, sizeof(*item->topics));

	if (!item) {
		lose(c, "out of memory");
		return;
	}
	item->n = 1;
	item->topics = (const char **)(void *)item->bytes;
	item->topics[0] = c->probe_topic;
	count_in(c, item);
	send_item(c, item);
}

/* When the sender has something to do though nothing changes; the lock is held. */
static int64_t next_deadline(const struct connection *c, int64_t began_ms)
{
	int64_t when;

	if (!c->up)
		when = began_ms + CONNECT_PATIENCE_MS;
	else if (c->unacknowledged)
		when = later(c->heard_ms, c->due_ms) + 2 * c->keep_alive_ms;
	else
		when = c->heard_ms + c->keep_alive_ms;
	return c->closing ? sooner(when, c->close_by_ms) : when;
}

/* Sends DISCONNECT and waits until it is out; the lock is held. */
static void leave(struct connection *c, const char *why, bool with_will)
{
	int64_t until = clock_monotonic_ms() + LEAVE_MS;
	int ret;

	note_why(c, why);
	pthread_mutex_unlock(&c->lock);
	ret = link_disconnect(c->link, with_will);
	pthread_mutex_lock(&c->lock);
	if (ret < 0)
		return;
	if (c->closing)
		until = sooner(until, c->close_by_ms);
	while (!c->disconnected && !c->lost && clock_monotonic_ms() < until)
		wait_until(c, until);
}

/* Is the closing connection done with what it still had to send?  The lock is held. */
static bool drained(const struct connection *c, int64_t now)
{
	return !c->up || now >= c->close_by_ms ||
	       (!c->first && !c->unacknowledged && !c->unwritten);
}

/* Sends what is queued until the link is lost or must go; the lock is held. */
static void serve(struct connection *c)
{
	int64_t began = clock_monotonic_ms();

	while (!c->lost) {
		int64_t now = clock_monotonic_ms();
		struct item *item;

		if (c->closing && drained(c, now)) {
			leave(c, "closed", false);
			return;
		}
		/* What was handed over before is sent first, as far as the window lets it. */
		item = c->up ? take(c) : NULL;
		if (c->restart && !item) {
			leave(c, "restarted", true);
			return;
		}
		if (item) {
			send_item(c, item);
		} else if (now < next_deadline(c, began)) {
			wait_until(c, next_deadline(c, began));
		} else if (c->up && !c->unacknowledged) {
			send_probe(c);
		} else {
			leave(c, c->up ? "the broker is silent" : "no answer", true);
			return;
		}
	}
}

/* Makes the link with the login as it is now; Paho copies what it keeps. */
static int open_link(struct connection *c, const struct link_events *events,
		     struct err *err)
{
	struct link_options options = c->options;
	struct login login;
	int ret = login_read(&login, &options.url, c->user, c->password_file, err);

	if (ret == 0) {
		options.user = login.user;
		options.password = login.password;
		ret = link_open(&c->link, &options, events, err);
	}
	login_clear(&login);
	url_clear(&options.url);
	return ret;
}

/* Makes the next link; the lock is held. */
static int begin(struct connection *c)
{
	static const struct link_events events = {
		.up = event_up,
		.lost = event_lost,
		.message = event_message,
		.done = event_done,
		.disconnected = event_disconnected,
	};
	struct link_events mine = events;
	struct err err = {0};
	int ret;

	mine.context = c;
	c->why[0] = '\0';
	c->loss = LOSS_OTHER;
	c->lost = c->disconnected = false;
	c->keep_alive_ms = c->options.keep_alive_s * INT64_C(1000);
	if (clock_monotonic_ms() >= c->mqtt_5_again_ms)
		c->options.mqtt_version = MQTT_5;
	pthread_mutex_unlock(&c->lock);
	ret = open_link(c, &mine, &err);
	pthread_mutex_lock(&c->lock);
	if (ret < 0)
		note_why(c, err.text);
	return ret;
}

static void free_items(struct item *item)
{
	while (item) {
		struct item *next = item->next;

		free(item);
		item = next;
	}
}

/* Says why there is no connection: once for each new reason. */
static void log_why(struct connection *c, const char *why, bool was_up, bool closing)
{
	const struct url *url = &c->options.url;

	if (closing)
		return;
	if (was_up)
		log_warn("the connection to %s:%u ended: %s", url->host, url->port, why);
	else if (strcmp(why, c->last_why))
		log_warn("no connection to %s:%u: %s; trying again", url->host, url->port,
			 why);
	snprintf(c->last_why, sizeof(c->last_why), "%s", was_up ? "" : why);
}

/* Puts OpenSSL's reason in the place of Paho's, which has none. */
static void find_tls_reason(const struct connection *c, enum link_loss *loss,
			    char why[WHY_MAX])
{
	struct err err;

	if (!c->options.url.tls || (*loss != LOSS_NO_LINK && *loss != LOSS_HUNG_UP))
		return;
	if (tls_fails(&c->options.url, &c->options.tls, TLS_WHY_MS, &err)) {
		snprintf(why, WHY_MAX, "%s", err.text);
		*loss = LOSS_OTHER;
	}
}

/* Which version the next link speaks, after one that ended by loss. */
static void choose_version(struct connection *c, enum link_loss loss)
{
	bool again = loss == LOSS_VERSION;

	if (c->options.mqtt_version == MQTT_5) {
		c->hang_ups = loss == LOSS_HUNG_UP ? c->hang_ups + 1 : 0;
		if (!again && c->hang_ups < HANG_UPS_MAX)
			return;
		log_info("MQTT 5 is not understood: trying 3.1.1");
		c->options.mqtt_version = MQTT_3_1_1;
		c->mqtt_5_again_ms = clock_monotonic_ms() + MQTT_5_AGAIN_MS;
	} else if (again || loss == LOSS_HUNG_UP) {
		c->mqtt_5_again_ms = 0;
	}
	c->hang_ups = 0;
}

/* Ends the link and with it the epoch.  The lock is held, and let go meanwhile. */
static void end(struct connection *c)
{
	struct item *items;
	char why[sizeof(c->why)];
	enum link_loss loss;
	uint32_t epoch;
	bool was_up, muted, closing;

	/* First the link: after this no event of it comes, so down() is the last word. */
	pthread_mutex_unlock(&c->lock);
	link_free(c->link);
	c->link = NULL;
	pthread_mutex_lock(&c->lock);

	was_up = c->up;
	epoch = c->epoch;
	closing = c->closing;
	muted = c->abandoned;
	memcpy(why, c->why, sizeof(why));
	loss = c->loss;
	items = c->first;
	c->first = NULL;
	c->last = &c->first;
	c->up = false;
	if (was_up && clock_monotonic_ms() - c->up_ms >= STABLE_MS)
		c->retry_ms = RETRY_MIN_MS;
	pthread_mutex_unlock(&c->lock);

	free_items(items);
	if (!was_up && !closing)
		find_tls_reason(c, &loss, why);
	log_why(c, why, was_up, closing);
	choose_version(c, loss);
	if (was_up && !muted)
		c->callbacks.down(c->callbacks.context, epoch, why);
	pthread_mutex_lock(&c->lock);
}

/* middle_ms, half of it more or less: so a fleet does not come back all at once. */
static int64_t jittered(int64_t middle_ms)
{
	uint32_t r = 0;

	/* Without random bytes (a board that has just booted) it is the shortest wait. */
	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != sizeof(r))
		r = 0;
	return middle_ms / 2 + (int64_t)(r % 1024) * middle_ms / 1024;
}

/* The lock is held. */
static void wait_to_retry(struct connection *c)
{
	int64_t until = clock_monotonic_ms() + jittered(c->retry_ms);

	/* The longest jittered wait is then reconnect_max_s. */
	c->retry_ms = sooner(2 * c->retry_ms, c->reconnect_max_s * INT64_C(2000) / 3);
	while (!c->closing && clock_monotonic_ms() < later(until, c->not_before_ms))
		wait_until(c, later(until, c->not_before_ms));
	c->restart = false;
}

static void *sender(void *context)
{
	struct connection *c = context;

	pthread_mutex_lock(&c->lock);
	while (!c->closing) {
		if (begin(c) == 0)
			serve(c);
		end(c);
		wait_to_retry(c);
	}
	c->finished = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* ---- What others call ---- */

static int check_options(const struct connection_options *o, struct err *err)
{
	if (!o->client_id || !*o->client_id)
		return err_set(err, -EINVAL, "the connection needs a client id");
	if (!o->will_topic || !*o->will_topic || !o->will_text)
		return err_set(err, -EINVAL, "the connection needs a will");
	if (o->session_expiry_s < 0)
		return err_set(err, -EINVAL, "session_expiry_s must be 0 or more, not %d",
			       o->session_expiry_s);
	if (o->reconnect_max_s < 1)
		return err_set(err, -EINVAL, "reconnect_max_s must be 1 or more, not %d",
			       o->reconnect_max_s);
	if (o->keep_alive_s < 1 || o->keep_alive_s > 65535)
		return err_set(err, -EINVAL, "keep_alive_s must be 1 to 65535, not %d",
			       o->keep_alive_s);
	return 0;
}

static int copy(char **to, const char *from)
{
	*to = strdup(from ? from : "");
	return *to ? 0 : -ENOMEM;
}

static int copy_strings(struct connection *c, const struct connection_options *o)
{
	if (copy(&c->client_id, o->client_id) < 0 ||
	    copy(&c->will_topic, o->will_topic) < 0 ||
	    copy(&c->will_text, o->will_text) < 0 || copy(&c->user, o->user) < 0 ||
	    copy(&c->password_file, o->password_file) < 0 ||
	    copy(&c->ca_file, o->ca_file) < 0 || copy(&c->cert_file, o->cert_file) < 0 ||
	    copy(&c->key_file, o->key_file) < 0)
		return -ENOMEM;
	if (asprintf(&c->probe_topic, "%s/probe", o->will_topic) < 0) {
		c->probe_topic = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int copy_options(struct connection *c, const struct connection_options *o,
			struct err *err)
{
	int ret = check_options(o, err);

	if (!ret)
		ret = url_parse(&c->options.url, o->url ? o->url : "", err);
	if (ret < 0)
		return ret;
	if (c->options.url.tls && strchr(c->options.url.host, ':'))
		return err_set(err, -EINVAL,
			       "the broker's url must name its host for TLS: an IPv6 "
			       "address cannot be checked against a certificate");
	ret = copy_strings(c, o);
	if (ret < 0)
		return err_set(err, ret, "out of memory");
	c->options.client_id = c->client_id;
	c->options.will_topic = c->will_topic;
	c->options.will_text = c->will_text;
	c->options.tls = (struct tls_files){c->ca_file, c->cert_file, c->key_file};
	c->options.session_expiry_s = o->session_expiry_s;
	c->options.keep_alive_s = o->keep_alive_s;
	c->reconnect_max_s = o->reconnect_max_s;
	return 0;
}

static void connection_free(struct connection *c)
{
	url_clear(&c->options.url);
	free(c->client_id);
	free(c->will_topic);
	free(c->will_text);
	free(c->probe_topic);
	free(c->user);
	free(c->password_file);
	free(c->ca_file);
	free(c->cert_file);
	free(c->key_file);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* Paho's threads are children of the sender's and inherit its mask: signals are for
 * others. */
static int start_sender(struct connection *c, struct err *err)
{
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&c->thread, NULL, sender, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ret)
		return err_set(err, -ret, "no thread for the connection: %s",
			       strerror(ret));
	return 0;
}

int connection_open(struct connection **out, const struct connection_options *options,
		    const struct connection_callbacks *callbacks, struct err *err)
{
	struct connection *c = calloc(1, sizeof(*c));
	pthread_condattr_t attr;
	int ret;

	if (!c)
		return err_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->changed, &attr);
	pthread_condattr_destroy(&attr);
	c->callbacks = *callbacks;
	c->last = &c->first;
	c->retry_ms = RETRY_MIN_MS;

	ret = copy_options(c, options, err);
	if (ret < 0)
		goto fail;
	ret = start_sender(c, err);
	if (ret < 0)
		goto fail;

	*out = c;
	return 0;
fail:
	connection_free(c);
	return ret;
}

/* Queues item for epoch.  One that memory is missing for ends the epoch, which makes its
 * owner ask again: it is never lost in silence. */
static void enqueue(struct connection *c, struct item *item, uint32_t epoch,
		    uint64_t token)
{
	pthread_mutex_lock(&c->lock);
	if (c->up && !c->lost && epoch == c->epoch) {
		if (item) {
			item->epoch = epoch;
			item->token = token;
			*c->last = item;
			c->last = &item->next;
			item = NULL;
			pthread_cond_broadcast(&c->changed);
		} else {
			lose(c, "out of memory");
		}
	}
	pthread_mutex_unlock(&c->lock);
	free(item);
}

/* Copies size bytes to *at, which moves on. */
static void *put(char **at, const void *bytes, size_t size)
{
	char *here = *at;

	if (size)
		memcpy(here, bytes, size);
	*at += size;
	return here;
}

static struct item *publish_item(const struct outgoing *m)
{
	size_t topic = strlen(m->topic) + 1;
	struct item *item = item_new(ITEM_PUBLISH, topic + m->size + m->correlation_size);
	char *at;

	if (!item)
		return NULL;
	at = item->bytes;
	item->message = *m;
	item->message.topic = put(&at, m->topic, topic);
	item->message.payload = put(&at, m->payload, m->size);
	if (m->correlation)
		item->message.correlation = put(&at, m->correlation, m->correlation_size);
	return item;
}

void connection_publish(struct connection *c, uint32_t epoch,
			const struct outgoing *message)
{
	enqueue(c, publish_item(message), epoch, message->token);
}

static struct item *subscribe_item(const struct filter *filters, size_t n)
{
	size_t bytes = n * sizeof(*filters);
	struct item *item;
	char *at;

	for (size_t i = 0; i < n; i++)
		bytes += strlen(filters[i].topic) + 1;
	item = item_new(ITEM_SUBSCRIBE, bytes);
	if (!item)
		return NULL;
	at = item->bytes;
	item->n = n;
	item->filters = put(&at, filters, n * sizeof(*filters));
	for (size_t i = 0; i < n; i++)
		item->filters[i].topic =
			put(&at, filters[i].topic, strlen(filters[i].topic) + 1);
	return item;
}

void connection_subscribe(struct connection *c, uint32_t epoch, uint64_t token,
			  const struct filter *filters, size_t n)
{
	enqueue(c, subscribe_item(filters, n), epoch, token);
}

static struct item *unsubscribe_item(const char *const *topics, size_t n)
{
	size_t bytes = n * sizeof(*topics);
	struct item *item;
	char *at;

	for (size_t i = 0; i < n; i++)
		bytes += strlen(topics[i]) + 1;
	item = item_new(ITEM_UNSUBSCRIBE, bytes);
	if (!item)
		return NULL;
	at = item->bytes;
	item->n = n;
	item->topics = put(&at, topics, n * sizeof(*topics));
	for (size_t i = 0; i < n; i++)
		item->topics[i] = put(&at, topics[i], strlen(topics[i]) + 1);
	return item;
}

void connection_unsubscribe(struct connection *c, uint32_t epoch, uint64_t token,
			    const char *const *topics, size_t n)
{
	enqueue(c, unsubscribe_item(topics, n), epoch, token);
}

void connection_restart(struct connection *c, int64_t after_ms)
{
	pthread_mutex_lock(&c->lock);
	c->restart = true;
	c->not_before_ms = clock_monotonic_ms() + after_ms;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

void connection_finish(struct connection *c, int64_t timeout_ms)
{
	pthread_mutex_lock(&c->lock);
	if (!c->closing)
		c->close_by_ms = clock_monotonic_ms() + timeout_ms;
	c->closing = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

void connection_close(struct connection *c, int64_t timeout_ms)
{
	int64_t until = clock_monotonic_ms() + timeout_ms;
	bool finished;

	if (!c)
		return;
	connection_finish(c, timeout_ms);
	pthread_mutex_lock(&c->lock);
	while (!c->finished && clock_monotonic_ms() < until)
		wait_until(c, until);
	finished = c->finished;
	c->abandoned = !finished;
	pthread_mutex_unlock(&c->lock);

	if (!finished) {
		log_warn(
			"the connection does not end within %lld ms; it is left as it is",
			(long long)timeout_ms);
		pthread_detach(c->thread);
		return;
	}
	pthread_join(c->thread, NULL);
	connection_free(c);
}
