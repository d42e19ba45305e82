/* Asks NetworkManager whether the machine is connected to a network. */
#ifndef TASKS_MODULES_NETWORK_H
#define TASKS_MODULES_NETWORK_H

#include <stdbool.h>

#include "agent/base/err.h"

struct cancel;

/* Waits until NetworkManager has finished its startup, for at most a minute, and sets
 * *connected to whether a wired or Wi-Fi network is connected.  Loads the module "wifi".
 * -ENOTCONN when NetworkManager cannot be asked, -EINTR when cancel was requested. */
int network_is_connected(struct cancel *cancel, bool *connected, struct err *err);

#endif
