/* Turns Paho's return codes and reason codes into sentences. */
#include "mqtt/paho_error.h"

#include <errno.h>

int paho_error(struct err *err, int code)
{
	switch (code) {
	case MQTTASYNC_BAD_UTF8_STRING:
		return err_set(err, -EINVAL, "the topic is not valid UTF-8");
	case MQTTASYNC_DISCONNECTED:
		return err_set(err, -ENOTCONN, "the connection has ended");
	default:
		return err_set(err, -EIO, "Paho: %s", MQTTAsync_strerror(code));
	}
}

const char *paho_reason_text(int code)
{
	const char *text = MQTTReasonCode_toString((enum MQTTReasonCodes)code);

	return text ? text : "unknown reason code";
}

int paho_add_number(MQTTProperties *properties, enum MQTTPropertyCodes code,
		    unsigned value, struct err *err)
{
	MQTTProperty property = {.identifier = code};

	if (code == MQTTPROPERTY_CODE_RECEIVE_MAXIMUM)
		property.value.integer2 = (unsigned short)value;
	else
		property.value.integer4 = value;
	if (MQTTProperties_add(properties, &property))
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}
