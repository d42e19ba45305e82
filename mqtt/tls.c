/* Does a TLS handshake only to learn why one fails. */
#include "mqtt/tls.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "agent/base/clock.h"

/* How long to wait for the broker to refuse our certificate: in TLS 1.3 it does so only
 * after the handshake, and sends nothing if it accepts. */
#define REFUSAL_MS 300

static const char *openssl_reason(void)
{
	unsigned long code = ERR_peek_error();
	const char *reason;

	if (ERR_SYSTEM_ERROR(code))
		return strerror(ERR_GET_REASON(code));
	reason = ERR_reason_error_string(code);
	return reason ? reason : "unknown reason";
}

static bool given(const char *path)
{
	return path && *path;
}

static int file_error(struct err *why, const char *path)
{
	return err_set(why, -EINVAL, "%s: %s", path, openssl_reason());
}

static int load_files(SSL_CTX *ctx, const struct tls_files *f, struct err *why)
{
	const char *key = given(f->key_file) ? f->key_file : f->cert_file;

	if (given(f->cert_file) &&
	    SSL_CTX_use_certificate_chain_file(ctx, f->cert_file) != 1)
		return file_error(why, f->cert_file);
	if (given(f->cert_file) &&
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		return file_error(why, key);
	if (!given(f->ca_file))
		SSL_CTX_set_default_verify_paths(ctx);
	else if (SSL_CTX_load_verify_locations(ctx, f->ca_file, NULL) != 1)
		return file_error(why, f->ca_file);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	return 0;
}

/* Demands that the certificate is for host, which may be an address. */
static int expect_host(SSL *ssl, const char *host)
{
	if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1)
		return 0;
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1
		       ? 0
		       : -EINVAL;
}

static int wait_for(int fd, short events, int64_t until_ms)
{
	struct pollfd ready = {.fd = fd, .events = events};
	int64_t left = until_ms - clock_monotonic_ms();

	return left > 0 && poll(&ready, 1, (int)left) == 1 ? 0 : -ETIMEDOUT;
}

static int dial_one(const struct addrinfo *address, int64_t until_ms)
{
	int fd =
		socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t size = sizeof(int);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
		return fd;
	if (errno == EINPROGRESS && wait_for(fd, POLLOUT, until_ms) == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && !error)
		return fd;
	close(fd);
	return -ECONNREFUSED;
}

static int dial(const struct url *url, int64_t until_ms)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	char port[8];
	int fd = -ECONNREFUSED;

	snprintf(port, sizeof(port), "%u", url->port);
	if (getaddrinfo(url->host, port, &hints, &list) != 0)
		return -ENOENT;
	for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
		fd = dial_one(a, until_ms);
	freeaddrinfo(list);
	return fd;
}

/* The event to wait for after a call that returned ret; 0 if it has failed. */
static short wanted(const SSL *ssl, int ret)
{
	switch (SSL_get_error(ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		return POLLIN;
	case SSL_ERROR_WANT_WRITE:
		return POLLOUT;
	default:
		return 0;
	}
}

static int failed_handshake(const SSL *ssl, struct err *why)
{
	long verdict = SSL_get_verify_result(ssl);

	if (verdict != X509_V_OK)
		return err_set(why, -EPROTO, "the broker's certificate: %s",
			       X509_verify_cert_error_string(verdict));
	if (ERR_peek_error())
		return err_set(why, -EPROTO, "the TLS handshake failed: %s",
			       openssl_reason());
	return err_set(why, -EPROTO, "the broker hung up during the TLS handshake");
}

static int shake_hands(SSL *ssl, int fd, int64_t until_ms, struct err *why)
{
	int ret;

	ERR_clear_error();
	while ((ret = SSL_connect(ssl)) != 1) {
		short events = wanted(ssl, ret);

		if (!events)
			return failed_handshake(ssl, why);
		if (wait_for(fd, events, until_ms) < 0)
			return 0;
	}
	return 0;
}

/* Waits a while to see whether the broker refuses our certificate. */
static int wait_for_refusal(SSL *ssl, int fd, int64_t until_ms, struct err *why)
{
	int64_t soon_ms = clock_monotonic_ms() + REFUSAL_MS;
	char byte;
	int ret;

	if (until_ms > soon_ms)
		until_ms = soon_ms;
	ERR_clear_error();
	while ((ret = SSL_read(ssl, &byte, 1)) <= 0) {
		short events = wanted(ssl, ret);

		if (!events && ERR_peek_error())
			return err_set(why, -EPROTO, "the broker broke off TLS: %s",
				       openssl_reason());
		if (!events || wait_for(fd, events, until_ms) < 0)
			return 0;
	}
	return 0;
}

static int try_handshake(SSL_CTX *ctx, int fd, const struct url *url, int64_t until_ms,
			 struct err *why)
{
	SSL *ssl = SSL_new(ctx);
	int ret = 0;

	if (ssl && SSL_set_fd(ssl, fd) == 1 && expect_host(ssl, url->host) == 0) {
		ret = shake_hands(ssl, fd, until_ms, why);
		if (ret == 0 && SSL_is_init_finished(ssl))
			ret = wait_for_refusal(ssl, fd, until_ms, why);
	}
	SSL_free(ssl);
	return ret;
}

bool tls_fails(const struct url *url, const struct tls_files *files, int timeout_ms,
	       struct err *why)
{
	int64_t until_ms = clock_monotonic_ms() + timeout_ms;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int ret = 0;
	int fd = -1;

	if (!ctx)
		return false;
	ERR_clear_error();
	ret = load_files(ctx, files, why);
	if (ret == 0)
		fd = dial(url, until_ms);
	if (fd >= 0) {
		ret = try_handshake(ctx, fd, url, until_ms, why);
		close(fd);
	}
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return ret < 0;
}
