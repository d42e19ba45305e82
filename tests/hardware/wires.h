/* The rig's lines as the kernel sees them: a simulated GPIO chip (gpio-sim) whose lines
 * the agent drives, counted by the kernel's own trace of them.  Independent of the agent.
 *
 * A thread reads the trace all the time.  A function that cannot do what its comment says
 * fails the test. */
#ifndef TESTS_HARDWARE_WIRES_H
#define TESTS_HARDWARE_WIRES_H

#include <stdbool.h>
#include <stdint.h>

#define WIRES_CHIP "rig-gpio" /* its label; made by tests/hardware/guest */
#define WIRES_LINES 32

struct wires;

/* The two lines of an axis: a rising step is a step forward while direction is high. */
struct wires_axis {
	int step, direction;
};

struct wires *wires_open(void);
void wires_close(struct wires *wires);

/* The number of rising edges. */
int64_t wires_pulses(struct wires *wires, int line);

/* Steps forward minus steps back since wires_open(). */
int64_t wires_travel(struct wires *wires, struct wires_axis axis);

/* Returns when everything driven before the call is counted. */
void wires_settle(struct wires *wires);

/* Pulls line down, as a pressed switch does, whenever the axis has travelled at least
 * this far, and up otherwise. */
void wires_endstop(struct wires *wires, int line, struct wires_axis axis, int64_t travel);

/* The level of a line. */
bool wires_level(struct wires *wires, int line);

/* Requests a line as another program would; the descriptor holds it. */
int wires_hold(struct wires *wires, int line, const char *consumer);

#endif
