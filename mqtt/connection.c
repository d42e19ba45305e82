/* The thread that connects and reconnects, and the interface of a connection. */
#include "mqtt/connection_internal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/secret_file.h"
#include "mqtt/tls.h"
#include "mqtt/url.h"

#define RETRY_MIN_MS 200 /* the first wait before a new connection */
/* After a connection that lasted this long the wait starts again at RETRY_MIN_MS. */
#define STABLE_MS 10000
/* How many CONNECTs of MQTT 5 the broker may close before 3.1.1 is tried. */
#define CONNECTS_CLOSED_MAX 3
#define MQTT_5_AGAIN_MS (60 * 60 * 1000)
#define TLS_WHY_MS 1000 /* to find the reason; shorter than any timeout of a close */

/* ---- The sender ---- */

struct credentials {
	const char *user; /* NULL without one; the url's or the connection's */
	char *password;	  /* NULL without one */
};

/* The user and password in the url win over the settings'. */
static int credentials_read(struct credentials *credentials, const struct url *url,
			    const struct connection *c, struct err *err)
{
	*credentials = (struct credentials){.user = NULL};
	if (url->has_user)
		credentials->user = url->user;
	else if (*c->user)
		credentials->user = c->user;

	if (url->has_password) {
		credentials->password = strdup(url->password);
		return credentials->password ? 0 : err_set(err, -ENOMEM, "out of memory");
	}
	if (*c->password_file)
		return secret_file_read(&credentials->password, c->password_file,
					"password", err);
	return 0;
}

/* Creates the client with the credentials as they are now; Paho copies what it keeps. */
static int open_client(struct connection *c,
		       const struct paho_client_callbacks *callbacks, struct err *err)
{
	struct paho_client_options options = c->options;
	struct credentials credentials;
	int ret = credentials_read(&credentials, &options.url, c, err);

	if (ret == 0) {
		options.user = credentials.user;
		options.password = credentials.password;
		ret = paho_client_open(&c->client, &options, callbacks, err);
	}
	secret_file_free(credentials.password);
	url_clear(&options.url);
	return ret;
}

/* Creates the next client.  Call with the lock held. */
static int begin(struct connection *c)
{
	struct paho_client_callbacks callbacks = connection_client_callbacks;
	struct err err = {0};
	int ret;

	callbacks.context = c;
	c->why[0] = '\0';
	c->loss = LOSS_OTHER;
	c->lost = c->disconnected = false;
	c->keep_alive_ms = c->options.keep_alive_s * INT64_C(1000);
	if (clock_monotonic_ms() >= c->mqtt_5_again_ms)
		c->options.mqtt_version = MQTT_5;
	pthread_mutex_unlock(&c->lock);
	ret = open_client(c, &callbacks, &err);
	pthread_mutex_lock(&c->lock);
	if (ret < 0)
		connection_note_why(c, err.text);
	return ret;
}

/* Logs why there is no connection, once for each new reason. */
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

/* Replaces Paho's reason by OpenSSL's: Paho does not know why TLS failed. */
static void find_tls_reason(const struct connection *c, enum paho_client_loss *loss,
			    char why[WHY_MAX])
{
	struct err err;

	if (!c->options.url.tls || (*loss != LOSS_UNREACHABLE && *loss != LOSS_CLOSED))
		return;
	if (tls_fails(&c->options.url, &c->options.tls, TLS_WHY_MS, &err)) {
		snprintf(why, WHY_MAX, "%s", err.text);
		*loss = LOSS_OTHER;
	}
}

/* Chooses the version of MQTT for the next client, after one that ended by loss. */
static void choose_version(struct connection *c, enum paho_client_loss loss)
{
	bool again = loss == LOSS_VERSION;

	if (c->options.mqtt_version == MQTT_5) {
		c->connects_closed = loss == LOSS_CLOSED ? c->connects_closed + 1 : 0;
		if (!again && c->connects_closed < CONNECTS_CLOSED_MAX)
			return;
		log_info("MQTT 5 is not understood: trying 3.1.1");
		c->options.mqtt_version = MQTT_3_1_1;
		c->mqtt_5_again_ms = clock_monotonic_ms() + MQTT_5_AGAIN_MS;
	} else if (again || loss == LOSS_CLOSED) {
		c->mqtt_5_again_ms = 0;
	}
	c->connects_closed = 0;
}

