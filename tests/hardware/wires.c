/* Drives gpio-sim through sysfs and counts edges in the kernel's trace. */
#include "tests/hardware/wires.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <linux/gpio.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/support/deadline.h"
#include "tests/support/folder.h"

#define TRACE "/sys/kernel/tracing/"
#define LINE 512

struct endstop {
	int line, axis_step;
	int64_t travel;
	bool set, pressed;
};

struct wires {
	char sim[PATH_MAX], device[PATH_MAX]; /* folder and device node of the chip */
	int base;			      /* the global number of its first line */
	pthread_t reader;
	FILE *trace;

	pthread_mutex_t lock;
	pthread_cond_t news;
	bool level[WIRES_LINES]; /* protected by lock, like the rest */
	int64_t pulses[WIRES_LINES];
	int64_t travel[WIRES_LINES]; /* of the axis with this step line */
	int direction[WIRES_LINES];  /* its direction line, -1 for none */
	struct endstop endstop;
	unsigned asked, reached; /* marks in the trace */
};

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail_msg("%s cannot be written", path);
	close(fd);
}

/* The only path that matches; label NULL, or the file of the entry that must contain
 * WIRES_CHIP. */
static void find(const char *pattern, const char *label, char out[PATH_MAX])
{
	char path[PATH_MAX];
	bool found = false;
	glob_t paths;

	if (glob(pattern, 0, NULL, &paths) != 0)
		fail_msg("there is no %s", pattern);
	for (size_t i = 0; i < paths.gl_pathc && !found; i++) {
		char *text = NULL;

		if (label) {
			snprintf(path, sizeof(path), "%s/%s", paths.gl_pathv[i], label);
			text = file_read(path, NULL);
		}
		found = !label || (text && strstr(text, WIRES_CHIP));
		free(text);
		if (found)
			snprintf(out, PATH_MAX, "%s", paths.gl_pathv[i]);
	}
	globfree(&paths);
	if (!found)
		fail_msg("no %s is that of %s", pattern, WIRES_CHIP);
}

static void find_chip(struct wires *wires)
{
	char path[PATH_MAX], *text;

	find("/sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio0", NULL, wires->sim);
	*strrchr(wires->sim, '/') = '\0';
	snprintf(wires->device, sizeof(wires->device), "/dev/%s",
		 strrchr(wires->sim, '/') + 1);
	find("/sys/class/gpio/gpiochip*", "label", path);
	strncat(path, "/base", sizeof(path) - strlen(path) - 1);
	text = file_read(path, NULL);
	wires->base = text ? atoi(text) : -1;
	free(text);
}

/* ---- the thread ---- */

static void pull(const struct wires *wires, int line, bool up)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/sim_gpio%d/pull", wires->sim, line);
	write_text(path, up ? "pull-up" : "pull-down");
}

/* Holds the lock. */
static void watch_endstop(struct wires *wires)
{
	struct endstop *endstop = &wires->endstop;
	bool pressed = wires->travel[endstop->axis_step] >= endstop->travel;

	if (!endstop->set || pressed == endstop->pressed)
		return;
	endstop->pressed = pressed;
	pull(wires, endstop->line, !pressed);
}

/* Holds the lock. */
static void line_went(struct wires *wires, int line, bool high)
{
	int direction = wires->direction[line];

	if (high && !wires->level[line]) {
		wires->pulses[line]++;
		if (direction >= 0)
			wires->travel[line] += wires->level[direction] ? 1 : -1;
		watch_endstop(wires);
	}
	wires->level[line] = high;
}

static void *read_trace(void *context)
{
	struct wires *wires = context;
	char text[LINE];

	while (fgets(text, sizeof(text), wires->trace)) {
		const char *event = strstr(text, "gpio_value: ");
		const char *mark = strstr(text, "wires mark ");
		int line, value;

		pthread_mutex_lock(&wires->lock);
		if (event && sscanf(event, "gpio_value: %d set %d", &line, &value) == 2 &&
		    line >= wires->base && line < wires->base + WIRES_LINES)
			line_went(wires, line - wires->base, value);
		if (mark) {
			wires->reached = (unsigned)atoi(mark + strlen("wires mark "));
			pthread_cond_broadcast(&wires->news);
		}
		pthread_mutex_unlock(&wires->lock);
	}
	return NULL;
}

