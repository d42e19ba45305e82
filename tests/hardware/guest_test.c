/* Runs the agent on real GPIO lines and a real camera: libgpiod on gpio-sim, libcamera on
 * vimc, in the virtual machine that tests/hardware/run boots.  What the agent reports is
 * compared with what the kernel saw. */
#include "tests/hardware/wires.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tests/support/world.h"

#define STEPS_PER_DEGREE 10
#define ENDSTOP_DEGREES 140
#define HOME_DEGREES 90
#define ENDSTOP_LINE 11
#define LIGHT_LINE 12

static const struct wires_axis rotor = {5, 6}, turntable = {8, 9};

#define RIG                                                                              \
	"{'name':'Virtual','backend':'linux','gpio_chip':'" WIRES_CHIP "','cameras':{"   \
	"'vimc':{'type':'libcamera','path':'Sensor B','settings':{'shutter':5,"          \
	"'orientation_flag':1,'crop_width':0,'crop_height':0,"                           \
	"'photo_resolution':[320,240]}}},'motors':{"                                     \
	"'rotor':{'step_pin':5,'direction_pin':6,'enable_pin':7,'acceleration':2000,"    \
	"'max_speed':1000,'steps_per_rotation':3600,'min_angle':0,'max_angle':140,"      \
	"'home_angle':90},"                                                              \
	"'turntable':{'step_pin':8,'direction_pin':9,'enable_pin':10,'acceleration':"    \
	"2000,"                                                                          \
	"'max_speed':1000,'steps_per_rotation':3600}},"                                  \
	"'endstops':{'rotor-endstop':{'settings':{'pin':11,'angular_position':140,"      \
	"'motor_name':'rotor'}}},'lights':{'ring':{'pin':12}},'scan_radius_mm':130}"

static const struct world_options virtual_rig = {.rig = RIG};
static const struct world_options virtual_rig_later = {.rig = RIG, .agent_later = true};

static struct wires *wires;

/* ---- helpers ---- */

static void plug(const char *how)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "%s/tests/hardware/plug %s",
		 OPENSCAN_SOURCE_DIR, how);
	if (system(command) != 0)
		fail_msg("%s failed", command);
}

/* Places the endstop that many steps ahead of the rotor. */
static void place_endstop(int64_t steps)
{
	wires_settle(wires);
	wires_endstop(wires, ENDSTOP_LINE, rotor, wires_travel(wires, rotor) + steps);
}

/* Ends at the home angle. */
static void home(struct world *w)
{
	place_endstop(300);
	ask_ok(w, "motor/home", "{'name':'rotor'}");
	wires_settle(wires);
}

static void assert_angle(struct world *w, const char *motor, double degrees)
{
	const cJSON *state =
		wait_value(w, quoted(w, BASE "/motor/%s", motor), "busy", "false");
	double angle = number_at(state, "angle");

	if (angle < degrees - 0.01 || angle > degrees + 0.01)
		fail_msg("%s stands at %g, not at %g", motor, angle, degrees);
}

/* Asserts that the axis has travelled so many degrees, counted on the lines, since
 * `before`. */
static void assert_travel(struct wires_axis axis, int64_t before, double degrees)
{
	wires_settle(wires);
	assert_int_equal(wires_travel(wires, axis) - before,
			 (int64_t)(degrees * STEPS_PER_DEGREE));
}

static void start_scan(struct world *w, const char *id)
{
	ask_ok(w, "task/create",
	       "{'id':'%s','type':'scan_task','args':{'project':'cup','settings':"
	       "{'points':6}}}",
	       id);
}

static bool ended(const cJSON *task, const void *context)
{
	const char *status = text_at(task, "status");

	(void)context;
	return strcmp(status, "completed") == 0 || strcmp(status, "error") == 0;
}

static const cJSON *wait_end(struct world *w, const char *id)
{
	const cJSON *task = wait_task(w, id, ended, NULL, "it ended");

	if (strcmp(text_at(task, "status"), "completed") != 0)
		fail_msg("%s failed: %s", id, text_at(task, "error.message"));
	return task;
}

