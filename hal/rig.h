/* The rig: all devices of one scanner, for those who use them.
 *
 * Opened from a device config (settings/device/, the form of which is described in
 * settings/device/README.md).  Which backend drives the devices is the config's matter;
 * users of this header cannot tell.
 *
 * Threads: every function may be called from any thread.  Who may use which device when
 * is the scheduler's decision (one holder a device); the rig only makes sure that a call
 * that breaks the rule cannot corrupt anything: a second move of a moving axis fails with
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

/* Opens every device of config, which stays the caller's.  A device that does not fit, or
 * cannot be opened, is left out and the others work; what is wrong beside them gets its
 * default: each is a sentence in rig_problems().  Refused is only a config that no rig
 * can be made of. */
int rig_open(struct rig **out, const cJSON *config, const struct rig_options *options,
	     struct err *err);

/* Stops motion, turns light and triggers off, writes positions down.  NULL is fine. */
void rig_close(struct rig *rig);

/* An array of sentences about what was wrong in the config and what the machine does not
 * allow; the rig's. */
const cJSON *rig_problems(const struct rig *rig);

/* What the config means for a device, for a person: "0 to 140 degrees, …". */
void rig_describe(struct rig *rig, enum device_kind kind, size_t i, char *text,
		  size_t size);

/* "simulated", … */
const char *rig_backend(const struct rig *rig);

/* From the object's middle to the camera in millimetres, as the config says; 1 when it
 * does not. */
double rig_scan_radius(const struct rig *rig);

/* ---- devices by number and name ---- */

size_t rig_count(const struct rig *rig, enum device_kind kind);
const char *rig_name(const struct rig *rig, enum device_kind kind, size_t i);

/* The index of name, or -ENOENT with "there is no motor 'x' (there are rotor,
 * turntable)". name NULL means the only device of its kind, and is refused when there are
 * several. */
int rig_find(const struct rig *rig, enum device_kind kind, const char *name,
	     struct err *err);

/* The state document of a device as the contract publishes it; the caller deletes it. */
cJSON *rig_state(struct rig *rig, enum device_kind kind, size_t i);

/* ---- motion ---- */

/* Would rig_move() accept these targets?  Checks names, limits ("invalid_args" with the
 * allowed range) and nothing that changes. */
int rig_check_targets(const struct rig *rig, const struct rig_target *targets, size_t n,
		      struct err *err);

/* Moves the axes together and returns when all stand still.  An axis that must home first
 * (position unknown, or the first motion after an emergency stop) and has an endstop
 * homes; one without an endstop fails with -ENODATA, "invalid_state" and the sentence
 * that tells what to do.  0, or -EINTR      cancel was requested: the axes braked,
 * positions are exact, call again to go on -ECANCELED  rig_stop_motion() or rig_estop():
 * stopped at once, positions are exact */
int rig_move(struct rig *rig, const struct rig_target *targets, size_t n,
	     struct cancel *cancel, struct err *err);

/* How long that move would take from where the axes stand, in seconds. */
double rig_move_seconds(const struct rig *rig, const char *motor, double from_degrees,
			double to_degrees);

/* Homes one axis at its endstop (NULL: all that have one), then it goes to its home
 * angle. With calibrate_on_home one that is calibrated already only goes there. */
int rig_home(struct rig *rig, const char *motor, struct cancel *cancel, struct err *err);

/* Declares where an axis stands, without moving it. */
int rig_override(struct rig *rig, const char *motor, double degrees, struct err *err);

/* A scan begins: with calibrate_on_scan its first motion homes the axes that have an
 * endstop, of a scan that goes on (fresh is false) only those that are not calibrated. */
void rig_expect_scan(struct rig *rig, bool fresh);

/* Holds the rig awake, or lets it go; counted.  Else motors and lights go off when
 * nothing has moved for motors_timeout, and the next motion wakes them. */
void rig_keep_awake(struct rig *rig, bool keep);

/* Before a new scan: an endless axis without an endstop and without a known position is
 * declared to stand at its home angle, for any start is as good as another. */
