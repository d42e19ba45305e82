/* Finds out why a TLS connection to a broker failed.
 *
 * Paho makes the connections but does not report the reason.  So after a failure this
 * does one more handshake, with the same files and the same checks, and takes the reason
 * from OpenSSL.  Only the handshake is sent: no password, no MQTT. */
#ifndef MQTT_TLS_H
#define MQTT_TLS_H

#include <stdbool.h>

#include "agent/base/err.h"
#include "mqtt/url.h"

/* PEM files; "" or NULL: none.  Without ca_file the system's authorities are trusted;
 * without key_file the key is in cert_file. */
struct tls_files {
	const char *ca_file, *cert_file, *key_file;
};

/* True if a handshake with url fails now, with the sentence in why ("the broker's
 * certificate: certificate has expired").  False if it succeeds, if nobody listens, or if
 * the result is not known after timeout_ms, plus the time to resolve the name. */
bool tls_fails(const struct url *url, const struct tls_files *files, int timeout_ms,
	       struct err *why);

#endif
