/* Tests the connection with a real mosquitto, mostly through a relay that parses the
 * packets and can cut the connection or hold packets back. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "mqtt/connection.h"
#include "tests/support/deadline.h"

/* The program's connect().  It is not in a library, so that other tests do not get it. */
#include "agent/tcp_nodelay.c"

#define PATIENCE_MS 20000
#define MESSAGES_MAX 64

#ifdef __SANITIZE_THREAD__
/* Paho is not instrumented: races inside it cannot be judged. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:libpaho-mqtt3as.so\nrace:libmosquitto.so\nmutex:libpaho-mqtt3as.so\n"
	       "mutex:libmosquitto.so\nthread:libpaho-mqtt3as.so\n"
	       "deadlock:libpaho-mqtt3as.so\n";
}
#endif

#ifdef __SANITIZE_ADDRESS__
/* Paho leaks the topics of unsent messages when a handle is destroyed. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpaho-mqtt3as.so\n";
}
#endif

/* ---- A broker ---- */

struct broker {
	char folder[64];
	char config[128];
	int port;
	pid_t pid;
};

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* A socket on a free loopback port, which is written to *port. */
static int bind_somewhere(int *port)
{
	struct sockaddr_in address = loopback(0);
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static int dial(int port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (connect(fd, &address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Starts mosquitto and waits until it logs that it is running: then it listens. */
static void broker_run(struct broker *broker)
{
	char line[512];
	int out[2];
	FILE *log;

	assert_int_equal(pipe(out), 0);
	broker->pid = fork();
	assert_true(broker->pid >= 0);
	if (broker->pid == 0) {
		/* So that a failing test leaves no broker behind. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], STDERR_FILENO);
		close(out[0]);
		close(out[1]);
		setenv("PATH", "/usr/sbin:/usr/local/sbin:/usr/bin:/bin", 1);
		execlp("mosquitto", "mosquitto", "-c", broker->config, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	log = fdopen(out[0], "r");
	assert_non_null(log);
	do
		assert_non_null(fgets(line, sizeof(line), log));
	while (!strstr(line, " running"));
	fclose(log);
}

static void broker_start(struct broker *broker, const char *extra)
{
	FILE *config;
	int fd;

	snprintf(broker->folder, sizeof(broker->folder), "/tmp/connection-test-XXXXXX");
	assert_non_null(mkdtemp(broker->folder));
	snprintf(broker->config, sizeof(broker->config), "%s/mosquitto.conf",
		 broker->folder);
	fd = bind_somewhere(&broker->port);
	close(fd);
	config = fopen(broker->config, "w");
	assert_non_null(config);
	fprintf(config,
		"listener %d 127.0.0.1\nset_tcp_nodelay true\nmax_queued_messages 0\n"
		"log_dest stderr\nlog_type notice\nlog_type information\nuser root\n%s\n",
		broker->port, extra);
	fclose(config);
	/* After its first lines mosquitto writes into a closed pipe. */
	broker_run(broker);
}

static void broker_kill(struct broker *broker)
{
	kill(broker->pid, SIGKILL);
	waitpid(broker->pid, NULL, 0);
}

static void broker_stop(struct broker *broker)
{
	broker_kill(broker);
	unlink(broker->config);
	rmdir(broker->folder);
}

/* ---- A relay between the connection and its broker ---- */

struct relay {
	pthread_t thread;
	int listener, wake, port, broker_port;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* lock */
	bool stop, cut, silent;
	bool silenced;	       /* the thread has seen silent: nothing passes */
	unsigned seen[16];     /* packets of each type that the client sent */
	int disconnect_reason; /* of its last DISCONNECT, -1 before */
};

/* Parses MQTT's framing, one byte at a time. */
struct framing {
	int state; /* 0 type, 1 length, 2 rest */
	int type, shift;
	size_t left, at;
};

static void relay_count(struct relay *relay, const struct framing *f)
{
	pthread_mutex_lock(&relay->lock);
	relay->seen[f->type]++;
	if (f->type == 14 && !f->left)
		relay->disconnect_reason = 0;
	pthread_cond_broadcast(&relay->changed);
	pthread_mutex_unlock(&relay->lock);
}

static void framing_feed(struct relay *relay, struct framing *f, uint8_t byte)
{
	if (f->state == 0) {
		*f = (struct framing){.state = 1, .type = byte >> 4};
	} else if (f->state == 1) {
		f->left |= (size_t)(byte & 0x7f) << f->shift;
		f->shift += 7;
		if (byte & 0x80)
			return;
		f->state = f->left ? 2 : 0;
		relay_count(relay, f);
	} else {
		if (f->type == 14 && f->at++ == 0) {
			pthread_mutex_lock(&relay->lock);
			relay->disconnect_reason = byte;
			pthread_mutex_unlock(&relay->lock);
		}
		if (--f->left == 0)
			f->state = 0;
	}
}

static bool relay_copy(struct relay *relay, int from, int to, struct framing *f)
{
	uint8_t bytes[4096];
	ssize_t n = read(from, bytes, sizeof(bytes));

	if (n <= 0)
		return false;
	for (ssize_t i = 0; f && i < n; i++)
		framing_feed(relay, f, bytes[i]);
	return send(to, bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

/* Bytes in transit are lost. */
static void close_with_reset(int fd)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static void relay_serve(struct relay *relay, int client, int broker)
{
	struct framing framing = {0};
	bool more = true;

	while (more) {
		struct pollfd fds[] = {
			{.fd = relay->wake, .events = POLLIN},
			{.fd = client, .events = POLLIN},
			{.fd = broker, .events = POLLIN},
		};
		uint64_t n;

		pthread_mutex_lock(&relay->lock);
		more = !relay->stop && !relay->cut;
		if (relay->silent) {
			fds[1].fd = fds[2].fd = -1;
			relay->silenced = true;
			pthread_cond_broadcast(&relay->changed);
		}
		pthread_mutex_unlock(&relay->lock);
		if (!more || poll(fds, 3, -1) < 0)
			break;
		if (fds[0].revents)
			more = read(relay->wake, &n, sizeof(n)) == sizeof(n);
		if (fds[1].revents)
			more = relay_copy(relay, client, broker, &framing);
		if (more && fds[2].revents)
			more = relay_copy(relay, broker, client, NULL);
	}
}

static void *relay_run(void *context)
{
	struct relay *relay = context;
	bool stop = false;
	int on = 1;

	while (!stop) {
		int client = accept(relay->listener, NULL, NULL);
		int broker;

		if (client < 0)
			break;
		setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		broker = dial(relay->broker_port);
		if (broker >= 0) {
			relay_serve(relay, client, broker);
			close_with_reset(broker);
		}
		close_with_reset(client);
		pthread_mutex_lock(&relay->lock);
		relay->cut = relay->silent = relay->silenced = false;
		stop = relay->stop;
		pthread_cond_broadcast(&relay->changed);
		pthread_mutex_unlock(&relay->lock);
	}
	return NULL;
}

static void relay_start(struct relay *relay, const struct broker *broker)
{
	memset(relay, 0, sizeof(*relay));
	pthread_mutex_init(&relay->lock, NULL);
	pthread_cond_init(&relay->changed, NULL);
	relay->disconnect_reason = -1;
	relay->broker_port = broker->port;
	relay->wake = eventfd(0, EFD_CLOEXEC);
	relay->listener = bind_somewhere(&relay->port);
	assert_int_equal(listen(relay->listener, 8), 0);
	pthread_create(&relay->thread, NULL, relay_run, relay);
}

static void relay_set(struct relay *relay, bool *what)
{
	uint64_t one = 1;

	pthread_mutex_lock(&relay->lock);
	*what = true;
	pthread_mutex_unlock(&relay->lock);
	assert_int_equal(write(relay->wake, &one, sizeof(one)), sizeof(one));
}

/* Returns when nothing passes any more. */
static void relay_silence(struct relay *relay)
{
	relay_set(relay, &relay->silent);
	pthread_mutex_lock(&relay->lock);
	while (!relay->silenced)
		pthread_cond_wait(&relay->changed, &relay->lock);
	pthread_mutex_unlock(&relay->lock);
}

static unsigned relay_seen(struct relay *relay, int type)
{
	unsigned n;

	pthread_mutex_lock(&relay->lock);
	n = relay->seen[type];
	pthread_mutex_unlock(&relay->lock);
	return n;
}

static int relay_disconnect_reason(struct relay *relay)
{
	int reason;

	pthread_mutex_lock(&relay->lock);
	reason = relay->disconnect_reason;
	pthread_mutex_unlock(&relay->lock);
	return reason;
}

static void relay_stop(struct relay *relay)
{
	relay_set(relay, &relay->stop);
	shutdown(relay->listener, SHUT_RDWR);
	pthread_join(relay->thread, NULL);
	close(relay->listener);
	close(relay->wake);
}

/* ---- A recorder of the callbacks ---- */

struct received {
	uint32_t epoch;
	char topic[128], payload[256], response[128];
	char correlation[64];
	size_t correlation_size;
	bool retained, duplicate;
};

struct recorder {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* lock */
	unsigned ups, downs, sent, refused, subscribed, subscribe_refused, window, inside;
	uint32_t epoch, down_epoch, last_sent_epoch;
	bool session_present, hold;
	char why[256];
	size_t n;
	struct received messages[MESSAGES_MAX];
};

static void recorder_init(struct recorder *recorder)
{
	pthread_condattr_t attr;

	memset(recorder, 0, sizeof(*recorder));
	pthread_mutex_init(&recorder->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&recorder->changed, &attr);
	pthread_condattr_destroy(&attr);
}

static void recorder_up(void *context, uint32_t epoch, bool session_present,
			unsigned window, int version)
{
	struct recorder *recorder = context;

	pthread_mutex_lock(&recorder->lock);
	recorder->ups++;
	recorder->epoch = epoch;
	recorder->session_present = session_present;
	recorder->window = version == 5 ? window : 0;
	pthread_cond_broadcast(&recorder->changed);
	pthread_mutex_unlock(&recorder->lock);
}

static void recorder_down(void *context, uint32_t epoch, const char *why)
{
	struct recorder *recorder = context;

	pthread_mutex_lock(&recorder->lock);
	recorder->downs++;
	recorder->down_epoch = epoch;
	snprintf(recorder->why, sizeof(recorder->why), "%s", why);
	pthread_cond_broadcast(&recorder->changed);
	pthread_mutex_unlock(&recorder->lock);
}

static void recorder_message(void *context, uint32_t epoch, const struct incoming *in)
{
	struct recorder *recorder = context;
	struct received *m;

	pthread_mutex_lock(&recorder->lock);
	m = &recorder->messages[recorder->n % MESSAGES_MAX];
	memset(m, 0, sizeof(*m));
	m->epoch = epoch;
	snprintf(m->topic, sizeof(m->topic), "%s", in->topic);
	snprintf(m->payload, sizeof(m->payload), "%.*s", (int)in->size,
		 (const char *)in->payload);
	snprintf(m->response, sizeof(m->response), "%s",
		 in->response_topic ? in->response_topic : "");
	m->correlation_size = in->correlation_size;
	if (in->correlation)
		memcpy(m->correlation, in->correlation, in->correlation_size);
	m->retained = in->retained;
	m->duplicate = in->duplicate;
	recorder->n++;
	recorder->inside++;
	pthread_cond_broadcast(&recorder->changed);
	while (recorder->hold)
		pthread_cond_wait(&recorder->changed, &recorder->lock);
	recorder->inside--;
	pthread_mutex_unlock(&recorder->lock);
}

static void recorder_sent(void *context, uint32_t epoch, uint64_t token, bool ok)
{
	struct recorder *recorder = context;

	(void)token;
	pthread_mutex_lock(&recorder->lock);
	recorder->last_sent_epoch = epoch;
	if (ok)
		recorder->sent++;
	else
		recorder->refused++;
	pthread_cond_broadcast(&recorder->changed);
	pthread_mutex_unlock(&recorder->lock);
}

static void recorder_subscribed(void *context, uint32_t epoch, uint64_t token, bool ok)
{
	struct recorder *recorder = context;

	(void)epoch;
	(void)token;
	pthread_mutex_lock(&recorder->lock);
	if (ok)
		recorder->subscribed++;
	else
		recorder->subscribe_refused++;
	pthread_cond_broadcast(&recorder->changed);
	pthread_mutex_unlock(&recorder->lock);
}

static struct timespec in_ms(int64_t ms)
{
	int64_t at = clock_monotonic_ms() + ms;

	return (struct timespec){at / 1000, (long)(at % 1000) * 1000000};
}

/* Waits until expression, which is evaluated with the recorder's lock held. */
#define recorder_wait(recorder, expression)                                              \
	do {                                                                             \
		struct timespec until_ = in_ms(deadline_patient(PATIENCE_MS));           \
                                                                                         \
		pthread_mutex_lock(&(recorder)->lock);                                   \
		while (!(expression))                                                    \
			if (pthread_cond_timedwait(&(recorder)->changed,                 \
						   &(recorder)->lock,                    \
						   &until_) == ETIMEDOUT) {              \
				pthread_mutex_unlock(&(recorder)->lock);                 \
				fail_msg("waited in vain for %s", #expression);          \
			}                                                                \
		pthread_mutex_unlock(&(recorder)->lock);                                 \
	} while (0)

static void recorder_hold(struct recorder *recorder, bool hold)
{
	pthread_mutex_lock(&recorder->lock);
	recorder->hold = hold;
	pthread_cond_broadcast(&recorder->changed);
	pthread_mutex_unlock(&recorder->lock);
}

/* ---- A client made with another library ---- */

struct client {
	struct mosquitto *mosq;
	struct recorder recorder;
};

static void client_subscribed(struct mosquitto *mosq, void *context, int mid, int n,
			      const int *qos)
{
	struct client *client = context;

	(void)mosq;
	(void)mid;
	(void)n;
	(void)qos;
	recorder_subscribed(&client->recorder, 0, 0, true);
}

static void client_connected(struct mosquitto *mosq, void *context, int code, int flags,
			     const mosquitto_property *properties)
{
	struct client *client = context;

	(void)mosq;
	(void)flags;
	(void)properties;
	if (!code)
		recorder_up(&client->recorder, 1, false, 0, 5);
}

static void client_message(struct mosquitto *mosq, void *context,
			   const struct mosquitto_message *message,
			   const mosquitto_property *properties)
{
	struct client *client = context;
	struct incoming in = {
		.topic = message->topic,
		.payload = message->payload,
		.size = (size_t)message->payloadlen,
		.retained = message->retain,
	};

	(void)mosq;
	(void)properties;
	recorder_message(&client->recorder, 1, &in);
}

static void client_published(struct mosquitto *mosq, void *context, int mid, int reason,
			     const mosquitto_property *properties)
{
	struct client *client = context;

	(void)mosq;
	(void)properties;
	recorder_sent(&client->recorder, 1, (uint64_t)mid, reason < 0x80);
}

static void client_open(struct client *client, int port, const char *filter)
{
	recorder_init(&client->recorder);
	client->mosq = mosquitto_new(NULL, true, client);
	assert_non_null(client->mosq);
	mosquitto_int_option(client->mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	mosquitto_int_option(client->mosq, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_connect_v5_callback_set(client->mosq, client_connected);
	mosquitto_subscribe_callback_set(client->mosq, client_subscribed);
	mosquitto_message_v5_callback_set(client->mosq, client_message);
	mosquitto_publish_v5_callback_set(client->mosq, client_published);
	assert_int_equal(mosquitto_connect(client->mosq, "127.0.0.1", port, 60), 0);
	assert_int_equal(mosquitto_loop_start(client->mosq), 0);
	recorder_wait(&client->recorder, client->recorder.ups);
	if (filter) {
		assert_int_equal(mosquitto_subscribe(client->mosq, NULL, filter, 1), 0);
		recorder_wait(&client->recorder, client->recorder.subscribed);
	}
}

static void client_publish(struct client *client, const char *topic, const char *payload,
			   bool retain, mosquitto_property *properties)
{
	assert_int_equal(mosquitto_publish_v5(client->mosq, NULL, topic,
					      (int)strlen(payload), payload, 1, retain,
					      properties),
			 0);
}

static void client_close(struct client *client)
{
	mosquitto_disconnect(client->mosq);
	mosquitto_loop_stop(client->mosq, true);
	mosquitto_destroy(client->mosq);
}

/* ---- The fixture: broker, relay and connection ---- */

struct fixture {
	struct broker broker;
	struct relay relay;
	struct recorder recorder;
	struct connection *c;
};

static const struct connection_callbacks callbacks = {
	.up = recorder_up,
	.down = recorder_down,
	.message = recorder_message,
	.sent = recorder_sent,
	.subscribed = recorder_subscribed,
};

static struct connection_options options_for(const char *url)
{
	return (struct connection_options){
		.url = url,
		.client_id = "rig1",
		.will_topic = "t/rig1/status",
		.will_text = "lost",
		.session_expiry_s = 60,
		.reconnect_max_s = 2,
		.keep_alive_s = 60,
	};
}

static void fixture_connect(struct fixture *s, int port, int keep_alive_s)
{
	struct connection_callbacks mine = callbacks;
	struct connection_options options;
	struct err err = {0};
	unsigned before = s->recorder.ups;
	char url[64];

	snprintf(url, sizeof(url), "mqtt://127.0.0.1:%d", port);
	options = options_for(url);
	options.keep_alive_s = keep_alive_s;
	mine.context = &s->recorder;
	if (connection_open(&s->c, &options, &mine, &err) < 0)
		fail_msg("%s", err.text);
	recorder_wait(&s->recorder, s->recorder.ups == before + 1);
}

static void subscribe(struct fixture *s, const char *topic)
{
	struct filter filter = {.topic = topic,
				.qos = 1,
				.retain_as_published = true,
				.retain_handling = 1};
	unsigned before = s->recorder.subscribed;

	connection_subscribe(s->c, s->recorder.epoch, 1, &filter, 1);
	recorder_wait(&s->recorder, s->recorder.subscribed == before + 1);
}

static void publish(struct fixture *s, uint32_t epoch, const char *topic,
		    const char *payload, int qos)
{
	struct outgoing out = {
		.token = 1,
		.topic = topic,
		.payload = payload,
		.size = strlen(payload),
		.qos = qos,
	};

	connection_publish(s->c, epoch, &out);
}

/* Connects through the relay and subscribes to t/rig1/cmd/#. */
static int setup(void **state)
{
	struct fixture *s = calloc(1, sizeof(*s));

	broker_start(&s->broker, "allow_anonymous true");
	relay_start(&s->relay, &s->broker);
	recorder_init(&s->recorder);
	fixture_connect(s, s->relay.port, 60);
	subscribe(s, "t/rig1/cmd/#");
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *s = *state;

	connection_close(s->c, 5000);
	relay_stop(&s->relay);
	broker_stop(&s->broker);
	free(s);
	return 0;
}

/* ---- Tests ---- */

static void the_window_is_the_receive_maximum_up_to_16(void **state)
{
	struct fixture *s = *state;
	struct fixture narrow = {0};

	recorder_init(&narrow.recorder);
	broker_start(&narrow.broker, "allow_anonymous true\nmax_inflight_messages 3");
	fixture_connect(&narrow, narrow.broker.port, 60);

	assert_int_equal(s->recorder.window, 16);
	assert_int_equal(narrow.recorder.window, 3);

	connection_close(narrow.c, 5000);
	broker_stop(&narrow.broker);
}

static void the_puback_leaves_only_after_message_returned(void **state)
{
	struct fixture *s = *state;
	struct client client;

	client_open(&client, s->broker.port, NULL);
	recorder_hold(&s->recorder, true);
	client_publish(&client, "t/rig1/cmd/x", "1", false, NULL);
	recorder_wait(&s->recorder, s->recorder.inside == 1);
	/* A second for anything that the connection might still send. */
	usleep(1000000);
	unsigned while_held = relay_seen(&s->relay, 4);
	recorder_hold(&s->recorder, false);
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += deadline_patient(PATIENCE_MS) / 1000;
	pthread_mutex_lock(&s->relay.lock);
	int ret = 0;
	while (!s->relay.seen[4] && ret != ETIMEDOUT)
		ret = pthread_cond_timedwait(&s->relay.changed, &s->relay.lock, &until);
	unsigned afterwards = s->relay.seen[4];
	pthread_mutex_unlock(&s->relay.lock);

	assert_int_equal(while_held, 0);
	assert_int_equal(afterwards, 1);

	client_close(&client);
}

static void a_message_cut_off_in_the_callback_is_redelivered_as_a_duplicate(void **state)
{
	struct fixture *s = *state;
	struct client client;

	client_open(&client, s->broker.port, NULL);
	recorder_hold(&s->recorder, true);
	client_publish(&client, "t/rig1/cmd/x", "once", false, NULL);
	recorder_wait(&s->recorder, s->recorder.inside == 1);
	relay_set(&s->relay, &s->relay.cut);
	pthread_mutex_lock(&s->relay.lock);
	while (s->relay.cut)
		pthread_cond_wait(&s->relay.changed, &s->relay.lock);
	pthread_mutex_unlock(&s->relay.lock);
	recorder_hold(&s->recorder, false);
	recorder_wait(&s->recorder, s->recorder.n == 2);

	assert_false(s->recorder.messages[0].duplicate);
	assert_int_equal(s->recorder.messages[0].epoch, 1);
	assert_true(s->recorder.messages[1].duplicate);
	assert_int_equal(s->recorder.messages[1].epoch, 2);
	assert_string_equal(s->recorder.messages[1].payload, "once");
	assert_true(s->recorder.session_present);
	assert_int_equal(s->recorder.down_epoch, 1);

	client_close(&client);
}

static void response_topic_and_correlation_arrive(void **state)
{
	struct fixture *s = *state;
	mosquitto_property *properties = NULL;
	struct client client;

	client_open(&client, s->broker.port, NULL);
	mosquitto_property_add_string(&properties, MQTT_PROP_RESPONSE_TOPIC,
				      "t/rig1/reply/me");
	mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA, "a\0b", 3);
	client_publish(&client, "t/rig1/cmd/x", "{}", false, properties);
	client_publish(&client, "t/rig1/cmd/y", "{}", false, NULL);
	recorder_wait(&s->recorder, s->recorder.n == 2);

	assert_string_equal(s->recorder.messages[0].topic, "t/rig1/cmd/x");
	assert_string_equal(s->recorder.messages[0].response, "t/rig1/reply/me");
	assert_int_equal(s->recorder.messages[0].correlation_size, 3);
	assert_memory_equal(s->recorder.messages[0].correlation, "a\0b", 3);
	assert_string_equal(s->recorder.messages[1].response, "");
	assert_int_equal(s->recorder.messages[1].correlation_size, 0);

	mosquitto_property_free_all(&properties);
	client_close(&client);
}

static void the_retained_flag_is_seen_live_and_stored(void **state)
{
	struct fixture *s = *state;
	struct client client;

	client_open(&client, s->broker.port, NULL);
	client_publish(&client, "t/rig1/cmd/live", "1", true, NULL);
	client_publish(&client, "t/rig1/cmd/live", "2", false, NULL);
	client_publish(&client, "t/other/stored", "3", true, NULL);
	recorder_wait(&s->recorder, s->recorder.n == 2);
	recorder_wait(&client.recorder, client.recorder.sent == 3);
	subscribe(s, "t/other/#");
	recorder_wait(&s->recorder, s->recorder.n == 3);

	assert_true(s->recorder.messages[0].retained);
	assert_false(s->recorder.messages[1].retained);
	assert_true(s->recorder.messages[2].retained);

	client_close(&client);
}

static void more_publishes_than_the_window_are_all_acknowledged(void **state)
{
	struct fixture *s = *state;
	struct client client;
	int64_t began;

	client_open(&client, s->broker.port, "t/rig1/out");
	began = clock_monotonic_ms();
	for (int i = 0; i < 2000; i++)
		publish(s, s->recorder.epoch, "t/rig1/out", "x", i % 4 ? 1 : 0);
	recorder_wait(&s->recorder, s->recorder.sent == 2000);
	recorder_wait(&client.recorder, client.recorder.n == 2000);

	assert_int_equal(s->recorder.refused, 0);
	/* Paho's own window would send 20 per second: 75 s. */
	assert_true(clock_monotonic_ms() - began < 60000);

	client_close(&client);
}

static void a_message_that_cannot_be_sent_is_refused(void **state)
{
	struct fixture *s = *state;

	publish(s, s->recorder.epoch, "t/rig1/\xff", "x", 1);
	recorder_wait(&s->recorder, s->recorder.refused == 1);
	publish(s, s->recorder.epoch, "t/rig1/good", "x", 1);
	recorder_wait(&s->recorder, s->recorder.sent == 1);

	assert_int_equal(s->recorder.downs, 0);
}

static void unsubscribing_is_answered(void **state)
{
	struct fixture *s = *state;
	const char *topics[] = {"t/rig1/cmd/#", "t/never"};

	connection_unsubscribe(s->c, s->recorder.epoch, 7, topics, 2);
	recorder_wait(&s->recorder, s->recorder.subscribed == 2);

	assert_int_equal(s->recorder.subscribe_refused, 0);
}

static void a_restarted_broker_begins_an_epoch_and_ends_the_old_one(void **state)
{
	struct fixture *s = *state;
	struct client client;

	broker_kill(&s->broker);
	recorder_wait(&s->recorder, s->recorder.downs == 1);
	publish(s, 1, "t/rig1/out", "old", 1);
	broker_run(&s->broker);
	client_open(&client, s->broker.port, "t/rig1/out");
	recorder_wait(&s->recorder, s->recorder.ups == 2);
	publish(s, 1, "t/rig1/out", "old", 1);
	publish(s, 2, "t/rig1/out", "new", 1);
	recorder_wait(&s->recorder, s->recorder.sent == 1);
	recorder_wait(&client.recorder, client.recorder.n == 1);

	assert_int_equal(s->recorder.epoch, 2);
	assert_int_equal(s->recorder.last_sent_epoch, 2);
	assert_false(s->recorder.session_present);
	assert_string_equal(client.recorder.messages[0].payload, "new");

	client_close(&client);
}

static void messages_in_flight_are_not_resent_after_a_disconnect(void **state)
{
	struct fixture *s = *state;
	struct client client;

	client_open(&client, s->broker.port, "t/rig1/out");
	relay_silence(&s->relay);
	for (int i = 0; i < 40; i++)
		publish(s, 1, "t/rig1/out", "old", 1);
	relay_set(&s->relay, &s->relay.cut);
	recorder_wait(&s->recorder, s->recorder.ups == 2);
	publish(s, 2, "t/rig1/out", "new", 1);
	recorder_wait(&s->recorder, s->recorder.sent == 1);
	recorder_wait(&client.recorder, client.recorder.n == 1);

	assert_string_equal(client.recorder.messages[0].payload, "new");
	assert_int_equal(s->recorder.last_sent_epoch, 2);
	assert_int_equal(s->recorder.sent, 1);

	client_close(&client);
}

static void
a_dropped_connection_publishes_the_will_and_a_closed_one_does_not(void **state)
{
	struct fixture *s = *state;
	struct client client;

	client_open(&client, s->broker.port, "t/+/status");
	relay_set(&s->relay, &s->relay.stop);
	recorder_wait(&client.recorder, client.recorder.n == 1);
	assert_string_equal(client.recorder.messages[0].payload, "lost");

	relay_stop(&s->relay);
	relay_start(&s->relay, &s->broker);
	connection_close(s->c, 5000);
	fixture_connect(s, s->relay.port, 60);
	publish(s, s->recorder.epoch, "t/rig1/status", "offline", 1);
	connection_close(s->c, 5000);
	s->c = NULL;
	/* Longer than the will delay: the will must not be published. */
	usleep(6500000);

	assert_int_equal(relay_disconnect_reason(&s->relay), 0);
	assert_int_equal(client.recorder.n, 2);
	assert_string_equal(client.recorder.messages[1].payload, "offline");

	client_close(&client);
}

static void a_restart_waits_for_the_given_time(void **state)
{
	struct fixture *s = *state;
	int64_t began = clock_monotonic_ms();

	connection_restart(s->c, 1500);
	recorder_wait(&s->recorder, s->recorder.ups == 2);

	assert_true(clock_monotonic_ms() - began >= 1500);
	assert_int_equal(s->recorder.downs, 1);
	assert_string_equal(s->recorder.why, "restarted");
	assert_int_equal(relay_disconnect_reason(&s->relay), 4);
}

static void a_broken_connection_reconnects_quickly(void **state)
{
	struct fixture *s = *state;
	int64_t began = clock_monotonic_ms();

	relay_set(&s->relay, &s->relay.cut);
	recorder_wait(&s->recorder, s->recorder.ups == 2);

	/* At most 0.3 s for the wait, and as much for Paho's threads to end and to start;
	 * threads that were not ended would need another second. */
	assert_true(clock_monotonic_ms() - began < deadline_patient(1000));
}

static void a_silent_broker_is_given_up(void **state)
{
	struct fixture *s = *state;

	connection_close(s->c, 5000);
	fixture_connect(s, s->relay.port, 1);
	relay_silence(&s->relay);
	recorder_wait(&s->recorder, s->recorder.downs == 2);

	assert_string_equal(s->recorder.why, "the broker is silent");
}

static void an_idle_connection_stays(void **state)
{
	struct fixture *s = *state;
	unsigned probes;

	connection_close(s->c, 5000);
	fixture_connect(s, s->relay.port, 2);
	probes = relay_seen(&s->relay, 10);
	usleep(7000000); /* more than twice the time after which a silent one ends */

	assert_int_equal(s->recorder.downs, 1);
	assert_true(relay_seen(&s->relay, 10) > probes);
}

static void a_message_callback_that_never_returns_does_not_block_close(void **state)
{
	struct fixture *s = *state;
	struct client client;
	int64_t began;

	client_open(&client, s->broker.port, NULL);
	recorder_hold(&s->recorder, true);
	client_publish(&client, "t/rig1/cmd/x", "1", false, NULL);
	recorder_wait(&s->recorder, s->recorder.inside == 1);
	began = clock_monotonic_ms();
	connection_close(s->c, 700);

	assert_true(clock_monotonic_ms() - began < deadline_patient(2000));
	assert_int_equal(s->recorder.downs, 0);

	s->c = NULL;
	recorder_hold(&s->recorder, false);
	client_close(&client);
}

/* Counts our sockets that lead to this port, and those of them with TCP_NODELAY. */
static void count_sockets(int port, int *all, int *nodelay)
{
	*all = *nodelay = 0;
	for (int fd = 0; fd < 1024; fd++) {
		struct sockaddr_in peer = {0};
		socklen_t length = sizeof(peer);
		int on = 0;

		if (getpeername(fd, (struct sockaddr *)&peer, &length) != 0 ||
		    peer.sin_family != AF_INET || ntohs(peer.sin_port) != port)
			continue;
		length = sizeof(on);
		getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &length);
		*all += 1;
		*nodelay += on != 0;
	}
}

/* With Nagle's algorithm each packet would wait for a delayed ACK; tests/bench/run shows
 * what that costs. */
static void no_packet_waits_for_a_delayed_ack(void **state)
{
	struct fixture *s = *state;
	int all, nodelay;

	connection_close(s->c, 5000);
	fixture_connect(s, s->broker.port, 60);

	count_sockets(s->broker.port, &all, &nodelay);

	assert_true(all > 0);
	assert_int_equal(nodelay, all);
}

static void a_login_is_percent_decoded_and_a_wrong_one_is_refused(void **state)
{
	struct fixture s = {0};
	struct connection_callbacks mine = callbacks;
	struct connection *wrong = NULL;
	struct connection_options options;
	char command[512], extra[256], url[128];

	(void)state;
	recorder_init(&s.recorder);
	snprintf(command, sizeof(command),
		 "printf '' > /tmp/connection-test-%d.pw && "
		 "mosquitto_passwd -b /tmp/connection-test-%d.pw 'a b' 'p@:/%%'",
		 (int)getpid(), (int)getpid());
	assert_int_equal(system(command), 0);
	snprintf(extra, sizeof(extra),
		 "allow_anonymous false\npassword_file /tmp/connection-test-%d.pw",
		 (int)getpid());
	broker_start(&s.broker, extra);
	mine.context = &s.recorder;
	snprintf(url, sizeof(url), "mqtt://a%%20b:no@127.0.0.1:%d", s.broker.port);
	options = options_for(url);
	assert_int_equal(connection_open(&wrong, &options, &mine, NULL), 0);
	snprintf(url, sizeof(url), "mqtt://a%%20b:p%%40%%3a%%2F%%25@127.0.0.1:%d",
		 s.broker.port);
	options.client_id = "rig2";
	assert_int_equal(connection_open(&s.c, &options, &mine, NULL), 0);
	recorder_wait(&s.recorder, s.recorder.ups == 1);
	connection_close(wrong, 5000);

	assert_int_equal(s.recorder.ups, 1);

	connection_close(s.c, 5000);
	broker_stop(&s.broker);
	snprintf(command, sizeof(command), "/tmp/connection-test-%d.pw", (int)getpid());
	unlink(command);
}

static void bad_options_are_refused_with_a_sentence(void **state)
{
	struct connection_options options = options_for("mqtt://host");
	struct connection *c = NULL;
	struct err err = {0};

	(void)state;
	options.url = "mqtts://rig:secret@[::1]";
	assert_int_equal(connection_open(&c, &options, &callbacks, &err), -EINVAL);
	assert_null(strstr(err.text, "secret"));
	assert_non_null(strstr(err.text, "IPv6"));
	options.url = "mqtt://rig:secret@host:x";
	assert_int_equal(connection_open(&c, &options, &callbacks, &err), -EINVAL);
	assert_null(strstr(err.text, "secret"));
	options.url = "mqtt://host";
	options.keep_alive_s = 0;
	assert_int_equal(connection_open(&c, &options, &callbacks, &err), -EINVAL);
	assert_string_equal(err.text, "keep_alive_s must be 1 to 65535, not 0");
	assert_null(c);
}

#define scene_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* With an argument: only the tests whose name matches it (with * and ?). */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_options_are_refused_with_a_sentence),
		cmocka_unit_test(a_login_is_percent_decoded_and_a_wrong_one_is_refused),
		scene_test(the_window_is_the_receive_maximum_up_to_16),
		scene_test(the_puback_leaves_only_after_message_returned),
		scene_test(
			a_message_cut_off_in_the_callback_is_redelivered_as_a_duplicate),
		scene_test(response_topic_and_correlation_arrive),
		scene_test(the_retained_flag_is_seen_live_and_stored),
		scene_test(more_publishes_than_the_window_are_all_acknowledged),
		scene_test(a_message_that_cannot_be_sent_is_refused),
		scene_test(unsubscribing_is_answered),
		scene_test(a_restarted_broker_begins_an_epoch_and_ends_the_old_one),
		scene_test(messages_in_flight_are_not_resent_after_a_disconnect),
		scene_test(a_restart_waits_for_the_given_time),
		scene_test(a_broken_connection_reconnects_quickly),
		scene_test(a_silent_broker_is_given_up),
		scene_test(an_idle_connection_stays),
		scene_test(no_packet_waits_for_a_delayed_ack),
		scene_test(
			a_dropped_connection_publishes_the_will_and_a_closed_one_does_not),
		scene_test(a_message_callback_that_never_returns_does_not_block_close),
	};
	int failed;

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	mosquitto_lib_init();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	mosquitto_lib_cleanup();
	return failed;
}
