#include "tests/harness/old_broker.h"

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
#include <unistd.h>

#define WIRES_MAX 8
/* Type, length of up to four bytes, "MQTT" behind its length, level: then the version is
 * known.  A CONNECT is always longer. */
#define LEVEL_WITHIN 12

/* A connection: the broker's end is -1 until the client has said its version. */
struct wire {
	int client, broker;
};

struct old_broker {
	pthread_t thread;
	int listener, wake, port, broker_port;
	atomic_int manner;
	atomic_uint asked;
	atomic_bool closing, cut;
	struct wire wires[WIRES_MAX]; /* the thread's; client -1: free */
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

/* The protocol level of the CONNECT that begins there, or -1. */
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

static void turn_away(const struct old_broker *old, int client)
{
	static const uint8_t refusal[] = {0x20, 3, 0, 0x84, 0};
	static const uint8_t answer[] = {0x20, 2, 0, 1};
	int manner = atomic_load(&old->manner);

	if (manner == OLD_REFUSES)
		send(client, refusal, sizeof(refusal), MSG_NOSIGNAL);
	else if (manner == OLD_ANSWERS)
		send(client, answer, sizeof(answer), MSG_NOSIGNAL);
}

/* The client has said enough: it is put through, or turned away (false). */
static bool wire_begin(struct old_broker *old, struct wire *wire)
{
	uint8_t bytes[LEVEL_WITHIN];
	ssize_t n = recv(wire->client, bytes, sizeof(bytes), MSG_PEEK);
	bool five;

	if (n < LEVEL_WITHIN)
		return false;
	five = level_of(bytes) == 5;
	if (five)
		atomic_fetch_add(&old->asked, 1);
	if (five && atomic_load(&old->manner) != OLD_NO_MORE) {
		/* Read it all: a reset would overtake the answer. */
		uint8_t whole[4096];

		recv(wire->client, whole, sizeof(whole), 0);
		turn_away(old, wire->client);
		return false;
	}
	set_option(wire->client, SOL_SOCKET, SO_RCVLOWAT, 1);
	wire->broker = dial(old->broker_port);
	return wire->broker >= 0;
}

static bool copy(int from, int to)
{
	uint8_t bytes[16384];
	ssize_t n = read(from, bytes, sizeof(bytes));

	return n > 0 && send(to, bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

static void wire_serve(struct old_broker *old, struct wire *wire, bool from_client,
		       bool from_broker)
{
	bool more = true;

	if (from_client && wire->broker < 0)
		more = wire_begin(old, wire);
	else if (from_client)
		more = copy(wire->client, wire->broker);
	if (more && from_broker && wire->broker >= 0)
		more = copy(wire->broker, wire->client);
	if (!more)
		wire_cut(wire);
}

static void take_client(struct old_broker *old)
{
	int fd = accept4(old->listener, NULL, NULL, SOCK_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < WIRES_MAX; i++) {
		if (old->wires[i].client >= 0)
			continue;
		set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
		set_option(fd, SOL_SOCKET, SO_RCVLOWAT, LEVEL_WITHIN);
		old->wires[i].client = fd;
		return;
	}
	if (fd >= 0)
		close(fd);
}

static void cut_all(struct old_broker *old)
{
	for (size_t i = 0; i < WIRES_MAX; i++)
		wire_cut(&old->wires[i]);
}

static void take_wake(struct old_broker *old)
{
	uint64_t n;

	if (read(old->wake, &n, sizeof(n)) == sizeof(n) &&
	    atomic_exchange(&old->cut, false))
		cut_all(old);
}

static void *serve(void *context)
{
	struct old_broker *old = context;

	while (!atomic_load(&old->closing)) {
		struct pollfd fds[2 + 2 * WIRES_MAX] = {
			{.fd = old->wake, .events = POLLIN},
			{.fd = old->listener, .events = POLLIN},
		};

		for (size_t i = 0; i < WIRES_MAX; i++) {
			fds[2 + 2 * i] = (struct pollfd){.fd = old->wires[i].client,
							 .events = POLLIN};
			fds[3 + 2 * i] = (struct pollfd){.fd = old->wires[i].broker,
							 .events = POLLIN};
		}
		if (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0)
			continue;
		for (size_t i = 0; i < WIRES_MAX; i++)
			if (fds[2 + 2 * i].revents || fds[3 + 2 * i].revents)
				wire_serve(old, &old->wires[i], fds[2 + 2 * i].revents,
					   fds[3 + 2 * i].revents);
		if (fds[1].revents)
			take_client(old);
		if (fds[0].revents)
			take_wake(old);
	}
	cut_all(old);
	return NULL;
}

static int listen_somewhere(struct old_broker *old)
{
	struct sockaddr_in address = loopback(0);
	socklen_t size = sizeof(address);

	old->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (old->listener < 0 ||
	    bind(old->listener, (struct sockaddr *)&address, size) < 0 ||
	    listen(old->listener, WIRES_MAX) < 0 ||
	    getsockname(old->listener, (struct sockaddr *)&address, &size) < 0)
		return -errno;
	old->port = ntohs(address.sin_port);
	return 0;
}

static void old_broker_free(struct old_broker *old)
{
	if (old->listener >= 0)
		close(old->listener);
	if (old->wake >= 0)
		close(old->wake);
	free(old);
}

int old_broker_open(struct old_broker **out, int broker_port, enum old_manner manner)
{
	struct old_broker *old = calloc(1, sizeof(*old));
	int ret;

	if (!old)
		return -ENOMEM;
	for (size_t i = 0; i < WIRES_MAX; i++)
		old->wires[i] = (struct wire){-1, -1};
	old->broker_port = broker_port;
	atomic_store(&old->manner, (int)manner);
	old->wake = eventfd(0, EFD_CLOEXEC);
	ret = listen_somewhere(old);
	if (ret == 0 && old->wake < 0)
		ret = -EMFILE;
	if (ret == 0)
		ret = -pthread_create(&old->thread, NULL, serve, old);
	if (ret < 0) {
		old_broker_free(old);
		return ret;
	}
	*out = old;
	return 0;
}

static void wake(struct old_broker *old)
{
	uint64_t one = 1;

	while (write(old->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void old_broker_close(struct old_broker *old)
{
	if (!old)
		return;
	atomic_store(&old->closing, true);
	wake(old);
	pthread_join(old->thread, NULL);
	old_broker_free(old);
}

int old_broker_port(const struct old_broker *old)
{
	return old->port;
}

void old_broker_manner(struct old_broker *old, enum old_manner manner)
{
	atomic_store(&old->manner, (int)manner);
}

unsigned old_broker_asked(const struct old_broker *old)
{
	return atomic_load(&old->asked);
}

void old_broker_cut(struct old_broker *old)
{
	atomic_store(&old->cut, true);
	wake(old);
}
