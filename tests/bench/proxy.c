/* Forwards bytes and follows the MQTT packets in both directions. */
#include "tests/bench/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/sample.h"

#define RETAINED_MAX 4096
#define POLL_MS 50

/* The bytes of one direction that have been read and not yet parsed. */
struct stream {
	unsigned char *bytes;
	size_t count, room;
};

struct proxy {
	int port, broker_port, listener;
	pthread_t thread;
	bool running;
	atomic_bool closing;

	/* used by the thread only */
	int agent, broker; /* -1: no connection */
	struct stream up, down;
	bool retained[65536]; /* by packet id: in flight and retained */

	pthread_mutex_t lock; /* protects the rest */
	int64_t since_ns;
	double acknowledged_ms[RETAINED_MAX];
	size_t count;
};

/* ---- parsing ---- */

static void stream_add(struct stream *stream, const void *bytes, size_t count)
{
	if (stream->count + count > stream->room) {
		stream->room = 2 * (stream->count + count);
		stream->bytes = realloc(stream->bytes, stream->room);
		if (!stream->bytes)
			abort();
	}
	memcpy(stream->bytes + stream->count, bytes, count);
	stream->count += count;
}

/* The length of the first packet, with its fixed header in *header; 0 while it is
 * incomplete. */
static size_t packet_length(const struct stream *stream, size_t *header)
{
	size_t length = 0;
	int shift = 0;

	for (size_t i = 1; i < stream->count && i < 5; i++, shift += 7) {
		length |= (size_t)(stream->bytes[i] & 0x7f) << shift;
		if (stream->bytes[i] & 0x80)
			continue;
		*header = i + 1;
		return *header + length <= stream->count ? *header + length : 0;
	}
	return 0;
}

static unsigned number_at(const unsigned char *bytes)
{
	return (unsigned)bytes[0] << 8 | bytes[1];
}

static void see_publish(struct proxy *proxy, const unsigned char *packet, size_t header)
{
	bool retain = packet[0] & 1, acknowledged = packet[0] & 6;
	unsigned topic = number_at(packet + header);

	if (acknowledged)
		proxy->retained[number_at(packet + header + 2 + topic)] = retain;
}

static void see_puback(struct proxy *proxy, unsigned id)
{
	if (!proxy->retained[id])
		return;
	proxy->retained[id] = false;
	pthread_mutex_lock(&proxy->lock);
	if (proxy->count < RETAINED_MAX)
		proxy->acknowledged_ms[proxy->count++] =
			(double)(now_ns() - proxy->since_ns) / 1e6;
	pthread_mutex_unlock(&proxy->lock);
}

static void stream_read(struct proxy *proxy, struct stream *stream)
{
	size_t header = 0, length;

	while ((length = packet_length(stream, &header)) > 0) {
		int type = stream->bytes[0] >> 4;

		if (type == 3 && stream == &proxy->up)
			see_publish(proxy, stream->bytes, header);
		if (type == 4 && stream == &proxy->down)
			see_puback(proxy, number_at(stream->bytes + header));
		stream->count -= length;
		memmove(stream->bytes, stream->bytes + length, stream->count);
	}
}

/* ---- forwarding ---- */

