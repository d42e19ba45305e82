/* The names of the device kinds. */
#include "hal/device.h"

const char *device_kind_name(enum device_kind kind)
{
	static const char *const names[DEVICE_KINDS] = {
		[DEVICE_MOTOR] = "motor",     [DEVICE_LIGHT] = "light",
		[DEVICE_CAMERA] = "camera",   [DEVICE_ENDSTOP] = "endstop",
		[DEVICE_TRIGGER] = "trigger",
	};

	return names[kind];
}
