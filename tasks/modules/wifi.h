/* The module "wifi": networks, by NetworkManager on the system bus. */
#ifndef TASKS_MODULES_WIFI_H
#define TASKS_MODULES_WIFI_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "tasks/modules/wifi_code.h"

/* Who lets time pass: 0, or what ends the waiting with that answer. */
struct wifi_waiter {
	void *context;
	int (*wait)(void *context, int64_t ms);
};

struct wifi_module {
	/* Is a cable or a Wi-Fi network connected?  -ENOTCONN when nobody can say. */
	int (*connected)(bool *connected, struct err *err);

	/* Does NetworkManager still try what it does by itself after its start? */
	int (*starting)(bool *starting, struct err *err);

	/* Turns Wi-Fi on, adds a connection and waits until it is there.  One that does
	 * not come is removed again; one that this function made for the same network
	 * before is replaced. */
	int (*join)(const struct wifi_code *code, const struct wifi_waiter *waiter,
		    struct err *err);
};

extern const struct wifi_module module_wifi;

#endif