/* Ends the client and with it the epoch.  Called with the lock held, which is released
 * for a while. */
static void end(struct connection *c)
{
	struct send_queue dropped;
	char why[sizeof(c->why)];
	enum paho_client_loss loss;
	uint32_t epoch;
	bool was_up, muted, closing;

	/* First the client: then it makes no more callbacks, so down() is the last. */
	pthread_mutex_unlock(&c->lock);
	paho_client_free(c->client);
	c->client = NULL;
	pthread_mutex_lock(&c->lock);

	was_up = c->up;
	epoch = c->epoch;
	closing = c->closing;
	muted = c->abandoned;
	memcpy(why, c->why, sizeof(why));
	loss = c->loss;
	dropped = c->queue;
	send_queue_init(&c->queue);
	c->up = false;
	if (was_up && clock_monotonic_ms() - c->up_ms >= STABLE_MS)
		c->retry_ms = RETRY_MIN_MS;
	pthread_mutex_unlock(&c->lock);

	send_queue_clear(&dropped);
	if (!was_up && !closing)
		find_tls_reason(c, &loss, why);
	log_why(c, why, was_up, closing);
	choose_version(c, loss);
	if (was_up && !muted)
		c->callbacks.down(c->callbacks.context, epoch, why);
	pthread_mutex_lock(&c->lock);
}

/* middle_ms plus or minus a half, so that a fleet does not reconnect all at once. */
static int64_t jittered(int64_t middle_ms)
{
	uint32_t r = 0;

	/* Without random bytes (a board that has just booted): the shortest wait. */
	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != sizeof(r))
		r = 0;
	return middle_ms / 2 + (int64_t)(r % 1024) * middle_ms / 1024;
}

/* Call with the lock held. */
static void wait_to_retry(struct connection *c)
{
	int64_t until = clock_monotonic_ms() + jittered(c->retry_ms);

	/* The longest jittered wait is then reconnect_max_s. */
	c->retry_ms = sooner(2 * c->retry_ms, c->reconnect_max_s * INT64_C(2000) / 3);
	while (!c->closing && clock_monotonic_ms() < later(until, c->not_before_ms))
		connection_wait_until(c, later(until, c->not_before_ms));
	c->restart = false;
}

static void *sender(void *context)
{
	struct connection *c = context;

	pthread_mutex_lock(&c->lock);
	while (!c->closing) {
		if (begin(c) == 0)
			connection_serve(c);
		end(c);
		wait_to_retry(c);
	}
	c->finished = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* ---- The interface ---- */

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

/* The sender blocks all signals, and so do Paho's threads, which inherit its mask. */
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
	send_queue_init(&c->queue);
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

/* Queues item for epoch.  If there was no memory for it (NULL), the epoch ends, so that
 * its owner sends it again: it is never lost silently. */
static void enqueue(struct connection *c, struct send_item *item, uint32_t epoch,
		    uint64_t token)
{
	pthread_mutex_lock(&c->lock);
	if (c->up && !c->lost && epoch == c->epoch) {
		if (item) {
			item->epoch = epoch;
			item->token = token;
			send_queue_push(&c->queue, item);
			item = NULL;
			pthread_cond_broadcast(&c->changed);
		} else {
			connection_lose(c, "out of memory");
		}
	}
	pthread_mutex_unlock(&c->lock);
	free(item);
}

void connection_publish(struct connection *c, uint32_t epoch,
			const struct outgoing *message)
{
	enqueue(c, send_item_publish(message), epoch, message->token);
}

void connection_subscribe(struct connection *c, uint32_t epoch, uint64_t token,
			  const struct filter *filters, size_t n)
{
	enqueue(c, send_item_subscribe(filters, n), epoch, token);
}

void connection_unsubscribe(struct connection *c, uint32_t epoch, uint64_t token,
			    const char *const *topics, size_t n)
{
	enqueue(c, send_item_unsubscribe(topics, n), epoch, token);
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
		connection_wait_until(c, until);
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
