/* Measures how fast a scan is, beside what the rig alone needs: 130 points at speed 1,
 * the axes of mini_greenshield, photos of 640 by 480 (which have a target) and of the
 * shipped size, which take longer to render than many a move takes.
 *
 *     pace [points]
 *
 * The baseline is the time of the longer of the two axis moves, for all points and the
 * way home, and of the exposures.  A missed target is marked; the exit code is 0 all the
 * same, because figures depend on the machine. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "tests/support/broker.h"
#include "tests/support/deadline.h"
#include "tests/support/device.h"
#include "tests/bench/figure.h"
#include "tests/bench/bench_client.h"

#define BASE "openscan/v1/" DEVICE_ID
#define SHUTTER_S 0.05
#define HOME 90.0
#define SLOWER 1.05
#define PATIENCE_MS 600000

static const char rig_form[] =
	"{'name':'Pace','model':'mini','shield':'greenshield','backend':'simulated',"
	"'cameras':{'sim':{'type':'simulated','settings':"
	"{'shutter':50,'orientation_flag':1,'crop_width':0,'crop_height':0,"
	"'photo_resolution':[%d,%d]}}},"
	"'motors':{'rotor':{'acceleration':20000,'max_speed':5000,'direction':1,"
	"'steps_per_rotation':42667,'min_angle':0,'max_angle':140,'home_angle':90},"
	"'turntable':{'acceleration':5000,'max_speed':5000,'direction':1,"
	"'steps_per_rotation':3200,'min_angle':0,'max_angle':360,'home_angle':90}},"
	"'lights':{'ringlight':{'pwm_support':true}},'scan_radius_mm':130}";

struct axis {
	double steps_per_degree, max_speed, acceleration;
};

static const struct axis rotor = {42667 / 360.0, 5000, 20000};
static const struct axis table = {3200 / 360.0, 5000, 5000};

struct scan {
	struct folder folder;
	struct broker broker;
	struct device device;
	bool online, ended;
	double seconds, photos;
	char status[32];
};

/* A ramp to the top speed and back; a triangle when the way is too short for that. */
static double move_seconds(const struct axis *axis, double degrees)
{
	double steps = fabs(degrees) * axis->steps_per_degree;
	double ramps = axis->max_speed * axis->max_speed / axis->acceleration;

	if (steps < ramps)
		return 2 * sqrt(steps / axis->acceleration);
	return steps / axis->max_speed + axis->max_speed / axis->acceleration;
}

static double step_seconds(const double from[2], const double to[2])
{
	double turn = fabs(remainder(to[1] - from[1], 360));

	return fmax(move_seconds(&rotor, to[0] - from[0]), move_seconds(&table, turn));
}

static double number(const cJSON *object, const char *key)
{
	return cJSON_GetNumberValue(cJSON_GetObjectItem(object, key));
}

/* The seconds that the rig alone needs for the path of the scan; NAN when it cannot be
 * read. */
static double baseline_seconds(const struct scan *scan)
{
	char path[PATH_MAX + 64], *text;
	double at[2] = {HOME, HOME}, home[2] = {HOME, HOME}, seconds = 0;
	cJSON *json;
	const cJSON *point;
	size_t size;

	snprintf(path, sizeof(path), "%s/cup/scan01/path.json", scan->device.project_dir);
	text = file_read(path, &size);
	json = text ? cJSON_Parse(text) : NULL;
	free(text);
	if (!json)
		return NAN;
	cJSON_ArrayForEach(point, cJSON_GetObjectItem(json, "points")) {
		const cJSON *polar = cJSON_GetObjectItem(point, "polar");
		double to[2] = {number(polar, "theta"), number(polar, "fi")};

		seconds += step_seconds(at, to) + SHUTTER_S;
		memcpy(at, to, sizeof(at));
	}
	cJSON_Delete(json);
	return seconds + step_seconds(at, home);
}

static void see(void *context, const char *topic, const char *payload, size_t size)
{
	struct scan *scan = context;
	cJSON *task;
	const char *status;

	(void)size;
	if (!strcmp(topic, BASE "/status") && !strcmp(payload, "online"))
		scan->online = true;
	if (strcmp(topic, BASE "/task/s") != 0)
		return;
	task = cJSON_Parse(payload);
	status = cJSON_GetStringValue(cJSON_GetObjectItem(task, "status"));
	if (status && (!strcmp(status, "completed") || !strcmp(status, "error"))) {
		const cJSON *result = cJSON_GetObjectItem(task, "result");

		snprintf(scan->status, sizeof(scan->status), "%s", status);
		scan->seconds = number(task, "elapsed_s");
		scan->photos = number(result, "photos");
		scan->ended = true;
	}
	cJSON_Delete(task);
}

/* Photos of one size. */
struct size {
	int width, height;
	const char *name;
	enum aim aim;
};

static const struct size sizes[] = {
	{640, 480, "a scan with photos of 640 x 480", AIM_AT_MOST},
	{1640, 1232, "a scan with photos of 1640 x 1232", AIM_NONE},
};

static int run(struct scan *scan, const struct size *size, int points)
{
	static const char *const filters[] = {BASE "/status", BASE "/task/s", NULL};
	char order[256], rig[sizeof(rig_form) + 16];
	struct bench_client *client;

	snprintf(rig, sizeof(rig), rig_form, size->width, size->height);
	if (folder_make(&scan->folder) < 0 ||
	    broker_start(&scan->broker, scan->folder.path, false) < 0 ||
	    device_init(&scan->device, &scan->folder, DEVICE_ID, scan->broker.port, rig,
			NULL) < 0 ||
	    bench_client_open(&client, scan->broker.port, filters, see, scan) < 0)
		return -1;
	scan->device.program = OPENSCAN_AGENT;
	scan->device.log_level = "info";
	scan->device.sim_speed = "1";
	snprintf(order, sizeof(order),
		 "{\"id\":\"s\",\"type\":\"scan_task\",\"args\":{\"project\":\"cup\","
		 "\"settings\":{\"points\":%d}}}",
		 points);
	if (device_start(&scan->device) == 0 &&
	    bench_client_until(client, &scan->online, 20000)) {
		bench_client_send(client, BASE "/cmd/task/create", order, false);
		bench_client_until(client, &scan->ended, PATIENCE_MS);
	}
	bench_client_close(client);
	return scan->ended && !strcmp(scan->status, "completed") && scan->photos == points
		       ? 0
		       : -1;
}

static int measure(struct figures *figures, const struct size *size, int points)
{
	struct scan scan = {.ended = false};
	int ret = run(&scan, size, points);

	if (ret == 0) {
		double least = baseline_seconds(&scan);

		figures_add(figures, &(struct figure){
					     .name = size->name,
					     .unit = "s",
					     .value = scan.seconds,
					     .aim = size->aim,
					     .target = SLOWER * least,
					     .baseline_name = "moves and exposures",
					     .baseline = least,
				     });
	} else {
		fprintf(stderr, "%s was not completed (%s, %g photos)\n", size->name,
			scan.status[0] ? scan.status : "no end seen", scan.photos);
		device_print_log(&scan.device);
	}
	device_stop(&scan.device);
	broker_kill(&scan.broker);
	folder_remove(&scan.folder);
	return ret;
}

int main(int argc, char **argv)
{
	static struct figures figures;
	int points = argc > 1 ? atoi(argv[1]) : 130;
	int failed = 0;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		failed += measure(&figures, &sizes[i], points) != 0;
	printf("%d points:\n", points);
	figures_print(&figures);
	return failed ? 1 : 0;
}
