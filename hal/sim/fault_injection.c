#include "hal/sim/fault_injection.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "hal/device_config.h"

#define FAULTS_MAX 64

static const char fault_schema[] =
	"{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"kind\"],"
	"\"properties\":{"
	"\"kind\":{\"enum\":[\"fail\",\"hang\",\"slow\",\"torn\",\"gone\"]},"
	"\"every\":{\"type\":\"integer\",\"minimum\":1},"
	"\"photo\":{\"type\":\"integer\",\"minimum\":1},"
	"\"times\":{\"type\":\"integer\",\"minimum\":1,\"default\":1},"
	"\"ms\":{\"type\":\"number\",\"minimum\":0,\"default\":1000}}}";

static const char *const kinds[] = {
	[FAULT_NONE] = "",     [FAULT_FAIL] = "fail", [FAULT_HANG] = "hang",
	[FAULT_SLOW] = "slow", [FAULT_TORN] = "torn", [FAULT_GONE] = "gone",
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct order {
	struct fault fault;
	double every, photo, times; /* every or photo is 0 */
};

struct faults {
	atomic_ulong photos; /* taken so far */
	size_t n;
	struct order orders[FAULTS_MAX];
};

static enum fault_kind kind_of(const char *name)
{
	for (size_t i = 1; i < KINDS; i++)
		if (!strcmp(kinds[i], name))
			return (enum fault_kind)i;
	return FAULT_NONE;
}

static int read_order(struct order *order, cJSON *item, const char *at, struct err *err)
{
	int ret = device_config_check(fault_schema, item, at, err);

	if (ret < 0)
		return ret;
	order->fault.kind = kind_of(json_string(item, "kind"));
	order->fault.ms = json_number(item, "ms", 0);
	order->every = json_number(item, "every", 0);
	order->photo = json_number(item, "photo", 0);
	order->times = json_number(item, "times", 1);
	if ((order->every > 0) != (order->photo > 0))
		return 0;
	return err_code(err, -EINVAL, "invalid_args",
			"%s: either every or photo is needed", at);
}

static int read_orders(struct faults *faults, const cJSON *list, struct err *err)
{
	const cJSON *item;

	if (list && !cJSON_IsArray(list))
		return err_code(err, -EINVAL, "invalid_args",
				"sim.faults must be an array");
	cJSON_ArrayForEach(item, list) {
		cJSON *copy;
		char at[32];
		int ret;

		if (faults->n == FAULTS_MAX)
			return err_code(err, -EINVAL, "invalid_args",
					"sim.faults must be at most %d", FAULTS_MAX);
		snprintf(at, sizeof(at), "sim.faults[%zu]", faults->n);
		copy = cJSON_Duplicate(item, true);
		ret = read_order(&faults->orders[faults->n++], copy, at, err);
		cJSON_Delete(copy);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int faults_open(struct faults **out, const cJSON *list, struct err *err)
{
	struct faults *faults = calloc(1, sizeof(*faults));
	int ret;

	if (!faults)
		return err_set(err, -ENOMEM, "out of memory");
	atomic_init(&faults->photos, 0);
	ret = read_orders(faults, list, err);
	if (ret < 0) {
		faults_close(faults);
		return ret;
	}
	*out = faults;
	return 0;
}

void faults_close(struct faults *faults)
{
	free(faults);
}

static bool is_due(const struct order *order, unsigned long photo)
{
	double n = (double)photo;

	if (order->every > 0)
		return photo % (unsigned long)order->every == 0;
	return n >= order->photo &&
	       (order->fault.kind == FAULT_GONE || n < order->photo + order->times);
}

struct fault faults_next(struct faults *faults)
{
	unsigned long photo = atomic_fetch_add(&faults->photos, 1) + 1;

	for (size_t i = 0; i < faults->n; i++)
		if (is_due(&faults->orders[i], photo))
			return faults->orders[i].fault;
	return (struct fault){FAULT_NONE, 0};
}

bool faults_gone(const struct faults *faults)
{
	unsigned long photo = atomic_load(&faults->photos) + 1;

	for (size_t i = 0; i < faults->n; i++)
		if (faults->orders[i].fault.kind == FAULT_GONE &&
		    is_due(&faults->orders[i], photo))
			return true;
	return false;
}
