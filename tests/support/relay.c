/* Forwards bytes between client and broker with poll() in one thread. */
#include "tests/support/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WIRES_MAX 8
/* Type, length of up to four bytes, "MQTT" with its length, level: enough to know the
 * version.  A CONNECT is always longer. */
#define LEVEL_WITHIN 12

/* A connection; the broker's end is -1 until the client has sent its version. */
struct wire {
	int client, broker;
};

struct relay {
	pthread_t thread;
	int listener, wake, port, broker_port;
	atomic_int manner;
	atomic_uint asked;
	atomic_bool closing, cut, frozen;
	pthread_mutex_t forwarding; /* held by the thread while it forwards */
	atomic_long left[2];	    /* by direction: bytes until the cut; -1: no cut */
	atomic_size_t at_once;	    /* bytes forwarded before a rest; 0: no limit */
	atomic_int rest_ms;
	struct wire wires[WIRES_MAX]; /* used by the thread; client -1: free */
};

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static void set_option(int fd, int level, int name, int value)
{
	setsockopt(fd, level, name, &value, sizeof(value));
}

static int dial(int port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void wire_cut(struct wire *wire)
{
	if (wire->client >= 0)
		close(wire->client);
	if (wire->broker >= 0)
		close(wire->broker);
	*wire = (struct wire){-1, -1};
}

/* The protocol level of the CONNECT at this place, or -1. */
static int level_of(const uint8_t bytes[LEVEL_WITHIN])
{
	size_t at = 1;

	if (bytes[0] != 0x10)
		return -1;
	while (at < 5 && bytes[at] & 0x80)
		at++;
	at += 1 + 2 + 4;
	return at < LEVEL_WITHIN ? bytes[at] : -1;
}

static void turn_away(const struct relay *relay, int client)
{
	static const uint8_t refusal[] = {0x20, 3, 0, 0x84, 0};
	static const uint8_t answer[] = {0x20, 2, 0, 1};
	int manner = atomic_load(&relay->manner);

	if (manner == RELAY_REFUSES)
		send(client, refusal, sizeof(refusal), MSG_NOSIGNAL);
	else if (manner == RELAY_ANSWERS)
		send(client, answer, sizeof(answer), MSG_NOSIGNAL);
}

/* The client has sent enough: connects it to the broker, or refuses it (false). */
static bool wire_begin(struct relay *relay, struct wire *wire)
{
	uint8_t bytes[LEVEL_WITHIN];
	ssize_t n = recv(wire->client, bytes, sizeof(bytes), MSG_PEEK);
	bool five;

	if (n < LEVEL_WITHIN)
		return false;
	five = level_of(bytes) == 5;
	if (five)
		atomic_fetch_add(&relay->asked, 1);
	if (five && atomic_load(&relay->manner) != RELAY_NO_MORE) {
		/* Reads everything first: a reset would overtake the answer. */
		uint8_t whole[4096];

		recv(wire->client, whole, sizeof(whole), 0);
		turn_away(relay, wire->client);
		return false;
	}
	set_option(wire->client, SOL_SOCKET, SO_RCVLOWAT, 1);
	wire->broker = dial(relay->broker_port);
	return wire->broker >= 0;
}

static void rest(const struct relay *relay)
{
	int ms = atomic_load(&relay->rest_ms);
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	if (ms > 0)
		nanosleep(&time, NULL);
}

/* False when a peer has gone, or the connection must be cut. */
static bool copy(struct relay *relay, enum relay_way way, int from, int to)
{
	uint8_t bytes[16384];
	size_t most = atomic_load(&relay->at_once);
	long left = atomic_load(&relay->left[way]);
	ssize_t n;

	if (most == 0 || most > sizeof(bytes))
		most = sizeof(bytes);
	if (left >= 0 && (size_t)left < most)
		most = (size_t)left;
	n = most > 0 ? read(from, bytes, most) : 0;
	if (n <= 0 || send(to, bytes, (size_t)n, MSG_NOSIGNAL) != n) {
		atomic_store(&relay->left[way], -1);
		return false;
	}
	if (left >= 0)
		atomic_store(&relay->left[way], left - n);
	rest(relay);
	return true;
}

static void wire_serve(struct relay *relay, struct wire *wire, bool from_client,
		       bool from_broker)
{
	bool more = true;

	if (from_client && wire->broker < 0)
		more = wire_begin(relay, wire);
	else if (from_client)
		more = copy(relay, RELAY_UP, wire->client, wire->broker);
	if (more && from_broker && wire->broker >= 0)
		more = copy(relay, RELAY_DOWN, wire->broker, wire->client);
	if (!more)
		wire_cut(wire);
}

static void take_client(struct relay *relay)
{
	int fd = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < WIRES_MAX; i++) {
		if (relay->wires[i].client >= 0)
			continue;
		set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
		set_option(fd, SOL_SOCKET, SO_RCVLOWAT, LEVEL_WITHIN);
		relay->wires[i].client = fd;
		return;
	}
	if (fd >= 0)
		close(fd);
}

