/* Plans speed profiles and sends each pulse when it is due. */
#include "hal/motion.h"

#include <errno.h>
#include <math.h>

#define NS_PER_S 1e9
#define LATE_SHARE 10 /* late by up to 1/LATE_SHARE of an interval is jitter */
#define ROUNDING 1e-6 /* steps: rounding error of sums of square roots */
#define NEVER INT64_MAX

static double motion_root(double x)
{
	return sqrt(fmax(x, 0));
}

void motion_profile_plan(struct motion_profile *p, const struct motion_limits *limits,
			 double speed, double distance)
{
	double a = limits->acceleration;
	/* Up by start^2 + 2 a rise, down by 2 a (distance - rise): equal at the peak. */
	double peak =
		fmin(limits->max_speed, motion_root(a * distance + speed * speed / 2));
	double fall;

	peak = fmax(peak, speed);
	p->acceleration = a;
	p->start = speed;
	p->peak = peak;
	p->rise = (peak * peak - speed * speed) / (2 * a);
	fall = peak * peak / (2 * a);
	p->cruise = fmax(distance - p->rise - fall, 0);
	p->total = distance;
	p->rise_s = (peak - speed) / a;
	p->cruise_s = peak > 0 ? p->cruise / peak : 0;
	p->total_s = p->rise_s + p->cruise_s + peak / a;
}

void motion_profile_brake(struct motion_profile *p, const struct motion_limits *limits,
			  double speed)
{
	*p = (struct motion_profile){
		.acceleration = limits->acceleration,
		.start = speed,
		.peak = speed,
		.total = speed * speed / (2 * limits->acceleration),
		.total_s = speed / limits->acceleration,
	};
}

double motion_profile_time(const struct motion_profile *p, double distance)
{
	double a = p->acceleration;

	if (distance < p->rise)
		return (motion_root(p->start * p->start + 2 * a * distance) - p->start) /
		       a;
	if (distance < p->rise + p->cruise)
		return p->rise_s + (distance - p->rise) / p->peak;
	return p->total_s - motion_root(2 * (p->total - distance) / a);
}

double motion_profile_speed(const struct motion_profile *p, double distance)
{
	double a = p->acceleration;

	if (distance < p->rise)
		return motion_root(p->start * p->start + 2 * a * distance);
	if (distance < p->rise + p->cruise)
		return p->peak;
	return motion_root(2 * a * (p->total - distance));
}

double motion_seconds(int64_t steps, const struct motion_limits *limits)
{
	struct motion_profile p;

	motion_profile_plan(&p, limits, 0, (double)steps);
	return p.total_s;
}

/* Computes when the next pulse is due. */
static void axis_schedule(struct motion_axis *axis)
{
	double distance = (double)(axis->done + 1 - axis->base);
	double at;

	if (axis->done >= axis->goal) {
		axis->due_ns = NEVER;
		return;
	}
	at = motion_profile_time(&axis->profile, distance);
	axis->due_ns = axis->origin_ns + llround(at * NS_PER_S);
	/* The limit holds to the nanosecond, whatever the rounding. */
	if (axis->due_ns < axis->last_ns + axis->shortest_ns)
		axis->due_ns = axis->last_ns + axis->shortest_ns;
}

static double axis_speed(const struct motion_axis *axis)
{
	return motion_profile_speed(&axis->profile, (double)(axis->done - axis->base));
}

static void axis_start(struct motion_axis *axis, int64_t now)
{
	/* In whole nanoseconds, so that cruising agrees with the limit in axis_schedule.
	 */
	axis->shortest_ns = (int64_t)ceil(NS_PER_S / axis->limits.max_speed);
	axis->limits.max_speed = NS_PER_S / (double)axis->shortest_ns;
	axis->done = 0;
	axis->base = 0;
	axis->goal = axis->steps;
	axis->braking = false;
	axis->origin_ns = now;
	axis->last_ns = now;
	motion_profile_plan(&axis->profile, &axis->limits, 0, (double)axis->steps);
	axis_schedule(axis);
}

/* Lets the axis come to rest, starting from the speed of its last pulse.  The next pulse
 * is never due earlier than it was: braking only delays. */
static void axis_brake(struct motion_axis *axis, double speed)
{
	int64_t stop;

	motion_profile_brake(&axis->profile, &axis->limits, speed);
	stop = axis->done + (int64_t)floor(axis->profile.total + ROUNDING);
	if (stop < axis->goal)
		axis->goal = stop;
	axis->braking = true;
	axis->origin_ns = axis->last_ns;
	axis->base = axis->done;
	axis_schedule(axis);
}

