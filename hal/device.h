/* Types shared by the rig's users (rig.h) and by the devices and backends behind it. */
#ifndef HAL_DEVICE_H
#define HAL_DEVICE_H

#include <stdbool.h>

enum device_kind {
	DEVICE_MOTOR,
	DEVICE_LIGHT,
	DEVICE_CAMERA,
	DEVICE_ENDSTOP,
	DEVICE_TRIGGER
};
#define DEVICE_KINDS 5

/* "motor" "light" "camera" "endstop" "trigger". */
const char *device_kind_name(enum device_kind kind);

#define DEVICE_NAME 65 /* a device's name and its NUL */

struct rig_options {
	/* Holds positions and the simulated rig's files; must exist. */
	const char *state_dir;
	/* How many times faster than real time; simulated backend only. */
	double sim_speed;
	bool assume_position_after_power_cut;
	/* Only judge the config: no device is opened and no file is touched, and only
	 * rig_problems(), rig_describe(), names and rig_close() may follow. */
	bool dry;
	/* Called after the published state of a device has changed, on the thread that
	 * changed it; must not call back into the rig.  May be NULL. */
	void (*changed)(void *context, enum device_kind kind, const char *name);
	void *context;
};

/* Where one axis should go. */
struct rig_target {
	const char *motor;
	double degrees; /* absolute, or the distance when relative */
	bool relative;
};

struct rig_light {
	bool on;
	int brightness; /* 0..100, kept while off */
};

/* A photo that has been exposed and not yet read out. */
struct rig_shot;

/* How long a camera may take to answer after its exposure. */
#define RIG_CAMERA_PATIENCE_S 20

#endif
