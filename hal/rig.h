/* The rig: all devices of one scanner, for their users.
 *
 * Opened from a device config (settings/device/README.md describes it).  The config
 * chooses the backend that drives the devices; users of this header cannot tell which.
 *
 * Threads: any thread may call any function.  The scheduler decides who may use which
 * device when (one holder per device); the rig only makes sure that a call that breaks
 * the rule cannot corrupt anything: a second move of a moving axis fails with
 * "device_busy".
 *
 * Errors: a negative errno and, in err, a code of the contract and a sentence. */
#ifndef HAL_RIG_H
#define HAL_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "agent/base/cancel.h"
#include "hal/device.h"

struct rig;
struct frame; /* hal/frame.h */

/* Opens every device of config, which stays the caller's.  A device that does not fit or
 * cannot be opened is left out and the others work; anything else that is wrong gets its
 * default.  Each problem is a sentence in rig_problems().  Fails only if no rig can be
 * made of the config. */
int rig_open(struct rig **out, const cJSON *config, const struct rig_options *options,
	     struct err *err);

/* Stops motion, switches light and triggers off, saves positions.  NULL is fine. */
void rig_close(struct rig *rig);

/* An array of sentences about mistakes in the config and privileges that the machine
 * refuses; owned by the rig. */
const cJSON *rig_problems(const struct rig *rig);

/* The config of a device in words: "0 to 140 degrees, …". */
void rig_describe(struct rig *rig, enum device_kind kind, size_t i, char *text,
		  size_t size);

/* "simulated", "linux", … */
const char *rig_backend(const struct rig *rig);

/* Millimetres from the middle of the object to the camera; 1 if the config has none. */
double rig_scan_radius(const struct rig *rig);

/* ---- devices by number and name ---- */

size_t rig_count(const struct rig *rig, enum device_kind kind);
const char *rig_name(const struct rig *rig, enum device_kind kind, size_t i);

/* The index of name, or -ENOENT with "there is no motor 'x' (there are rotor,
 * turntable)".  name NULL means the only device of its kind, and is refused if there are
 * several. */
int rig_find(const struct rig *rig, enum device_kind kind, const char *name,
	     struct err *err);

/* The state document of a device as the contract publishes it; the caller deletes it. */
cJSON *rig_state(struct rig *rig, enum device_kind kind, size_t i);

/* ---- motion ---- */

/* Checks whether rig_move() would accept these targets: names and limits ("invalid_args"
 * with the allowed range), but nothing that changes. */
int rig_check_targets(const struct rig *rig, const struct rig_target *targets, size_t n,
		      struct err *err);

/* Moves the axes together and returns when all are at rest.  An axis that must home first
 * (unknown position, or the first motion after an emergency stop) homes if it has an
 * endstop; one without an endstop fails with -ENODATA, "invalid_state" and a sentence
 * that says what to do.
 *
 * 0, or
 *     -EINTR      cancel was requested: the axes braked; call again to continue
 *     -ECANCELED  rig_stop_motion() or rig_estop(): stopped immediately
 *
 * Positions are exact in every case. */
int rig_move(struct rig *rig, const struct rig_target *targets, size_t n,
	     struct cancel *cancel, struct err *err);

/* How long this move would take from angle to angle, in seconds. */
double rig_move_seconds(const struct rig *rig, const char *motor, double from_degrees,
			double to_degrees);

/* Homes one axis at its endstop (NULL: all that have one) and moves it to its home angle.
 * With calibrate_on_home an axis that is already calibrated only moves there. */
int rig_home(struct rig *rig, const char *motor, struct cancel *cancel, struct err *err);

/* Declares the angle of an axis without moving it. */
int rig_override(struct rig *rig, const char *motor, double degrees, struct err *err);

/* Announces a scan.  With calibrate_on_scan its first motion homes the axes that have an
 * endstop; if it is resumed (fresh is false), only those that are not calibrated. */
void rig_expect_scan(struct rig *rig, bool fresh);

/* Keeps the rig awake, or no longer; counted.  Otherwise motors and lights go off when
 * nothing has moved for motors_timeout, and the next motion wakes them. */
void rig_keep_awake(struct rig *rig, bool keep);

