/* Reads the rules of sim.faults and counts the photos against them. */
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

struct rule {
	struct fault fault;
	double every, photo, times; /* either every or photo is 0 */
};

struct fault_injection {
	atomic_ulong photos; /* taken so far */
	size_t n;
	struct rule rules[FAULTS_MAX];
};

static enum fault_kind kind_of(const char *name)
{
	for (size_t i = 1; i < KINDS; i++)
		if (!strcmp(kinds[i], name))
			return (enum fault_kind)i;
	return FAULT_NONE;
}

static int read_rule(struct rule *rule, cJSON *item, const char *at, struct err *err)
{
	int ret = device_config_check(fault_schema, item, at, err);

	if (ret < 0)
		return ret;
	rule->fault.kind = kind_of(json_string(item, "kind"));
	rule->fault.ms = json_number(item, "ms", 0);
	rule->every = json_number(item, "every", 0);
	rule->photo = json_number(item, "photo", 0);
	rule->times = json_number(item, "times", 1);
	if ((rule->every > 0) != (rule->photo > 0))
		return 0;
	return err_code(err, -EINVAL, "invalid_args",
			"%s: either every or photo is needed", at);
}

static int read_rules(struct fault_injection *injection, const cJSON *list,
		      struct err *err)
{
	const cJSON *item;

	if (list && !cJSON_IsArray(list))
		return err_code(err, -EINVAL, "invalid_args",
				"sim.faults must be an array");
	cJSON_ArrayForEach(item, list) {
		cJSON *copy;
		char at[32];
		int ret;

		if (injection->n == FAULTS_MAX)
			return err_code(err, -EINVAL, "invalid_args",
					"sim.faults must be at most %d", FAULTS_MAX);
		snprintf(at, sizeof(at), "sim.faults[%zu]", injection->n);
		copy = cJSON_Duplicate(item, true);
		ret = read_rule(&injection->rules[injection->n++], copy, at, err);
		cJSON_Delete(copy);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int fault_injection_open(struct fault_injection **out, const cJSON *list, struct err *err)
{
	struct fault_injection *injection = calloc(1, sizeof(*injection));
	int ret;

	if (!injection)
		return err_set(err, -ENOMEM, "out of memory");
	atomic_init(&injection->photos, 0);
	ret = read_rules(injection, list, err);
	if (ret < 0) {
		fault_injection_close(injection);
		return ret;
	}
	*out = injection;
	return 0;
}

void fault_injection_close(struct fault_injection *injection)
{
	free(injection);
}

static bool is_due(const struct rule *rule, unsigned long photo)
{
	double n = (double)photo;

	if (rule->every > 0)
		return photo % (unsigned long)rule->every == 0;
	return n >= rule->photo &&
	       (rule->fault.kind == FAULT_GONE || n < rule->photo + rule->times);
}

struct fault fault_injection_next(struct fault_injection *injection)
{
	unsigned long photo = atomic_fetch_add(&injection->photos, 1) + 1;

	for (size_t i = 0; i < injection->n; i++)
		if (is_due(&injection->rules[i], photo))
			return injection->rules[i].fault;
	return (struct fault){FAULT_NONE, 0};
}

bool fault_injection_gone(const struct fault_injection *injection)
{
	unsigned long photo = atomic_load(&injection->photos) + 1;

	for (size_t i = 0; i < injection->n; i++)
		if (injection->rules[i].fault.kind == FAULT_GONE &&
		    is_due(&injection->rules[i], photo))
			return true;
	return false;
}