/* ---- functions for tests ---- */

struct wires *wires_open(void)
{
	struct wires *wires = calloc(1, sizeof(*wires));

	assert_non_null(wires);
	pthread_mutex_init(&wires->lock, NULL);
	pthread_cond_init(&wires->news, NULL);
	for (int i = 0; i < WIRES_LINES; i++)
		wires->direction[i] = -1;
	find_chip(wires);
	write_text(TRACE "events/gpio/gpio_value/filter", "get == 0");
	write_text(TRACE "events/gpio/gpio_value/enable", "1");
	wires->trace = fopen(TRACE "trace_pipe", "re");
	assert_non_null(wires->trace);
	assert_int_equal(pthread_create(&wires->reader, NULL, read_trace, wires), 0);
	return wires;
}

void wires_close(struct wires *wires)
{
	write_text(TRACE "events/gpio/gpio_value/enable", "0");
	pthread_cancel(wires->reader);
	pthread_join(wires->reader, NULL);
	fclose(wires->trace);
	pthread_cond_destroy(&wires->news);
	pthread_mutex_destroy(&wires->lock);
	free(wires);
}

int64_t wires_pulses(struct wires *wires, int line)
{
	int64_t pulses;

	pthread_mutex_lock(&wires->lock);
	pulses = wires->pulses[line];
	pthread_mutex_unlock(&wires->lock);
	return pulses;
}

int64_t wires_travel(struct wires *wires, struct wires_axis axis)
{
	int64_t travel;

	pthread_mutex_lock(&wires->lock);
	wires->direction[axis.step] = axis.direction;
	travel = wires->travel[axis.step];
	pthread_mutex_unlock(&wires->lock);
	return travel;
}

void wires_settle(struct wires *wires)
{
	int64_t due = deadline_now() + deadline_patient(SOON_MS);
	bool reached = false;
	char text[64];

	snprintf(text, sizeof(text), "wires mark %u\n", ++wires->asked);
	write_text(TRACE "trace_marker", text);
	while (!reached && deadline_now() < due) {
		pthread_mutex_lock(&wires->lock);
		reached = wires->reached == wires->asked;
		if (!reached) {
			struct timespec look;

			clock_gettime(CLOCK_REALTIME, &look);
			look.tv_sec++;
			pthread_cond_timedwait(&wires->news, &wires->lock, &look);
		}
		pthread_mutex_unlock(&wires->lock);
	}
	if (!reached)
		fail_msg("the kernel's trace does not come");
}

void wires_endstop(struct wires *wires, int line, struct wires_axis axis, int64_t travel)
{
	pthread_mutex_lock(&wires->lock);
	wires->direction[axis.step] = axis.direction;
	wires->endstop = (struct endstop){line, axis.step, travel, true, true};
	watch_endstop(wires);
	pthread_mutex_unlock(&wires->lock);
}

bool wires_level(struct wires *wires, int line)
{
	char path[PATH_MAX + 32], *text;
	bool high;

	snprintf(path, sizeof(path), "%s/sim_gpio%d/value", wires->sim, line);
	text = file_read(path, NULL);
	assert_non_null(text);
	high = text[0] == '1';
	free(text);
	return high;
}

int wires_hold(struct wires *wires, int line, const char *consumer)
{
	struct gpio_v2_line_request request = {
		.offsets = {(unsigned)line},
		.num_lines = 1,
		.config.flags = GPIO_V2_LINE_FLAG_OUTPUT,
	};
	int chip = open(wires->device, O_RDWR | O_CLOEXEC);

	snprintf(request.consumer, sizeof(request.consumer), "%s", consumer);
	if (chip < 0 || ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &request) < 0)
		fail_msg("line %d of %s cannot be taken", line, wires->device);
	close(chip);
	return request.fd;
}
