/* The QR code of a Wi-Fi network: WIFI:T:WPA;S:name;P:password;H:true;;
 *
 * The fields may come in any order; ; , : " and \ are escaped by a \.  Pure; any thread.
 */
#ifndef TASKS_MODULES_WIFI_CODE_H
#define TASKS_MODULES_WIFI_CODE_H

#include <stdbool.h>

#include "agent/base/err.h"

#define WIFI_SSID 33
#define WIFI_PASSWORD 129

enum wifi_security { WIFI_OPEN, WIFI_WPA, WIFI_SAE, WIFI_WEP };

struct wifi_code {
	char ssid[WIFI_SSID]; /* UTF-8 */
	char password[WIFI_PASSWORD];
	enum wifi_security security;
	bool hidden;
};

/* "nopass", "WPA", "SAE" or "WEP". */
const char *wifi_security_name(enum wifi_security security);

/* Does text begin like such a code? */
bool wifi_code_is(const char *text);

/* -EINVAL with "invalid_args" and a sentence, which never contains the password. */
int wifi_code_parse(struct wifi_code *code, const char *text, struct err *err);

#endif
