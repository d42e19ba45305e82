/* Paho's codes as errors and sentences, and numbers as its properties. */
#ifndef MQTT_PAHO_ERROR_H
#define MQTT_PAHO_ERROR_H

#include <MQTTAsync.h>

#include "agent/base/err.h"

/* The return code of a call into Paho as an errno and a sentence; never 0. */
int paho_error(struct err *err, int code);

/* The text of an MQTT 5 reason code. */
const char *paho_reason_text(int code);

/* value must fit into the property's type. */
int paho_add_number(MQTTProperties *properties, enum MQTTPropertyCodes code,
		    unsigned value, struct err *err);

#endif