static void cut_all(struct relay *relay)
{
	for (size_t i = 0; i < WIRES_MAX; i++)
		wire_cut(&relay->wires[i]);
}

static void take_wake(struct relay *relay)
{
	uint64_t n;

	if (read(relay->wake, &n, sizeof(n)) == sizeof(n) &&
	    atomic_exchange(&relay->cut, false))
		cut_all(relay);
}

/* What arrived while the relay was being frozen stays unread. */
static void forward(struct relay *relay, const struct pollfd *fds)
{
	pthread_mutex_lock(&relay->forwarding);
	for (size_t i = 0; i < WIRES_MAX && !atomic_load(&relay->frozen); i++)
		if (fds[2 * i].revents || fds[2 * i + 1].revents)
			wire_serve(relay, &relay->wires[i], fds[2 * i].revents,
				   fds[2 * i + 1].revents);
	pthread_mutex_unlock(&relay->forwarding);
}

static void *serve(void *context)
{
	struct relay *relay = context;

	while (!atomic_load(&relay->closing)) {
		struct pollfd fds[2 + 2 * WIRES_MAX] = {
			{.fd = relay->wake, .events = POLLIN},
			{.fd = relay->listener, .events = POLLIN},
		};

		bool frozen = atomic_load(&relay->frozen);

		for (size_t i = 0; i < WIRES_MAX; i++) {
			/* poll() ignores a negative descriptor. */
			fds[2 + 2 * i] = (struct pollfd){
				.fd = frozen ? -1 : relay->wires[i].client,
				.events = POLLIN};
			fds[3 + 2 * i] = (struct pollfd){
				.fd = frozen ? -1 : relay->wires[i].broker,
				.events = POLLIN};
		}
		if (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0)
			continue;
		forward(relay, fds + 2);
		if (fds[1].revents)
			take_client(relay);
		if (fds[0].revents)
			take_wake(relay);
	}
	cut_all(relay);
	return NULL;
}

static int listen_somewhere(struct relay *relay)
{
	struct sockaddr_in address = loopback(0);
	socklen_t size = sizeof(address);

	relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (relay->listener < 0 ||
	    bind(relay->listener, (struct sockaddr *)&address, size) < 0 ||
	    listen(relay->listener, WIRES_MAX) < 0 ||
	    getsockname(relay->listener, (struct sockaddr *)&address, &size) < 0)
		return -errno;
	relay->port = ntohs(address.sin_port);
	return 0;
}

static void relay_free(struct relay *relay)
{
	if (relay->listener >= 0)
		close(relay->listener);
	if (relay->wake >= 0)
		close(relay->wake);
	pthread_mutex_destroy(&relay->forwarding);
	free(relay);
}

int relay_open(struct relay **out, int broker_port, enum relay_manner manner)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	int ret;

	if (!relay)
		return -ENOMEM;
	for (size_t i = 0; i < WIRES_MAX; i++)
		relay->wires[i] = (struct wire){-1, -1};
	relay->broker_port = broker_port;
	pthread_mutex_init(&relay->forwarding, NULL);
	atomic_store(&relay->left[RELAY_UP], -1);
	atomic_store(&relay->left[RELAY_DOWN], -1);
	atomic_store(&relay->manner, (int)manner);
	relay->wake = eventfd(0, EFD_CLOEXEC);
	ret = listen_somewhere(relay);
	if (ret == 0 && relay->wake < 0)
		ret = -EMFILE;
	if (ret == 0)
		ret = -pthread_create(&relay->thread, NULL, serve, relay);
	if (ret < 0) {
		relay_free(relay);
		return ret;
	}
	*out = relay;
	return 0;
}

static void wake(struct relay *relay)
{
	uint64_t one = 1;

	while (write(relay->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void relay_close(struct relay *relay)
{
	if (!relay)
		return;
	atomic_store(&relay->closing, true);
	wake(relay);
	pthread_join(relay->thread, NULL);
	relay_free(relay);
}

int relay_port(const struct relay *relay)
{
	return relay->port;
}

void relay_manner(struct relay *relay, enum relay_manner manner)
{
	atomic_store(&relay->manner, (int)manner);
}

unsigned relay_asked(const struct relay *relay)
{
	return atomic_load(&relay->asked);
}

void relay_cut_after(struct relay *relay, enum relay_way way, long bytes)
{
	atomic_store(&relay->left[way], bytes);
}

void relay_freeze(struct relay *relay, bool frozen)
{
	pthread_mutex_lock(&relay->forwarding);
	atomic_store(&relay->frozen, frozen);
	pthread_mutex_unlock(&relay->forwarding);
	wake(relay);
}

void relay_slow_down(struct relay *relay, size_t bytes, int rest_ms)
{
	atomic_store(&relay->at_once, bytes);
	atomic_store(&relay->rest_ms, rest_ms);
}

void relay_cut(struct relay *relay)
{
	atomic_store(&relay->cut, true);
	wake(relay);
}
