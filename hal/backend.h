/* The interface that a backend implements: what drives the devices of a rig.
 *
 * A backend fills struct backend, and one table of functions for each kind of device that
 * it has: motor_ops, light_ops, camera_ops, gpio_ops.  hal/README.md shows how to add
 * one.
 *
 * The rig has already checked the config.  It knows the limits, counts the steps, decides
 * who may move when, and computes when each pulse is due.  A backend only does as it is
 * told, immediately.
 *
 * `backend` is what open() returned in *out.  Devices are numbered in the order of the
 * config, one that could not be attached included.  Unless stated otherwise a function
 * returns 0 or a negative errno; one that takes err adds a sentence.
 *
 * Threads: calls for different devices may come at the same time from different threads.
 * Calls for one device never overlap, except where stated.  safe() may come any time. */
#ifndef HAL_BACKEND_H
#define HAL_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/cancel.h"
#include "agent/base/err.h"
#include "hal/device.h"
#include "hal/frame.h"

/* Motors, and the endstops of their axes.
 *
 * Optional: endstop (NULL: the config's endstops are refused). */
struct motor_ops {
	/* Switches the current of a motor's coils. */
	int (*enable)(void *backend, size_t motor, bool on);

	/* Sets the level of the direction line for the steps that follow: forward is
	 * high.  Returns after the driver's set-up time. */
	int (*direction)(void *backend, size_t motor, bool forward);

	/* Sends one pulse and returns when it is over; on the motion thread.  The motor
	 * is enabled and has its direction.  On entry *sent_ns is the time of the call;
	 * where sending takes time, set it to a moment at which the edge that the driver
	 * steps at had certainly been sent. */
	int (*step)(void *backend, size_t motor, int64_t *sent_ns);

	/* 1 while pressed, 0, or a negative errno.  Called between two pulses; must not
	 * wait.  A press that came and went since the last call is reported once. */
	int (*endstop)(void *backend, size_t endstop);
};

struct light_ops {
	/* 0..100; -ENOTSUP for values between when the light can only be on or off. */
	int (*set)(void *backend, size_t light, int brightness);
};

/* One photo to be taken. */
struct backend_shot {
	const cJSON *settings; /* of the camera, complete and checked */
	struct cancel *cancel;
	bool preview; /* a small picture to look at: speed matters more than quality */

	/* 0 while the photo is still wanted, else -EINTR, -ECANCELED or, when it took too
	 * long, -ETIMEDOUT.  Call it whenever wait_until() has returned. */
	int (*check)(const struct backend_shot *shot);
	const void *context;
};

/* Cameras.  A photo is taken in two steps, so that the axes can move while it is read
 * out: expose() returns the latent image (as on film: exposed, not yet developed), which
 * read_out() turns into a frame and discard() throws away.  A latent image is the
 * backend's own type; it holds whatever read_out() needs.  Each one gets exactly one of
 * the two calls, before close().
 *
 * Optional: find (NULL: no camera is discovered), answers (NULL: they always answer),
 * calibrate (NULL: refused with "not_supported"). */
struct camera_ops {
	/* Adds the cameras that are plugged in but not in the config to `cameras`, in the
	 * config's form.  Called before attach(). */
	void (*find)(void *backend, cJSON *cameras);

	/* The largest mode of a camera, in pixels. */
	void (*size)(const void *backend, size_t camera, int *width, int *height);

	/* Whether the camera answers: 0, or an error. */
	int (*answers)(void *backend, size_t camera, struct err *err);

	/* Exposes one photo and returns when the shutter is closed, with the latent image
	 * in *latent.  A backend that cannot separate the two steps reads the frame here.
	 * Returns 0, what shot->check() returned, or an error. */
	int (*expose)(void *backend, size_t camera, const struct backend_shot *shot,
		      void **latent, struct err *err);

	/* Reads the photo out into a new frame and fills all of it but camera,
	 * orientation, jpeg_quality and comment.  Takes ownership of latent, also on
	 * failure.  Any thread, also while the camera takes the next photo. */
	int (*read_out)(void *backend, size_t camera, void *latent, struct frame **out,
			struct err *err);

	/* Frees a latent image that nobody wants.  Any thread. */
	void (*discard)(void *backend, size_t camera, void *latent);

	/* Finds shutter and white balance for what the camera sees, starting from
	 * shot->settings, and puts the settings to be changed into found.  Errors as in
	 * expose(). */
	int (*calibrate)(void *backend, size_t camera, const struct backend_shot *shot,
			 cJSON *found, struct err *err);
};

/* GPIO lines: those that the config frees (hal/free_lines.h) and the triggers.
 *
 * Optional: trigger (NULL: the config's triggers are refused). */
struct gpio_ops {
	/* The level of a free line: 1, 0, or an error. */
	int (*get)(void *backend, int line, struct err *err);

	/* Sets a free line, which stays an output until the backend is closed. */
	int (*set)(void *backend, int line, bool level, struct err *err);

	/* Puts a trigger's line to its active or idle level. */
	int (*trigger)(void *backend, size_t trigger, bool active);
};

/* Optional: motors, lights, cameras, gpio (NULL: the config's devices of that kind are
 * refused), attach (NULL: nothing needs opening), attached, describe, fresh (NULL: it
 * never is). */
struct backend {
	const char *name; /* as the config has it: "backend": "<name>" */

	/* Whether its time is the clock's: moves then want real-time priority. */
	bool real_time;

	const struct motor_ops *motors;
	const struct light_ops *lights;
	const struct camera_ops *cameras;
	const struct gpio_ops *gpio;

	/* Opens what all devices of config share, in a safe state, with the motors
	 * disabled.  With options->dry it reads the config and touches no hardware.
	 * Problems that do not stop the whole rig are sentences in `problems`. */
	int (*open)(void **out, const cJSON *config, const struct rig_options *options,
		    cJSON *problems, struct err *err);
	void (*close)(void *backend); /* NULL is fine */

	/* Opens one device, before any other function is called for it; if that fails,
	 * the rig goes without it. */
	int (*attach)(void *backend, enum device_kind kind, size_t index,
		      struct err *err);

	/* Called after all attach(); adds a sentence per problem that is only then known.
	 * The config is not valid any longer afterwards. */
	void (*attached)(void *backend, cJSON *problems);

	/* How an attached device is connected, for a person ("step GPIO 6, …"). */
	void (*describe)(const void *backend, enum device_kind kind, size_t index,
			 char *text, size_t size);

	/* Whether nobody has ever moved this rig, so that its axes are at their home
	 * angles.  Only a simulated one can know. */
	bool (*fresh)(const void *backend);

	/* Monotonic nanoseconds, of the time in which motions and exposures happen. */
	int64_t (*now)(void *backend);

	/* Waits until due_ns and returns now().  May return early: within 10 ms of real
	 * time if it would wait longer, or when cancel (may be NULL) is requested. */
	int64_t (*wait_until)(void *backend, int64_t due_ns, struct cancel *cancel);

	/* Switches lights off and triggers idle, without waiting or taking a lock.  Any
	 * thread, and a signal handler. */
	void (*safe)(void *backend);
};

extern const struct backend backend_simulated, backend_linux;

#endif
