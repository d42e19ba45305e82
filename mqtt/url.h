/* Parses the address of a broker: scheme://[user[:password]@]host[:port] */
#ifndef MQTT_URL_H
#define MQTT_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"

struct url {
	bool tls;	/* mqtts or wss */
	bool websocket; /* ws or wss */
	char host[256]; /* a name or an address; IPv6 without its brackets */
	uint16_t port;	/* the scheme's own when none was given */
	char user[256]; /* percent-decoded; "" without one */
	char password[1024];
	bool has_user, has_password;
};

/* Fills url.  -EINVAL with a sentence that never quotes the text, because that may hold a
 * password. */
int url_parse(struct url *url, const char *text, struct err *err);

/* Overwrites the password in the text of a url, in place: "mqtt://me:***@host".  If the
 * text is no url, everything between its first : and its last @ is overwritten. */
void url_hide_password(char *text);

/* Overwrites the password; the compiler cannot optimise this away. */
void url_clear(struct url *url);

#endif
