/* Why a TLS connection to a broker does not come about.
 *
 * Paho makes the connections but keeps the reason to itself; so after a failure this
 * shakes hands once more, with the same files and the same demands, and listens to what
 * OpenSSL says.  Nothing is sent but the handshake: no login, no MQTT. */
#ifndef MQTT_TLS_H
#define MQTT_TLS_H

#include <stdbool.h>

#include "agent/base/err.h"
#include "mqtt/url.h"

/* PEM files; "" and NULL are none.  Without ca_file the system's authorities are
 * believed; without key_file the key is in cert_file. */
struct tls_files {
	const char *ca_file, *cert_file, *key_file;
};

/* True when a handshake with url fails now, with the sentence in why ("the broker's
 * certificate: certificate has expired").  False when it succeeds, when nobody listens,
 * or when it cannot be said within timeout_ms, besides the time that the name takes. */
bool tls_fails(const struct url *url, const struct tls_files *files, int timeout_ms,
	       struct err *why);

#endif
