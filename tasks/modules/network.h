/* Whether the machine is on a network, as NetworkManager knows it. */
#ifndef TASKS_MODULES_NETWORK_H
#define TASKS_MODULES_NETWORK_H

#include <stdbool.h>

#include "agent/base/err.h"

struct cancel;

/* Waits until NetworkManager has tried all that it does by itself after a boot, a minute
 * at most, then tells whether a cable or a Wi-Fi network is connected.  Loads the module
 * "wifi". -ENOTCONN when nobody can say, -EINTR when cancel was requested. */
int network_look(struct cancel *cancel, bool *connected, struct err *err);

#endif
