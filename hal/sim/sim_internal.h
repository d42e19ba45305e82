/* The parts of a simulated rig, shared by sim.c and sim_camera.c only. */
#ifndef HAL_SIM_SIM_INTERNAL_H
#define HAL_SIM_SIM_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/backend.h"
#include "hal/free_lines.h"
#include "hal/sim/fault_injection.h"
#include "hal/sim/sim_clock.h"
#include "hal/sim/target_image.h"
#include "hal/sim/ground_truth.h"

#define SIM_LIGHTS 32
#define SIM_ENDSTOPS 16

struct sim_motor {
	int sign; /* sign of the steps while the direction line is high */
	int32_t steps_per_turn;
	int direction; /* sign of the next steps */
};

struct sim_endstop {
	int motor;    /* -1: the config names a motor that does not exist */
	int64_t edge; /* count from which it is pressed */
	bool above;   /* pressed above edge, else below it */
};

struct sim {
	struct sim_clock clock;
	struct ground_truth *truth;
	struct sim_motor motors[GROUND_TRUTH_AXES];
	size_t motor_count;
	int rotor, turntable; /* their indices, -1 for none */
	struct sim_endstop endstops[SIM_ENDSTOPS];
	atomic_int lights[SIM_LIGHTS];
	size_t light_count;
	double radius_mm;
	bool room_lit;
	struct fault_injection *faults;
	struct target_image *target_image; /* shown instead of the object; NULL: none */
	struct free_lines free_lines;
	atomic_bool lines[FREE_LINES_COUNT]; /* levels of the free lines */
	int shutter_log, trigger_log;	     /* file descriptors */
};

/* ---- sim.c ---- */

/* The true angle of a motor by its number; 0 for -1. */
double sim_angle(const struct sim *sim, int motor);

/* The same angle within 0..360. */
double sim_wrap_degrees(double degrees);

/* The brightness (0..100) of the brightest light. */
int sim_brightness(struct sim *sim);

/* Appends a line of length bytes to the log called name.  The logs are for tests and the
 * curious: a full disk must not cost a photo. */
void sim_log(int fd, const char *name, const char *line, int length);

/* ---- sim_camera.c: as backend.h says, backend being a struct sim ---- */

void sim_camera_size(const void *backend, size_t camera, int *width, int *height);
int sim_camera_answers(void *backend, size_t camera, struct err *err);
int sim_camera_expose(void *backend, size_t camera, const struct backend_shot *shot,
		      void **latent, struct err *err);
int sim_camera_read_out(void *backend, size_t camera, void *latent, struct frame **out,
			struct err *err);
void sim_camera_discard(void *backend, size_t camera, void *latent);
int sim_camera_calibrate(void *backend, size_t camera, const struct backend_shot *shot,
			 cJSON *found, struct err *err);

#endif
