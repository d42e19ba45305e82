/* Replaces connect(2) in the whole program: switches Nagle's algorithm off, then calls
 * the real connect().
 *
 * Paho has no option for TCP_NODELAY.  Without it a QoS 1 message on the local network
 * takes 44 ms per hop (Nagle's algorithm here, the delayed ACK there) instead of a third
 * of a millisecond.  A symbol of the executable takes precedence over the C library, also
 * for calls from shared libraries. */
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
	/* The way POSIX recommends to convert the result of dlsym() to a function. */
	*(void **)&next = dlsym(RTLD_NEXT, "connect");
}

static void set_nodelay(int fd, const struct sockaddr *address)
{
	int before = errno;
	int on = 1;

	/* Errors are ignored: a socket that is not TCP does not need the option, and a
	 * slow connection is better than none. */
	if (address && (address->sa_family == AF_INET || address->sa_family == AF_INET6))
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	errno = before;
}

/* glibc declares the address as a union of all address types, so this must do so too. */
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
