/* connect() of the whole program: switches Nagle's algorithm off, then calls the real
 * one.
 *
 * Paho has no option for TCP_NODELAY; without it a QoS 1 message to a neighbour takes 44
 * ms a hop (Nagle here, the delayed ACK there) instead of a third of one.  A symbol of
 * the executable comes before that of the C library, also for the calls of shared
 * libraries. */
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>

typedef int connect_function(int fd, const struct sockaddr *address, socklen_t length);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static connect_function *next;

static void find_next(void)
{
	/* POSIX's way to take a function from dlsym(). */
	*(void **)&next = dlsym(RTLD_NEXT, "connect");
}

static void set_nodelay(int fd, const struct sockaddr *address)
{
	int before = errno;
	int on = 1;

	/* Fails on a socket that is not TCP, which then needs none; a slow connection is
	 * no reason not to connect. */
	if (address && (address->sa_family == AF_INET || address->sa_family == AF_INET6))
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	errno = before;
}

/* glibc declares the address as a union of all address types, so this must too. */
int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
	pthread_once(&once, find_next);
	if (!next) {
		errno = ENOSYS;
		return -1;
	}
	set_nodelay(fd, address.__sockaddr__);
	return next(fd, address.__sockaddr__, length);
}