/* Before a new scan: declares that an endless axis without an endstop and without a known
 * position is at its home angle, since any start is as good as another. */
void rig_adopt_endless(struct rig *rig);

struct rig_axis {
	bool known; /* whether angle is valid */
	bool moving;
	bool endstop; /* whether it has one, so that it can home by itself */
	bool endless; /* 0..360 without limits: takes the shorter way */
	double angle, min, max, home;
	double steps_per_degree, max_speed, acceleration; /* steps, steps/s, steps/s^2 */
};

int rig_axis(const struct rig *rig, const char *motor, struct rig_axis *axis,
	     struct err *err);

/* Stops all pulses immediately.  Any thread; never waits. */
void rig_stop_motion(struct rig *rig);

/* The emergency stop: pulses stop, light and triggers go off, and every later motion,
 * capture, trigger and switching on of a light fails with "estopped" until the latch is
 * released.  Any thread. */
void rig_estop(struct rig *rig);
void rig_release_estop(struct rig *rig);
bool rig_estopped(const struct rig *rig);

/* Whether no axis moves, no camera exposes and no trigger fires. */
bool rig_at_rest(struct rig *rig);

/* ---- light, trigger ---- */

/* name NULL: all lights.  brightness -1 leaves it unchanged.  "estopped" for switching a
 * light on while the emergency stop is on. */
int rig_light_set(struct rig *rig, const char *name, bool on, int brightness,
		  struct err *err);
int rig_light_get(struct rig *rig, const char *name, struct rig_light *light,
		  struct err *err);

/* Waits pre_ms, pulses, waits post_ms; the line always returns to its idle level.  -EINTR
 * and -ECANCELED as in rig_move(). */
int rig_trigger(struct rig *rig, const char *name, int64_t pre_ms, int64_t post_ms,
		struct cancel *cancel, struct err *err);

/* The level of a GPIO line that the config frees (free_lines): 1, 0, or "invalid_args"
 * for any other line.  A line that was set stays an output until the rig is closed. */
int rig_line_get(struct rig *rig, int line, struct err *err);
int rig_line_set(struct rig *rig, int line, bool level, struct err *err);

/* ---- camera ---- */

/* All settings of a camera (openscan3's names: shutter, gain, jpeg_quality, …); the
 * caller deletes them. */
cJSON *rig_camera_settings(struct rig *rig, size_t camera);

/* Changes the settings in patch, all or none. */
int rig_camera_set(struct rig *rig, size_t camera, const cJSON *patch, struct err *err);

/* Whether the camera answers: 0, or "hal_unavailable" with a sentence. */
int rig_camera_answers(struct rig *rig, size_t camera, struct err *err);

/* Takes one photo with the current settings and returns when the frame is complete; the
 * caller frees it.  -EINTR and -ECANCELED as in rig_move().  "hardware_fault" for a
 * camera that fails, does not answer for RIG_CAMERA_PATIENCE_S after the exposure, or
 * delivers a torn photo. */
int rig_capture(struct rig *rig, size_t camera, struct cancel *cancel,
		struct frame **frame, struct err *err);

/* As rig_capture(), small and quick: of size preview_resolution, or about 640 wide. */
int rig_preview(struct rig *rig, size_t camera, struct cancel *cancel,
		struct frame **frame, struct err *err);

/* Finds shutter and white balance for what the camera sees, until they are stable, and
 * sets them.  "not_supported" for cameras that cannot.  Otherwise as rig_capture(). */
int rig_camera_calibrate(struct rig *rig, size_t camera, struct cancel *cancel,
			 struct err *err);

/* As rig_capture() in two steps, so that the axes may move while a sensor is read out.
 * rig_expose() returns when the shutter is closed. */
int rig_expose(struct rig *rig, size_t camera, struct cancel *cancel,
	       struct rig_shot **shot, struct err *err);

/* Reads the photo out and frees shot, also on failure.  Every shot needs this call or
 * rig_shot_drop() before rig_close().  Any thread; takes up to some seconds and cannot be
 * interrupted. */
int rig_read_out(struct rig_shot *shot, struct frame **frame, struct err *err);
void rig_shot_drop(struct rig_shot *shot); /* NULL is fine */

#endif