void rig_adopt_endless(struct rig *rig);

struct rig_axis {
	bool known; /* is angle true? */
	bool moving;
	bool endstop; /* has one, so can home by itself */
	bool endless; /* 0..360: never at a limit, goes the shorter way */
	double angle, min, max, home;
	double steps_per_degree, max_speed, acceleration; /* steps, steps/s, steps/s^2 */
};

int rig_axis(const struct rig *rig, const char *motor, struct rig_axis *axis,
	     struct err *err);

/* Stops all pulses now, from any thread, without waiting for anything. */
void rig_stop_motion(struct rig *rig);

/* The emergency stop: pulses stop, light and triggers go off, and every later motion,
 * capture, trigger and light that shall go on fails with "estopped" until the latch is
 * released.  Any thread. */
void rig_estop(struct rig *rig);
void rig_release_estop(struct rig *rig);
bool rig_estopped(const struct rig *rig);

/* Is the rig at rest: no axis moves, no exposure, no trigger pulse? */
bool rig_at_rest(struct rig *rig);

/* ---- light, trigger ---- */

/* name NULL: all lights.  brightness -1 leaves it as it is.  "estopped" for turning one
 * on while the emergency stop is on. */
int rig_light_set(struct rig *rig, const char *name, bool on, int brightness,
		  struct err *err);
int rig_light_get(struct rig *rig, const char *name, struct rig_light *light,
		  struct err *err);

/* Waits pre_ms, pulses, waits post_ms; the line is back at its idle level whatever
 * happens. -EINTR and -ECANCELED as in rig_move(). */
int rig_trigger(struct rig *rig, const char *name, int64_t pre_ms, int64_t post_ms,
		struct cancel *cancel, struct err *err);

/* The level of a GPIO line that the config frees (free_lines): 1, 0, or "invalid_args"
 * for any other line.  One that was set stays an output until the rig closes. */
int rig_line_get(struct rig *rig, int line, struct err *err);
int rig_line_set(struct rig *rig, int line, bool level, struct err *err);

/* ---- camera ---- */

/* All settings of a camera (openscan3's names: shutter, gain, jpeg_quality, …); the
 * caller deletes the answer. */
cJSON *rig_camera_settings(struct rig *rig, size_t camera);

/* Changes those that patch names, all or none. */
int rig_camera_set(struct rig *rig, size_t camera, const cJSON *patch, struct err *err);

/* Does the camera answer?  "hal_unavailable" with a sentence when it does not. */
int rig_camera_answers(struct rig *rig, size_t camera, struct err *err);

/* Takes one photo with the settings as they are; the caller frees the frame.  Returns
 * when the frame is complete.  -EINTR and -ECANCELED as in rig_move(); a camera that
 * fails, that does not answer for RIG_CAMERA_PATIENCE_S after the exposure, or whose
 * photo is torn is a "hardware_fault". */
int rig_capture(struct rig *rig, size_t camera, struct cancel *cancel,
		struct frame **frame, struct err *err);

/* The same, small and quick: of the setting preview_resolution, or about 640 wide. */
int rig_preview(struct rig *rig, size_t camera, struct cancel *cancel,
		struct frame **frame, struct err *err);

/* Finds shutter and white balance for what the camera sees, until they stay as they are,
 * and sets them.  "not_supported" for cameras that cannot.  Otherwise as rig_capture().
 */
int rig_camera_calibrate(struct rig *rig, size_t camera, struct cancel *cancel,
			 struct err *err);

/* As rig_capture() in two steps, so that the axes may move while a sensor is read out.
 * rig_expose() returns when the shutter is closed. */
int rig_expose(struct rig *rig, size_t camera, struct cancel *cancel,
	       struct rig_shot **shot, struct err *err);

/* Reads it out and takes shot, also when it fails; every shot comes here or to
 * rig_shot_drop() before rig_close().  Any thread; takes up to some seconds and is not
 * interrupted. */
int rig_read_out(struct rig_shot *shot, struct frame **frame, struct err *err);
void rig_shot_drop(struct rig_shot *shot); /* NULL is fine */

#endif
