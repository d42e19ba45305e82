/* What the simulated camera gets wrong, and when: ordered in the device config.
 *
 *     "sim": {"faults": [{"kind": "fail", "every": 5},
 *                        {"kind": "slow", "photo": 3, "times": 2, "ms": 4000}]}
 *
 * Photos are counted from 1 since the rig was opened, one for each attempt.  A fault
 * happens at each multiple of every, or at photo and those that follow it, times (1) in
 * all.  Of two that are due the one that stands first happens. */
#ifndef HAL_SIM_FAULT_INJECTION_H
#define HAL_SIM_FAULT_INJECTION_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"

enum fault_kind {
	FAULT_NONE,
	FAULT_FAIL, /* the camera reports an error */
	FAULT_HANG, /* it never answers */
	FAULT_SLOW, /* it takes ms longer */
	FAULT_TORN, /* a part of the photo's rows never arrives */
	FAULT_GONE, /* it was unplugged: nothing works from then on, times is not read */
};

struct fault {
	enum fault_kind kind;
	double ms;
};

struct fault_injection;

/* list is the array above, NULL for none; "invalid_args" with the place in it. */
int fault_injection_open(struct fault_injection **out, const cJSON *list,
			 struct err *err);
void fault_injection_close(struct fault_injection *injection); /* NULL is fine */

/* Counts a photo and tells what goes wrong with it.  Any thread. */
struct fault fault_injection_next(struct fault_injection *injection);

/* Is the camera gone, as the photo would find that is next?  Any thread. */
bool fault_injection_gone(const struct fault_injection *injection);

#endif
