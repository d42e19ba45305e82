#include "tasks/modules/network.h"

#include <errno.h>

#include "agent/base/clock.h"
#include "agent/base/cancel.h"
#include "agent/base/module.h"
#include "tasks/modules/wifi.h"

#define LOOKS 60
#define BETWEEN_LOOKS_NS INT64_C(1000000000)

int network_look(struct cancel *cancel, bool *connected, struct err *err)
{
	const void *table = NULL;
	const struct wifi_module *wifi;
	bool starting = true;
	int ret = module_load(&table, "wifi", err);

	if (ret < 0)
		return ret;
	wifi = table;
	for (int i = 0; i < LOOKS; i++) {
		ret = wifi->connected(connected, err);
		if (ret == 0)
			ret = wifi->starting(&starting, err);
		if (ret == 0 && (*connected || !starting))
			return 0;
		if (cancel_wait_until(cancel, clock_monotonic_ns() + BETWEEN_LOOKS_NS))
			return err_code(err, -EINTR, "interrupted",
					"the agent ends before it is known whether there "
					"is a network");
	}
	return ret;
}