/* The highest speed that a rotor can have after an interval in which it went one step,
 * either accelerating all the time or resting first. */
static double axis_reachable(const struct motion_axis *axis, int64_t interval_ns)
{
	double a = axis->limits.acceleration;
	double interval = (double)interval_ns / NS_PER_S;

	if (interval * interval > 2 / a)
		return sqrt(2 * a);
	return 1 / interval + a * interval / 2;
}

/* After a pulse at now: shifts or replans the rest if the pulse was late. */
static void axis_absorb_lateness(struct motion_axis *axis, int64_t now)
{
	int64_t late = now - axis->due_ns;
	int64_t planned = axis->due_ns - axis->last_ns;
	double speed = axis_speed(axis);

	if (late <= planned / LATE_SHARE) {
		axis->origin_ns += late;
		axis->last_ns = now;
		return;
	}

	speed = fmin(speed, axis_reachable(axis, now - axis->last_ns));
	axis->last_ns = now;
	if (axis->braking) {
		axis_brake(axis, speed);
		return;
	}
	axis->origin_ns = now;
	axis->base = axis->done;
	motion_profile_plan(&axis->profile, &axis->limits, speed,
			    (double)(axis->goal - axis->done));
}

static struct motion_axis *move_next(const struct motion_move *move)
{
	struct motion_axis *next = NULL;

	for (size_t i = 0; i < move->n; i++) {
		struct motion_axis *axis = &move->axes[i];

		if (axis->due_ns != NEVER && (!next || axis->due_ns < next->due_ns))
			next = axis;
	}
	return next;
}

/* Applies the caller's request: 0, or -ECANCELED. */
static int move_check_request(struct motion_move *move)
{
	enum motion_request request = move->request(move->context);

	if (request == MOTION_STOP)
		return -ECANCELED;
	if (request != MOTION_REST || move->braking)
		return 0;
	move->braking = true;
	for (size_t i = 0; i < move->n; i++)
		axis_brake(&move->axes[i], axis_speed(&move->axes[i]));
	return 0;
}

static int move_pulse(struct motion_move *move, struct motion_axis *axis, int64_t now)
{
	int64_t sent = now;
	int action = move->pulse(move->context, (size_t)(axis - move->axes), &sent);

	if (action < 0)
		return action;
	if (action == MOTION_HELD) {
		axis->goal = axis->done;
		axis->due_ns = NEVER;
		return 0;
	}
	axis->done++;
	axis_absorb_lateness(axis, sent > now ? sent : now);
	if (action == MOTION_HALT)
		axis->goal = axis->done;
	else if (action == MOTION_BRAKE)
		axis_brake(axis, axis_speed(axis));
	axis_schedule(axis);
	return 0;
}

/* The result of a move whose axes are all at rest. */
static int move_arrived(const struct motion_move *move)
{
	for (size_t i = 0; move->braking && i < move->n; i++)
		if (move->axes[i].done < move->axes[i].steps)
			return -EINTR;
	return 0;
}

static struct motion_move *motion_end(struct motion *motion, struct motion_move *move,
				      int result)
{
	struct motion_move **link = &motion->moves;

	while (*link != move)
		link = &(*link)->next;
	*link = move->next;
	move->result = result;
	return move;
}

void motion_add(struct motion *motion, struct motion_move *move)
{
	int64_t now = motion->now(motion->clock);

	/* A simulated wait may have returned a time ahead of the clock. */
	if (now < motion->latest_ns)
		now = motion->latest_ns;
	for (size_t i = 0; i < move->n; i++)
		axis_start(&move->axes[i], now);
	move->braking = false;
	move->next = motion->moves;
	motion->moves = move;
}

struct motion_move *motion_send_next(struct motion *motion)
{
	struct motion_move *first = NULL;
	struct motion_axis *axis = NULL;
	int64_t now;
	int ret;

	for (struct motion_move *move = motion->moves; move; move = move->next) {
		struct motion_axis *next;

		ret = move_check_request(move);
		next = move_next(move);
		if (ret < 0 || !next)
			return motion_end(motion, move,
					  ret < 0 ? ret : move_arrived(move));
		if (!axis || next->due_ns < axis->due_ns) {
			first = move;
			axis = next;
		}
	}
	if (!axis)
		return NULL; /* nothing moves */
	now = motion->wait_until(motion->clock, axis->due_ns);
	if (now > motion->latest_ns)
		motion->latest_ns = now;
	if (now < axis->due_ns)
		return NULL;
	ret = move_pulse(first, axis, now);
	return ret < 0 ? motion_end(motion, first, ret) : NULL;
}