static void at_once(int fd)
{
	int yes = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

static int connect_broker(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void hang_up(struct proxy *proxy)
{
	if (proxy->agent >= 0)
		close(proxy->agent);
	if (proxy->broker >= 0)
		close(proxy->broker);
	proxy->agent = proxy->broker = -1;
}

static void pick_up(struct proxy *proxy)
{
	int64_t since = now_ns();
	int agent = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
	int broker = agent >= 0 ? connect_broker(proxy->broker_port) : -1;

	if (broker < 0) {
		if (agent >= 0)
			close(agent);
		return;
	}
	hang_up(proxy);
	at_once(agent);
	at_once(broker);
	proxy->agent = agent;
	proxy->broker = broker;
	proxy->up.count = proxy->down.count = 0;
	memset(proxy->retained, 0, sizeof(proxy->retained));
	pthread_mutex_lock(&proxy->lock);
	proxy->since_ns = since;
	proxy->count = 0;
	pthread_mutex_unlock(&proxy->lock);
}

/* False when one of the peers has gone. */
static bool pass_on(struct proxy *proxy, int from, int to, struct stream *stream)
{
	unsigned char bytes[16384];
	ssize_t count = recv(from, bytes, sizeof(bytes), 0), sent = 0;

	if (count <= 0)
		return false;
	stream_add(stream, bytes, (size_t)count);
	stream_read(proxy, stream);
	while (sent < count) {
		ssize_t now =
			send(to, bytes + sent, (size_t)(count - sent), MSG_NOSIGNAL);

		if (now < 0)
			return false;
		sent += now;
	}
	return true;
}

static void *serve(void *context)
{
	struct proxy *proxy = context;

	while (!atomic_load(&proxy->closing)) {
		struct pollfd fds[] = {
			{.fd = proxy->listener, .events = POLLIN},
			{.fd = proxy->agent, .events = POLLIN},
			{.fd = proxy->broker, .events = POLLIN},
		};
		bool whole = true;

		if (poll(fds, 3, POLL_MS) <= 0)
			continue;
		if (fds[1].revents)
			whole = pass_on(proxy, proxy->agent, proxy->broker, &proxy->up);
		if (whole && fds[2].revents)
			whole = pass_on(proxy, proxy->broker, proxy->agent, &proxy->down);
		if (!whole)
			hang_up(proxy);
		if (fds[0].revents)
			pick_up(proxy);
	}
	return NULL;
}

/* ---- open and close ---- */

static int listen_anywhere(struct proxy *proxy)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);

	proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (proxy->listener < 0 ||
	    bind(proxy->listener, (struct sockaddr *)&address, size) < 0 ||
	    listen(proxy->listener, 8) < 0 ||
	    getsockname(proxy->listener, (struct sockaddr *)&address, &size) < 0)
		return -errno;
	proxy->port = ntohs(address.sin_port);
	return 0;
}

int proxy_open(struct proxy **out, int broker_port)
{
	struct proxy *proxy = calloc(1, sizeof(*proxy));
	int ret;

	if (!proxy)
		return -ENOMEM;
	proxy->listener = proxy->agent = proxy->broker = -1;
	proxy->broker_port = broker_port;
	pthread_mutex_init(&proxy->lock, NULL);
	ret = listen_anywhere(proxy);
	if (ret == 0)
		ret = -pthread_create(&proxy->thread, NULL, serve, proxy);
	if (ret < 0) {
		proxy_close(proxy);
		return ret;
	}
	proxy->running = true;
	*out = proxy;
	return 0;
}

void proxy_close(struct proxy *proxy)
{
	if (!proxy)
		return;
	atomic_store(&proxy->closing, true);
	if (proxy->running)
		pthread_join(proxy->thread, NULL);
	hang_up(proxy);
	if (proxy->listener >= 0)
		close(proxy->listener);
	pthread_mutex_destroy(&proxy->lock);
	free(proxy->up.bytes);
	free(proxy->down.bytes);
	free(proxy);
}

int proxy_port(const struct proxy *proxy)
{
	return proxy->port;
}

void proxy_reset(struct proxy *proxy)
{
	pthread_mutex_lock(&proxy->lock);
	proxy->count = 0;
	pthread_mutex_unlock(&proxy->lock);
}

double proxy_retained(struct proxy *proxy, size_t number)
{
	double ms = -1;

	pthread_mutex_lock(&proxy->lock);
	if (number > 0 && number <= proxy->count)
		ms = proxy->acknowledged_ms[number - 1];
	pthread_mutex_unlock(&proxy->lock);
	return ms;
}

size_t proxy_count(struct proxy *proxy)
{
	size_t count;

	pthread_mutex_lock(&proxy->lock);
	count = proxy->count;
	pthread_mutex_unlock(&proxy->lock);
	return count;
}
