/* What drives the devices: one table of functions for each kind of rig.
 *
 * How to add a backend: write hal/<name>/<name>.c like hal/sim/sim.c, with one global
 * symbol, `const struct backend backend_<name>`, and add it to the list in
 * hal/rig_open.c.  A device config chooses it by "backend": "<name>".  Nothing outside of
 * hal/ changes.
 *
 * The rig has checked the config, knows the limits, counts the steps, decides who may
 * move when and what time a pulse is due.  A backend only does what it is told, at once.
 *
 * Devices go by their index in the order of the config.  Threads: calls for different
 * devices may come at the same time, calls for one device do not, but for safe(). */
#ifndef HAL_BACKEND_H
#define HAL_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "agent/base/cancel.h"
#include "hal/frame.h"
#include "hal/device.h"

/* One photo that somebody asked for. */
struct backend_shot {
	const cJSON *settings; /* of the camera, complete and checked */
	struct cancel *cancel;
	bool preview; /* a small one to look at, rather soon than perfect */

	/* 0 while the photo is wanted, else -EINTR, -ECANCELED or, when it took too long,
	 * -ETIMEDOUT: look at it whenever wait_until() returns. */
	int (*wanted)(const struct backend_shot *shot);
	const void *context;
};

struct backend {
	const char *name;

	/* Is its time that of the clock?  Then its moves want real-time priority. */
	bool real_time;

	/* Opens what all devices of config share, in their safe state, motors not
	 * enabled. With options->dry nothing but the config is looked at.  What is wrong
	 * and does not matter to all is a sentence in problems. */
	int (*open)(void **out, const cJSON *config, const struct rig_options *options,
		    cJSON *problems, struct err *err);
	void (*close)(void *backend); /* NULL is fine */

	/* Opens one device, before any other function is called for it; one that fails is
	 * left out.  NULL: there is nothing to open. */
	int (*attach)(void *backend, enum device_kind kind, size_t index,
		      struct err *err);

	/* Adds the cameras that are plugged in and that the config does not name to
	 * cameras, in the config's form.  Before attach().  NULL: there are none to be
	 * found. */
	void (*find_cameras)(void *backend, cJSON *cameras);

	/* After all attach(). Adds sentences about what is left over.  NULL: there is
	 * nothing. */
	void (*attached)(void *backend, cJSON *problems);

	/* What an attached device hangs on, for a person ("step GPIO 6, …").  NULL:
	 * nothing to tell. */
	void (*describe)(const void *backend, enum device_kind kind, size_t index,
			 char *text, size_t size);

	/* Is this a rig that nobody has ever moved, whose axes stand at their home
	 * angles? Only a simulated one can say so. */
	bool (*fresh)(const void *backend);

	/* Nanoseconds that only grow, of the time that motions and exposures live in. */
	int64_t (*now)(void *backend);

	/* Waits until due_ns and returns now, as late as it got.  May return earlier, and
	 * does so within 10 ms of real time when it would wait longer, or when cancel
	 * (NULL is fine) is raised. */
	int64_t (*wait_until)(void *backend, int64_t due_ns, struct cancel *cancel);

	/* The current of a motor's coils. */
	int (*enable)(void *backend, size_t motor, bool on);

	/* The level of the direction line for the steps that follow, set up when it
	 * returns: forward is high. */
	int (*direction)(void *backend, size_t motor, bool forward);

	/* One pulse, over when it returns.  The motor is enabled and has its direction.
	 * *sent_ns is the time when it is asked for; where sending takes time it becomes
	 * when the edge that the driver steps at had surely been sent. */
	int (*step)(void *backend, size_t motor, int64_t *sent_ns);

	/* 0..100; -ENOTSUP for what lies between when the light can only be on or off. */
	int (*light)(void *backend, size_t light, int brightness);
	int (*trigger)(void *backend, size_t trigger, bool active);

	/* 1 while pressed, 0, or a negative errno.  Asked for between two pulses; never
	 * waits.  A press that came and went since it was asked last counts once. */
	int (*endstop)(void *backend, size_t endstop);

	/* The largest mode of a camera, pixels. */
	void (*camera_size)(const void *backend, size_t camera, int *width, int *height);

	/* Does the camera answer?  0, or an error with its sentence.  NULL: it always
	 * does. */
	int (*answers)(void *backend, size_t camera, struct err *err);

	/* Exposes one photo and returns when the shutter is closed.  *latent is what is
	 * needed to read it out; a backend that cannot part the two makes it the frame.
	 * 0, what shot->wanted() said, or an error with its sentence. */
	int (*expose)(void *backend, size_t camera, const struct backend_shot *shot,
		      void **latent, struct err *err);

	/* Reads the photo out into a new frame, all of it but camera, orientation,
	 * jpeg_quality and comment, and takes latent, also when it fails.  Any thread,
	 * also while the camera takes the next one.  discard() only takes latent. */
	int (*read_out)(void *backend, size_t camera, void *latent, struct frame **out,
			struct err *err);
	void (*discard)(void *backend, size_t camera, void *latent);

	/* Finds shutter and white balance for what the camera sees, beginning with
	 * shot->settings, and puts those settings that shall change into found.  NULL:
	 * this kind of rig cannot.  Errors as those of expose(). */
	int (*calibrate)(void *backend, size_t camera, const struct backend_shot *shot,
			 cJSON *found, struct err *err);

	/* The level of a line that the config frees: 1, 0, or an error with its sentence.
	 * One that was set is an output until the backend closes. */
	int (*line_get)(void *backend, int line, struct err *err);
	int (*line_set)(void *backend, int line, bool level, struct err *err);

	/* Light off, trigger idle, at once, without waiting or taking a lock; any thread,
	 * and a signal handler. */
	void (*safe)(void *backend);
};

extern const struct backend backend_simulated, backend_linux;

#endif
