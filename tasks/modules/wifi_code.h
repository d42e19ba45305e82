/* What a QR code says of a Wi-Fi network: WIFI:T:WPA;S:name;P:password;H:true;;
 *
 * The fields come in any order, \ before ; , : " and \ itself makes them plain.  Pure
 * functions; any thread. */
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

/* "nopass" "WPA" "SAE" "WEP". */
const char *wifi_security_name(enum wifi_security security);

/* Is text meant to be such a code? */
bool wifi_code_is(const char *text);

/* "invalid_args" with a sentence that does not repeat the password. */
int wifi_code_parse(struct wifi_code *code, const char *text, struct err *err);

#endif
