/* Faults of the simulated camera, as the device config orders them.
 *
 *     "sim": {"faults": [{"kind": "fail", "every": 5},
 *                        {"kind": "slow", "photo": 3, "times": 2, "ms": 4000}]}
 *
 * Photos are counted from 1 since the rig was opened, each attempt as one.  A fault
 * happens at every multiple of `every`, or at `photo` and the following ones, `times`
 * (default 1) in all.  If two are due, the first in the list happens. */
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
	FAULT_TORN, /* some of the photo's rows never arrive */
	FAULT_GONE, /* it was unplugged: nothing works from then on; `times` is ignored */
};

struct fault {
	enum fault_kind kind;
	double ms;
};

struct fault_injection;

/* list is the array above, or NULL for none.  "invalid_args" names the bad item. */
int fault_injection_open(struct fault_injection **out, const cJSON *list,
			 struct err *err);
void fault_injection_close(struct fault_injection *injection); /* NULL is fine */

/* Counts a photo and returns its fault.  Any thread. */
struct fault fault_injection_next(struct fault_injection *injection);

/* Whether the camera is gone, as the next photo would find.  Any thread. */
bool fault_injection_gone(const struct fault_injection *injection);

#endif
