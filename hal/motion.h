/* Moves axes: computes when each step pulse of a move is due, and sends it then.
 *
 * An axis starts from rest, accelerates, cruises, and decelerates to rest on its last
 * step; a move too short to cruise is a triangle.  The profile is continuous, and pulses
 * are due where it crosses whole steps: pulse k of a start from rest at sqrt(2 k /
 * acceleration).  A mean of such a profile can change no faster than the profile itself,
 * so
 *
 *     1 / interval <= max_speed                                      and
 *     |1/interval' - 1/interval| <= acceleration * (interval + interval') / 2
 *
 * hold for any two neighbouring intervals: no speed spike, however short or odd the move.
 * One step is one pulse.
 *
 * Knows no hardware, no clock and no thread: they are passed in as functions, so a test
 * can be the clock. */
#ifndef HAL_MOTION_H
#define HAL_MOTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct motion_limits {
	double max_speed;    /* steps/s, above 0 */
	double acceleration; /* steps/s^2, above 0 */
};

/* Seconds from rest to rest over this many steps. */
double motion_seconds(int64_t steps, const struct motion_limits *limits);

/* One stretch from some speed to rest.  Times in seconds and distances in steps, both
 * from its beginning.  Plain data. */
struct motion_profile {
	double acceleration;
	double start, peak;	    /* speeds, steps/s */
	double rise, cruise, total; /* distances: speeding up, at the peak, all of it */
	double rise_s, cruise_s, total_s;
};

/* The fastest way over distance from an initial speed that allows a stop within it. */
void motion_profile_plan(struct motion_profile *p, const struct motion_limits *limits,
			 double speed, double distance);

/* The shortest way from speed to rest. */
void motion_profile_brake(struct motion_profile *p, const struct motion_limits *limits,
			  double speed);

/* When the distance (0..total) is covered, and how fast the axis is then. */
double motion_profile_time(const struct motion_profile *p, double distance);
double motion_profile_speed(const struct motion_profile *p, double distance);

/* What an axis should do after a pulse. */
enum motion_action {
	MOTION_GO,
	MOTION_BRAKE, /* decelerate to rest */
	MOTION_HALT,  /* no further pulse: only for speeds that allow it */
	MOTION_HELD,  /* as MOTION_HALT, and this pulse was not sent either */
};

/* What is requested of a whole move. */
enum motion_request { MOTION_RUN, MOTION_REST, MOTION_STOP };

/* One axis of a move.  The caller fills the first part and reads done. */
struct motion_axis {
	struct motion_limits limits;
	int64_t steps; /* to go, 0 or more */
	int64_t done;  /* pulses sent */

	/* Private to motion.c. */
	struct motion_profile profile;
	int64_t origin_ns;   /* start of the profile */
	int64_t last_ns;     /* last pulse */
	int64_t due_ns;	     /* next pulse */
	int64_t base;	     /* done when the profile began */
	int64_t goal;	     /* done when the axis will be at rest */
	int64_t shortest_ns; /* no interval below this */
	bool braking;	     /* never speeds up again */
};

/* Axes that start together.  The caller fills the first part, does not move it in memory
 * until motion_send_next() returns it, and reads the result. */
struct motion_move {
	struct motion_axis *axes;
	size_t n;

	/* MOTION_REST makes all axes of the move brake, for good; MOTION_STOP ends all
	 * pulses. */
	enum motion_request (*request)(void *context);

	/* Sends one pulse: a motion_action, or a negative errno, which ends all pulses of
	 * the move.  On entry *sent_ns is the time of the call; where sending takes time,
	 * set it to a moment at which the pulse had certainly been sent. */
	int (*pulse)(void *context, size_t axis, int64_t *sent_ns);
	void *context;

	/* 0, -EINTR if it braked before all arrived, -ECANCELED if it was stopped, or
	 * pulse's error.  `done` of the axes is exact in every case. */
	int result;

	/* Private to motion.c. */
	bool braking;
	struct motion_move *next;
};

/* All current moves, in one timeline. */
struct motion {
	int64_t (*now)(void *clock); /* nanoseconds */

	/* Waits until due_ns and returns the time.  May return early, so that requests
	 * are checked. */
	int64_t (*wait_until)(void *clock, int64_t due_ns);
	void *clock;

	/* Private to motion.c. */
	struct motion_move *moves;
	int64_t latest_ns;
};

void motion_add(struct motion *motion, struct motion_move *move);

/* Waits for the next pulse that is due, of any move, and sends it.  Returns a move that
 * has ended and left the timeline, else NULL; a move of no steps ends too.  Call it while
 * there are moves.  Allocates nothing.
 *
 * A late pulse is never caught up.  Late by up to a tenth of its interval, it shifts the
 * rest of that axis.  Later than that, the rotor is assumed to have slowed down to what
 * the interval says, and the axis speeds up from there within its acceleration. */
struct motion_move *motion_send_next(struct motion *motion);

#endif
