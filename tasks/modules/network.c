/* Polls the module "wifi" until NetworkManager has started. */
#include "tasks/modules/network.h"

#include <errno.h>

#include "agent/base/clock.h"
#include "agent/base/cancel.h"
#include "agent/base/module.h"
#include "tasks/modules/wifi.h"

#define TRIES 60
#define INTERVAL_NS INT64_C(1000000000)

int network_is_connected(struct cancel *cancel, bool *connected, struct err *err)
{
	const void *table = NULL;
	const struct wifi_module *wifi;
	bool starting = true;
	int ret = module_load(&table, "wifi", err);

	if (ret < 0)
		return ret;
	wifi = table;
	for (int i = 0; i < TRIES; i++) {
		ret = wifi->connected(connected, err);
		if (ret == 0)
			ret = wifi->starting(&starting, err);
		if (ret == 0 && (*connected || !starting))
			return 0;
		if (cancel_wait_until(cancel, clock_monotonic_ns() + INTERVAL_NS))
			return err_code(err, -EINTR, "interrupted",
					"the agent ends before it is known whether there "
					"is a network");
	}
	return ret;
}
