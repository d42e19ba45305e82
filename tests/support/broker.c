/* Starts and stops mosquitto on a free port. */
#include "tests/support/broker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/deadline.h"
#include "tests/support/folder.h"

#ifndef OPENSCAN_TEST_MOSQUITTO
#define OPENSCAN_TEST_MOSQUITTO "/usr/sbin/mosquitto"
#endif

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static int free_port(void)
{
	struct sockaddr_in address = loopback(0);
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int port = -1;

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&address, size) == 0 &&
	    getsockname(fd, (struct sockaddr *)&address, &size) == 0)
		port = ntohs(address.sin_port);
	close(fd);
	return port;
}

static bool takes_connections(int port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes =
		fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

	if (fd >= 0)
		close(fd);
	return yes;
}

static int write_config(const struct broker *broker, const char *path)
{
	char text[PATH_MAX + sizeof(broker->more) + 512];
	int length = snprintf(text, sizeof(text),
			      "listener %d 127.0.0.1\n"
			      "allow_anonymous true\n"
			      "set_tcp_nodelay true\n"
			      "max_queued_messages 0\n"
			      "user root\n"
			      "log_dest stdout\n"
			      "log_type error\nlog_type warning\nlog_type notice\n"
			      "persistence %s\n"
			      "persistence_location %s/\n"
			      "%s",
			      broker->port, broker->persistence ? "true" : "false",
			      broker->folder, broker->more);

	return file_write(path, text, (size_t)length);
}

int broker_restart(struct broker *broker)
{
	char config[PATH_MAX + 16], log[PATH_MAX + 16];
	const char *argv[] = {OPENSCAN_TEST_MOSQUITTO, "-c", config, NULL};
	int64_t until = deadline_now() + deadline_patient(SOON_MS);
	int ret;

	snprintf(config, sizeof(config), "%s/mosquitto.conf", broker->folder);
	snprintf(log, sizeof(log), "%s/mosquitto.log", broker->folder);
	ret = write_config(broker, config);
	if (ret == 0)
		ret = child_start(&broker->child, argv, NULL, log);
	if (ret < 0)
		return ret;
	while (!takes_connections(broker->port)) {
		if (child_wait(&broker->child, 5))
			return -EADDRINUSE;
		if (deadline_now() > until)
			return -ETIMEDOUT;
	}
	/* Another program may have taken the port and answered instead. */
	return child_wait(&broker->child, 0) ? -EADDRINUSE : 0;
}

int broker_start(struct broker *broker, const char *folder, bool persistence)
{
	int ret = -EADDRINUSE;

	broker->persistence = persistence;
	broker->more[0] = '\0';
	snprintf(broker->folder, sizeof(broker->folder), "%s", folder);
	for (int attempt = 0; ret == -EADDRINUSE && attempt < 10; attempt++) {
		broker->port = free_port();
		ret = broker->port < 0 ? -EADDRNOTAVAIL : broker_restart(broker);
	}
	return ret;
}

static int wait_connections(int port)
{
	int64_t until = deadline_now() + deadline_patient(SOON_MS);

	while (!takes_connections(port)) {
		if (deadline_now() > until)
			return -ETIMEDOUT;
		deadline_let_pass(5);
	}
	return 0;
}

int broker_listen(struct broker *broker, const char *options)
{
	size_t before = strlen(broker->more);
	int port = -1, ret = -EADDRINUSE;

	for (int attempt = 0; ret == -EADDRINUSE && attempt < 10; attempt++) {
		port = free_port();
		snprintf(broker->more + before, sizeof(broker->more) - before,
			 "listener %d 127.0.0.1\n%s", port, options);
		broker_stop(broker);
		ret = port < 0 ? -EADDRNOTAVAIL : broker_restart(broker);
	}
	if (ret == 0)
		ret = wait_connections(port);
	return ret < 0 ? ret : port;
}

void broker_stop(struct broker *broker)
{
	child_signal(&broker->child, SIGTERM);
	if (!child_wait(&broker->child, deadline_patient(SOON_MS)))
		child_kill(&broker->child);
}

void broker_kill(struct broker *broker)
{
	child_kill(&broker->child);
}