static void assert_photos(struct world *w, int count)
{
	for (int i = 0; i < count; i++) {
		const char *path = quoted(w, "%s/cup/scan01/scan01_%03d.jpg",
					  w->device.project_dir, i);
		size_t size = 0;
		char *bytes = file_read(path, &size);
		bool whole = bytes && size > 2000 && memcmp(bytes, "\xff\xd8", 2) == 0 &&
			     memcmp(bytes + size - 2, "\xff\xd9", 2) == 0;

		free(bytes);
		if (!whole)
			fail_msg("%s is no photo", path);
	}
}

/* Asserts that the scan took all photos and went home. */
static void assert_scanned(struct world *w, const cJSON *task)
{
	assert_true(number_at(task, "result.photos") == 6);
	assert_int_equal(count_at(task, "result.missing"), 0);
	assert_photos(w, 6);
	assert_angle(w, "rotor", HOME_DEGREES);
	assert_angle(w, "turntable", HOME_DEGREES);
}

/* ---- the tests ---- */

static void every_step_of_a_move_is_a_pulse_on_the_line(struct world *w)
{
	ask_ok(w, "motor/override", "{'name':'turntable','degrees':90}");
	wires_settle(wires);
	int64_t travel = wires_travel(wires, turntable);
	int64_t pulses = wires_pulses(wires, turntable.step);

	ask_ok(w, "motor/move", "{'name':'turntable','degrees':120.5}");
	assert_travel(turntable, travel, 30.5);
	ask_ok(w, "motor/move", "{'name':'turntable','degrees':100}");
	assert_travel(turntable, travel, 10);

	assert_int_equal(wires_pulses(wires, turntable.step) - pulses, 305 + 205);
}

static void homing_ends_at_the_edge_of_the_endstop(struct world *w)
{
	place_endstop(300);
	int64_t pressed_at = wires_travel(wires, rotor) + 300;

	ask_ok(w, "motor/home", "{'name':'rotor'}");
	wires_settle(wires);

	int64_t beyond = wires_travel(wires, rotor) - pressed_at +
			 (ENDSTOP_DEGREES - HOME_DEGREES) * STEPS_PER_DEGREE;
	assert_angle(w, "rotor", HOME_DEGREES);
	if (beyond < 0 || beyond > 2 * STEPS_PER_DEGREE)
		fail_msg("the edge was taken for one %d steps later", (int)beyond);
}

static void a_missing_endstop_ends_the_homing_as_a_fault(struct world *w)
{
	place_endstop(1000000);

	const cJSON *reply = ask(w, "motor/home", "{'name':'rotor'}");

	assert_string_equal(text_at(reply, "code"), "hardware_fault");
	wait_value(w, BASE "/motor/rotor", "position", "unknown");
}

static void a_scan_of_six_points_is_six_photos_and_counted_pulses(struct world *w)
{
	home(w);
	int64_t travel = wires_travel(wires, rotor);
	int64_t turned = wires_travel(wires, turntable);
	int64_t pulses =
		wires_pulses(wires, rotor.step) + wires_pulses(wires, turntable.step);

	start_scan(w, "s");
	const cJSON *task = wait_end(w, "s");

	assert_scanned(w, task);
	assert_travel(rotor, travel, 0);
	assert_int_equal((wires_travel(wires, turntable) - turned) % 3600, 0);
	pulses = wires_pulses(wires, rotor.step) + wires_pulses(wires, turntable.step) -
		 pulses;
	printf("a scan of 6 points: %d pulses\n", (int)pulses);
	assert_true(pulses > 1000);
}

static void the_light_is_a_level_and_off_after_the_agent_was_killed(struct world *w)
{
	ask_ok(w, "light/set", "{'name':'ring','state':'ON'}");
	assert_true(wires_level(wires, LIGHT_LINE));

	world_kill_agent(w);

	assert_false(wires_level(wires, LIGHT_LINE));
}

static void a_line_in_use_by_another_program_costs_only_its_device(struct world *w)
{
	int holder = wires_hold(wires, LIGHT_LINE, "other program");

	world_start_agent(w);

	const cJSON *info = document(w, client_last(w->client, BASE "/info"));
	char *problems = cJSON_PrintUnformatted(at(info, "problems"));
	bool named =
		problems && strstr(problems, "other program") && strstr(problems, "ring");
	if (!named)
		fail_msg("the holder is not named: %s", problems ? problems : "nothing");
	free(problems);
	ask_ok(w, "motor/override", "{'name':'turntable','degrees':90}");
	ask_ok(w, "motor/move", "{'name':'turntable','degrees':91}");
	ask_refused(w, "light/set", "not_found", "{'name':'ring','state':'ON'}");
	close(holder);
}

