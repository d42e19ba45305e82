/* The name and the password that the broker asks for: from its url, else from settings
 * and a file. */
#ifndef MQTT_CREDENTIALS_H
#define MQTT_CREDENTIALS_H

#include "agent/base/err.h"
#include "mqtt/url.h"

struct login {
	const char *user; /* NULL without one; url's or source's */
	char *password;	  /* NULL without one */
};

/* What the url says wins over user, and its password over the file; "" and NULL are none.
 * The file is read as secret_file_read() does. */
int login_read(struct login *login, const struct url *url, const char *user,
	       const char *password_file, struct err *err);

/* Overwrites and frees the password. */
void login_clear(struct login *login);

#endif
