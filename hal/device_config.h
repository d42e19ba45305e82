/* The members of a device config, as the devices read them. */
#ifndef HAL_DEVICE_CONFIG_H
#define HAL_DEVICE_CONFIG_H

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "hal/device.h"

/* Checks one object of the config, or of a command, against a schema and adds its
 * defaults.  `at` ("motors.rotor") is put before the sentence; NULL for nothing. */
int device_config_check(const char *schema_text, cJSON *object, const char *at,
			struct err *err);

/* A copy of an object without the members that are null, which count as not given; an
 * empty object if it is none.  The caller deletes it. */
cJSON *device_config_copy(const cJSON *object);

/* Whether name can be a level of a topic.  kind and name appear in the sentence. */
int device_config_check_name(enum device_kind kind, const char *name, struct err *err);

#endif