/* Takes photos until one fails because the camera is unplugged. */
static const cJSON *pull_in_the_middle(struct world *w)
{
	size_t mark = client_mark(w->client);

	tell(w, "camera/preview", "{'seconds':60,'fps':2,'request':'watch'}");
	/* Its state is published at most twice a second, and a frame may take less. */
	wait_message(w, mark, BASE "/camera/vimc/image", NULL);
	plug("pull");
	return document(w, wait_message(w, mark, BASE "/reply/watch", NULL));
}

/* libcamera 0.4, which comes with Linux 6.12, keeps a lost camera open, so that its
 * module cannot be unloaded (hal/linux/README.md). */
static bool module_can_go(void)
{
	struct utsname system;

	return uname(&system) == 0 && strverscmp(system.release, "6.2") < 0;
}

static void assert_fault_and_free(struct world *w)
{
	ask_refused(w, "camera/capture", "hardware_fault", "{}");
	wait_value(w, BASE "/camera/vimc", "busy", "false");
}

static void an_unplugged_camera_is_a_fault_and_can_be_plugged_in_again(struct world *w)
{
	ask_ok(w, "camera/capture", "{}");

	const cJSON *reply = pull_in_the_middle(w);
	assert_string_equal(text_at(reply, "code"), "hardware_fault");
	wait_value(w, BASE "/camera/vimc", "busy", "false");
	if (module_can_go())
		plug("out");
	assert_fault_and_free(w);

	plug(module_can_go() ? "in" : "back");
	ask_ok(w, "camera/capture", "{}");
}

static void a_killed_scan_continues_where_the_pulses_ended(struct world *w)
{
	home(w);
	int64_t travel = wires_travel(wires, rotor);
	int64_t turned = wires_travel(wires, turntable);

	start_scan(w, "s");
	wait_message(w, 0, BASE "/event", quoted(w, "'done':2,"));
	int64_t pulses = wires_pulses(wires, turntable.step);
	int64_t due = deadline_now() + deadline_patient(SOON_MS);
	while (wires_pulses(wires, turntable.step) < pulses + 20)
		if (deadline_now() > due)
			fail_msg("the turntable does not move");
	world_restart_agent(w);
	const cJSON *task = wait_end(w, "s");

	assert_true(number_at(task, "resumed") == 1);
	assert_scanned(w, task);
	wires_settle(wires);
	/* The turntable reports a kill within a pulse; the rotor has homed since. */
	const cJSON *state = document(w, client_last(w->client, BASE "/motor/turntable"));
	int64_t unsure = number_at(state, "uncertainty") > 0;
	int64_t off = wires_travel(wires, rotor) - travel;
	int64_t turned_off = (wires_travel(wires, turntable) - turned) % 3600;
	if (off < -1 || off > 1 || turned_off < -unsure || turned_off > unsure)
		fail_msg("the rotor is off by %d steps, the turntable by %d", (int)off,
			 (int)turned_off);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST_WITH(every_step_of_a_move_is_a_pulse_on_the_line, virtual_rig),
		TEST_WITH(homing_ends_at_the_edge_of_the_endstop, virtual_rig),
		TEST_WITH(a_missing_endstop_ends_the_homing_as_a_fault, virtual_rig),
		TEST_WITH(a_scan_of_six_points_is_six_photos_and_counted_pulses,
			  virtual_rig),
		TEST_WITH(the_light_is_a_level_and_off_after_the_agent_was_killed,
			  virtual_rig),
		TEST_WITH(a_line_in_use_by_another_program_costs_only_its_device,
			  virtual_rig_later),
		TEST_WITH(a_killed_scan_continues_where_the_pulses_ended, virtual_rig),
		TEST_WITH(an_unplugged_camera_is_a_fault_and_can_be_plugged_in_again,
			  virtual_rig),
	};
	int failed;

	wires = wires_open();
	failed = world_run("hardware", tests, sizeof(tests) / sizeof(tests[0]), argc,
			   argv);
	wires_close(wires);
	return failed;
}
