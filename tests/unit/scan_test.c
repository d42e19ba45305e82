/* Tests scan_task on a fake host with a simulated rig. */
#include "tests/unit/fake_host.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "hal/frame.h"
#include "tasks/project/folder.h"
#include "tasks/capture/npy.h"
#include "tasks/project/project.h"

#define CANCELLED 7
#define PHOTOS_MAX 64

extern const struct task_type task_scan;

static const char rig_config[] =
	"{\"backend\":\"simulated\",\"name\":\"test\",\"cameras\":{\"sim\":{\"settings\":"
	"{"
	"\"shutter\":50,\"crop_width\":0,\"crop_height\":0,\"orientation_flag\":1,"
	"\"photo_resolution\":[164,123]}}},"
	"\"motors\":{\"rotor\":{\"acceleration\":20000,\"max_speed\":5000,\"direction\":"
	"1,"
	"\"steps_per_rotation\":42667,\"min_angle\":0,\"max_angle\":140,\"home_angle\":"
	"90},"
	"\"turntable\":{\"acceleration\":5000,\"max_speed\":5000,\"direction\":1,"
	"\"steps_per_rotation\":3200,\"min_angle\":0,\"max_angle\":360,\"home_angle\":90}"
	"},"
	"\"lights\":{\"ringlight\":{\"pwm_support\":true}},"
	"\"endstops\":{\"rotor-endstop\":{\"settings\":{\"angular_position\":140,"
	"\"motor_name\":\"rotor\"}}},\"scan_radius_mm\":130}";

struct task_run {
	struct fake_host fake;
	struct folder *top;
	char path[64];
	struct rig *rig;
	struct projects *projects;
	atomic_bool armed; /* the next motion requests the cancel */
	bool cancel;	   /* what the request means: a cancel, else a pause */
	int stop_at;	   /* photos after which the run is cancelled, 0 for never */
	int blind_at;	   /* photos after which the camera fails, 0 for never */
	bool blind;	   /* rival holds the camera */
	bool sees_again;   /* after the first photo that failed */
	int halt_at;	   /* photos after which the motion is stopped, 0 for never */
	atomic_bool halt;
	pthread_t rival;
	struct cancel rival_end;
	int pauses, events, images;
	int order[PHOTOS_MAX];
};

static void on_changed(void *context, enum device_kind kind, const char *name)
{
	struct task_run *run = context;

	(void)name;
	if (kind == DEVICE_MOTOR && atomic_exchange(&run->armed, false))
		cancel_request(&run->fake.cancel);
	/* Again and again: a stop that comes when an axis has just arrived stops nothing.
	 */
	if (kind == DEVICE_MOTOR && atomic_load(&run->halt))
		rig_stop_motion(run->rig);
}

/* A camera in use fails for others. */
static void *hold_camera(void *context)
{
	struct task_run *run = context;

	while (!cancel_requested(&run->rival_end)) {
		struct frame *frame;

		if (rig_capture(run->rig, 0, &run->rival_end, &frame, NULL) == 0)
			frame_free(frame);
	}
	return NULL;
}

static bool camera_busy(const struct task_run *run)
{
	cJSON *state = rig_state(run->rig, DEVICE_CAMERA, 0);
	bool busy = json_bool(state, "busy", false);

	cJSON_Delete(state);
	return busy;
}

static void wait_for_rival(const struct task_run *run)
{
	int64_t deadline = clock_monotonic_ms() + 10000;

	while (!camera_busy(run) && clock_monotonic_ms() < deadline)
		sched_yield();
	assert_true(camera_busy(run));
}

static void blind(struct task_run *run)
{
	cJSON *patch = cJSON_Parse("{\"shutter\":400000}");

	assert_int_equal(rig_camera_set(run->rig, 0, patch, NULL), 0);
	cJSON_Delete(patch);
	assert_int_equal(pthread_create(&run->rival, NULL, hold_camera, run), 0);
	run->blind = true;
}

static void unblind(struct task_run *run)
{
	cJSON *patch;

	if (!run->blind)
		return;
	cancel_request(&run->rival_end);
	pthread_join(run->rival, NULL);
	patch = cJSON_Parse("{\"shutter\":50}");
	assert_int_equal(rig_camera_set(run->rig, 0, patch, NULL), 0);
	cJSON_Delete(patch);
	run->blind = false;
}

static int host_gate(struct task_run *run)
{
	if (run->blind)
		wait_for_rival(run);
	if (!cancel_requested(&run->fake.cancel))
		return 0;
	if (run->cancel)
		return CANCELLED;
	run->pauses++;
	cancel_reset(&run->fake.cancel);
	return 0;
}

static void host_log(struct task_run *run, enum task_log level, const char *text)
{
	(void)level;
	if (run->sees_again && strstr(text, "is put off"))
		unblind(run);
}

static void host_event(struct task_run *run, const char *name, const char *data)
{
	cJSON *json = cJSON_Parse(data);

	assert_string_equal(name, "scan.photo");
	run->order[run->events++] = (int)json_number(json, "index", -1);
	assert_int_equal(json_number(json, "done", -1), run->fake.current + 1);
	cJSON_Delete(json);
	if (run->events == run->stop_at) {
		run->cancel = true;
		cancel_request(&run->fake.cancel);
	}
	if (run->events == run->halt_at)
		atomic_store(&run->halt, true);
	if (run->events == run->blind_at)
		blind(run);
}

static void host_image(struct task_run *run, const char *camera, const void *jpeg,
		       uint64_t size)
{
	assert_string_equal(camera, "sim");
	assert_non_null(jpeg);
	assert_true(size > 100 && size <= 100000);
	run->images++;
}

/* With sim as the config's member of that name; NULL for none. */
static void open_rig(struct task_run *run, const char *sim)
{
	cJSON *config = cJSON_Parse(rig_config);
	const struct rig_options options = {
		.state_dir = run->path,
		.sim_speed = 1000,
		.changed = on_changed,
		.context = run,
	};
	struct err err = {0};

	assert_non_null(config);
	if (sim)
		cJSON_AddItemToObject(config, "sim", cJSON_Parse(sim));
	if (rig_open(&run->rig, config, &options, &err) < 0)
		fail_msg("%s", err.text);
	run->fake.services.rig = run->rig;
	cJSON_Delete(config);
}

static void reopen_rig(struct task_run *run, const char *sim)
{
	rig_close(run->rig);
	open_rig(run, sim);
}

static int make_run(void **state)
{
	struct task_run *run = calloc(1, sizeof(*run));
	char projects[80];

	snprintf(run->path, sizeof(run->path), "%s/openscan-scan-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(run->path));
	snprintf(projects, sizeof(projects), "%s/projects", run->path);
	assert_int_equal(projects_open(&run->projects, projects, NULL), 0);
	fake_host_open(run);
	run->fake.functions.gate = host_gate;
	run->fake.functions.log = host_log;
	run->fake.functions.event = host_event;
	run->fake.functions.image = host_image;
	cancel_init(&run->rival_end);
	open_rig(run, NULL);
	run->fake.services.projects = run->projects;
	run->fake.services.min_free_bytes = 1;
	*state = run;
	return 0;
}

static int remove_run(void **state)
{
	struct task_run *run = *state;
	char *slash = strrchr(run->path, '/');
	struct folder *parent;

	unblind(run);
	rig_close(run->rig);
	projects_close(run->projects);
	cancel_destroy(&run->rival_end);
	fake_host_close(run);
	*slash = '\0';
	assert_int_equal(folder_open(&parent, run->path, NULL), 0);
	assert_int_equal(folder_remove(parent, slash + 1, NULL), 0);
	folder_close(parent);
	free(run);
	return 0;
}

static int scan(struct task_run *run, const char *args)
{
	return fake_host_run(run, &task_scan, args);
}

/* The run starts again in a new process, with only saved left of the old one. */
static void start_over(struct task_run *run)
{
	cancel_reset(&run->fake.cancel);
	run->cancel = false;
	run->stop_at = run->blind_at = 0;
	run->events = 0;
	run->fake.code[0] = '\0';
}

static cJSON *read_json(const struct task_run *run, const char *path)
{
	cJSON *json = NULL;
	struct err err = {0};

	if (folder_read_json(projects_folder(run->projects), path, &json, &err) < 0)
		fail_msg("%s", err.text);
	return json;
}

static void assert_status(const struct task_run *run, const char *status)
{
	cJSON *doc = read_json(run, "cup/scan01/scan.json");

	assert_string_equal(json_string(doc, "status"), status);
	cJSON_Delete(doc);
}

static void assert_at_home(const struct task_run *run)
{
	struct rig_axis rotor, table;

	assert_int_equal(rig_axis(run->rig, "rotor", &rotor, NULL), 0);
	assert_int_equal(rig_axis(run->rig, "turntable", &table, NULL), 0);
	assert_true(fabs(rotor.angle - 90) < 0.2);
	assert_true(fabs(table.angle - 90) < 0.2);
}

static int64_t size_of(const struct task_run *run, const char *path)
{
	return folder_file_size(projects_folder(run->projects), path);
}

static void remove_file(const struct task_run *run, const char *path)
{
	assert_int_equal(folder_remove(projects_folder(run->projects), path, NULL), 0);
}

/* Numbers of the points in the order that is written down. */
static int read_order(const struct task_run *run, int order[PHOTOS_MAX])
{
	cJSON *path = read_json(run, "cup/scan01/path.json");
	const cJSON *point;
	int n = 0;

	cJSON_ArrayForEach(point, cJSON_GetObjectItem(path, "points"))
		order[n++] = (int)json_number(point, "original_step", -1);
	cJSON_Delete(path);
	return n;
}

static void a_scan_writes_photos_documents_and_a_result(void **state)
{
	struct task_run *run = *state;
	cJSON *result, *doc;

	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":6}}"),
			 0);

	assert_int_equal(run->events, 6);
	assert_int_equal(run->images, 6);
	assert_int_equal(run->fake.current, 6);
	assert_int_equal(run->fake.total, 6);
	assert_true(size_of(run, "cup/scan01/scan01_000.jpg") > 500);
	assert_true(size_of(run, "cup/scan01/scan01_005.jpg") > 500);
	assert_true(size_of(run, "cup/scan01/metadata/scan01_005.json") > 100);
	assert_true(size_of(run, "cup/scan01/contact_sheet.jpg") > 500);
	assert_true(size_of(run, "cup/thumbnail.jpg") > 500);
	result = cJSON_Parse(run->fake.result);
	assert_int_equal(json_number(result, "photos", 0), 6);
	assert_int_equal(json_number(result, "scan", 0), 1);
	assert_string_equal(json_string(result, "contact_sheet"), "contact_sheet.jpg");
	assert_true(json_number(result, "bytes", 0) > 3000);
	doc = read_json(run, "cup/scan01/scan.json");
	assert_string_equal(json_string(doc, "status"), "completed");
	assert_string_equal(json_string(doc, "task_id"), "task-1");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(doc, "photos")), 6);
	cJSON_Delete(result);
	cJSON_Delete(doc);
}

static void the_rig_is_put_back_as_it_was(void **state)
{
	struct task_run *run = *state;
	struct rig_light light;

	assert_int_equal(rig_light_set(run->rig, NULL, false, 40, NULL), 0);
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":3}}"),
			 0);

	assert_at_home(run);
	assert_int_equal(rig_light_get(run->rig, NULL, &light, NULL), 0);
	assert_false(light.on);
	assert_int_equal(light.brightness, 40);
}

static void a_cancel_goes_home_and_keeps_what_is_there(void **state)
{
	struct task_run *run = *state;

	run->stop_at = 3;
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":12}}"),
			 CANCELLED);

	assert_in_range(run->events, 3, 5);
	assert_at_home(run);
	assert_status(run, "cancelled");
	assert_null(run->fake.result);
}

static void a_cancel_in_a_move_stops_it(void **state)
{
	struct task_run *run = *state;

	run->cancel = true;
	atomic_store(&run->armed, true);
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":12}}"),
			 CANCELLED);

	assert_int_equal(run->events, 0);
	assert_at_home(run);
}

static void a_pause_in_a_move_loses_nothing(void **state)
{
	struct task_run *run = *state;

	atomic_store(&run->armed, true);
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":5}}"),
			 0);

	assert_true(run->pauses >= 1);
	assert_int_equal(run->events, 5);
	assert_status(run, "completed");
}

static void damage_photo(const struct task_run *run, int index, const char *bytes)
{
	char path[64];

	snprintf(path, sizeof(path), "cup/scan01/scan01_%03d.jpg", index);
	assert_int_equal(folder_write(projects_folder(run->projects), path, bytes,
				      strlen(bytes), NULL),
			 0);
}

static void a_resumed_run_takes_only_the_missing_photos(void **state)
{
	struct task_run *run = *state;
	int order[PHOTOS_MAX], n, next = 0;
	bool taken[PHOTOS_MAX] = {false};
	char lost[64];
	cJSON *result;

	run->stop_at = 5;
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":12}}"),
			 CANCELLED);
	n = read_order(run, order);
	assert_int_equal(n, 12);
	for (int i = 0; i < run->events; i++)
		taken[run->order[i]] = true;
	snprintf(lost, sizeof(lost), "cup/scan01/scan01_%03d.jpg", run->order[1]);
	remove_file(run, lost);
	taken[run->order[1]] = false;
	damage_photo(run, run->order[2], "\xff\xd8 half");
	taken[run->order[2]] = false;
	damage_photo(run, run->order[3], "\xff\xd8 whole, but another \xff\xd9");
	taken[run->order[3]] = false;

	start_over(run);
	assert_int_equal(rig_move(run->rig, &(struct rig_target){"turntable", 300, false},
				  1, NULL, NULL),
			 0);
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":12}}"),
			 0);

	for (int i = 0; i < n; i++)
		if (!taken[order[i]])
			assert_int_equal(run->order[next++], order[i]);
	assert_int_equal(run->events, next);
	result = cJSON_Parse(run->fake.result);
	assert_int_equal(json_number(result, "photos", 0), 12);
	assert_int_equal(json_number(result, "scan", 0), 1);
	cJSON_Delete(result);
	assert_false(folder_has(projects_folder(run->projects), "cup/scan02"));
}

static void another_task_can_continue_a_scan(void **state)
{
	struct task_run *run = *state;
	int before;

	run->stop_at = 3;
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":8}}"),
			 CANCELLED);
	before = run->events;
	start_over(run);
	free(run->fake.saved);
	run->fake.saved = NULL;
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"scan\":1}"), 0);

	assert_int_equal(run->events, 8 - before);
	assert_status(run, "completed");
}

static void a_new_scan_gets_the_next_number(void **state)
{
	struct task_run *run = *state;

	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":1}}"),
			 0);
	start_over(run);
	free(run->fake.saved);
	run->fake.saved = NULL;
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":1}}"),
			 0);

	assert_true(size_of(run, "cup/scan02/scan02_000.jpg") > 500);
}

static void a_camera_that_is_gone_fails_the_scan_with_its_message(void **state)
{
	struct task_run *run = *state;
	cJSON *doc;

	run->blind_at = 2;
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":12}}"),
			 -1);

	assert_string_equal(run->fake.code, "device_busy");
	assert_in_range(run->events, 2, 4);
	assert_at_home(run);
	doc = read_json(run, "cup/scan01/scan.json");
	assert_string_equal(json_string(doc, "status"), "error");
	assert_non_null(strstr(json_string(doc, "system_message"), run->fake.text));
	cJSON_Delete(doc);
}

static void a_scan_set_to_stop_ends_at_the_first_bad_photo(void **state)
{
	struct task_run *run = *state;
	cJSON *doc;

	run->blind_at = 1;
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"on_photo_error\":\"stop\","
				   "\"settings\":{\"points\":12}}"),
			 -1);

	assert_string_equal(run->fake.code, "device_busy");
	doc = read_json(run, "cup/scan01/scan.json");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(doc, "photos")),
			 run->events);
	cJSON_Delete(doc);
}

static void a_photo_that_failed_is_taken_after_the_last_point(void **state)
{
	struct task_run *run = *state;
	int order[PHOTOS_MAX], late = 0;
	cJSON *result;

	run->blind_at = 2;
	run->sees_again = true;
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":8}}"),
			 0);

	assert_int_equal(run->events, 8);
	assert_int_equal(read_order(run, order), 8);
	for (int i = 0; i < 8; i++)
		late += run->order[7] == order[i] ? i : 0;
	assert_in_range(late, 2, 6);
	result = cJSON_Parse(run->fake.result);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(result, "missing")), 0);
	cJSON_Delete(result);
	assert_status(run, "completed");
}

static cJSON *result_of(const struct task_run *run)
{
	cJSON *result = cJSON_Parse(run->fake.result);

	if (!result)
		fail_msg("no result: %s", run->fake.text);
	return result;
}

/* Lines of the shutter log: photos that were really taken. */
static int shutters(const struct task_run *run)
{
	char path[128];
	int lines = 0, c;
	FILE *file;

	snprintf(path, sizeof(path), "%s/sim/shutter.log", run->path);
	file = fopen(path, "r");
	assert_non_null(file);
	while ((c = getc(file)) != EOF)
		lines += c == '\n';
	fclose(file);
	return lines;
}

static void every_second_capture_may_fail(void **state)
{
	struct task_run *run = *state;
	cJSON *result;

	reopen_rig(run, "{\"faults\":[{\"kind\":\"fail\",\"every\":2}]}");
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":6}}"),
			 0);

	result = result_of(run);
	assert_int_equal(json_number(result, "photos", 0), 6);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(result, "missing")), 0);
	cJSON_Delete(result);
	assert_int_equal(shutters(run), 6);
}

static void a_photo_that_always_fails_is_named_with_the_reason(void **state)
{
	struct task_run *run = *state;
	const cJSON *missing;
	cJSON *result;
	char name[64];
	int order[PHOTOS_MAX];

	/* Attempts 3 to 5 are those at the third point, the last three those after the
	 * last one. */
	reopen_rig(run, "{\"faults\":[{\"kind\":\"fail\",\"photo\":3,\"times\":3},"
			"{\"kind\":\"fail\",\"photo\":9,\"times\":3}]}");
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":6}}"),
			 0);

	result = result_of(run);
	read_order(run, order);
	snprintf(name, sizeof(name), "scan01_%03d.jpg", order[2]);
	missing = cJSON_GetObjectItem(result, "missing");
	assert_int_equal(cJSON_GetArraySize(missing), 1);
	missing = cJSON_GetArrayItem(missing, 0);
	assert_string_equal(json_string(missing, "photo"), name);
	assert_string_equal(json_string(missing, "reason"),
			    "the simulated camera failed, as it was told to");
	assert_int_equal(json_number(result, "photos", 0), 5);
	cJSON_Delete(result);
	assert_at_home(run);
	assert_status(run, "completed");

	/* Continuing takes only that one. */
	start_over(run);
	reopen_rig(run, NULL);
	free(run->fake.saved);
	run->fake.saved = NULL;
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"scan\":1}"), 0);
	assert_int_equal(run->events, 1);
	assert_int_equal(run->order[0], order[2]);
}

static void a_torn_photo_is_taken_again(void **state)
{
	struct task_run *run = *state;
	cJSON *result;

	reopen_rig(run, "{\"faults\":[{\"kind\":\"torn\",\"photo\":2},"
			"{\"kind\":\"torn\",\"photo\":7,\"times\":2}]}");
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":6}}"),
			 0);

	result = result_of(run);
	assert_int_equal(json_number(result, "photos", 0), 6);
	cJSON_Delete(result);
	assert_int_equal(shutters(run), 9);
}

static void a_camera_that_hangs_does_not_block_the_scan(void **state)
{
	struct task_run *run = *state;

	reopen_rig(run, "{\"faults\":[{\"kind\":\"hang\",\"photo\":2,\"times\":2},"
			"{\"kind\":\"slow\",\"photo\":5}]}");
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":5}}"),
			 0);

	assert_int_equal(run->events, 5);
}

static void a_camera_that_is_unplugged_fails_the_scan(void **state)
{
	struct task_run *run = *state;

	reopen_rig(run, "{\"faults\":[{\"kind\":\"gone\",\"photo\":4}]}");
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":9}}"),
			 -1);

	assert_string_equal(run->fake.code, "hardware_fault");
	assert_string_equal(run->fake.text, "the simulated camera is gone");
	assert_int_equal(run->events, 3);
	assert_at_home(run);
}

static void a_focus_bracket_is_taken_at_each_point(void **state)
{
	struct task_run *run = *state;
	static const double focus[] = {10, 11, 12};
	cJSON *result, *settings;
	int64_t before = shutters(run);

	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":4,"
				   "\"focus_stacks\":3,\"focus_range\":[10,12]}}"),
			 0);

	assert_int_equal(run->events, 12);
	assert_int_equal(run->fake.total, 12);
	assert_int_equal(shutters(run) - before, 12);
	for (int stack = 0; stack < 3; stack++) {
		char path[80];
		cJSON *metadata;
		const cJSON *part;

		snprintf(path, sizeof(path), "cup/scan01/scan01_003_fs%02d.jpg", stack);
		assert_true(size_of(run, path) > 500);
		snprintf(path, sizeof(path), "cup/scan01/metadata/scan01_003_fs%02d.json",
			 stack);
		metadata = read_json(run, path);
		part = cJSON_GetObjectItem(metadata, "scan_metadata");
		assert_int_equal(json_number(part, "stack_index", -1), stack);
		part = cJSON_GetObjectItem(metadata, "camera_metadata");
		part = cJSON_GetObjectItem(part, "camera_settings");
		assert_true(fabs(json_number(part, "manual_focus", 0) - focus[stack]) <
			    1e-9);
		assert_false(json_bool(part, "AF", true));
		cJSON_Delete(metadata);
	}
	result = result_of(run);
	assert_int_equal(json_number(result, "points", 0), 4);
	assert_int_equal(json_number(result, "photos", 0), 12);
	cJSON_Delete(result);
	settings = rig_camera_settings(run->rig, 0);
	assert_true(json_bool(settings, "AF", false));
	assert_int_equal(json_number(settings, "manual_focus", 0), 12);
	cJSON_Delete(settings);
}

static void an_interrupted_bracket_continues_where_it_stopped(void **state)
{
	struct task_run *run = *state;

	run->stop_at = 4;
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":4,"
				   "\"focus_stacks\":3}}"),
			 CANCELLED);
	int before = run->events;

	start_over(run);
	free(run->fake.saved);
	run->fake.saved = NULL;
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"scan\":1}"), 0);

	assert_int_equal(run->events, 12 - before);
	assert_int_equal(run->fake.current, 12);
}

static void pixels_can_be_kept_as_an_array(void **state)
{
	struct task_run *run = *state;
	struct frame *frame;
	struct err err = {0};
	char *bytes;
	size_t size;

	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":3,"
				   "\"image_format\":\"rgb_array\"}}"),
			 0);

	assert_int_equal(run->images, 3);
	assert_int_equal(folder_read(projects_folder(run->projects),
				     "cup/scan01/scan01_002.npy", 1 << 20, &bytes, &size,
				     &err),
			 0);
	assert_int_equal(size, 128 + 164 * 122 * 3); /* an even number of rows */
	assert_int_equal(npy_decode(bytes, size, &frame, &err), 0);
	assert_int_equal(frame->width, 164);
	free(bytes);
	frame_free(frame);

	/* A scan that continues finds its photos and their places on the contact
	 * sheet. */
	start_over(run);
	free(run->fake.saved);
	run->fake.saved = NULL;
	remove_file(run, "cup/scan01/scan01_001.npy");
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"scan\":1}"), 0);
	assert_int_equal(run->events, 1);
}

static void a_path_may_be_a_grid_or_a_spiral(void **state)
{
	struct task_run *run = *state;
	int order[PHOTOS_MAX];
	cJSON *doc;

	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":7,"
				   "\"path_method\":\"spiral\"}}"),
			 0);

	assert_int_equal(read_order(run, order), 7);
	doc = read_json(run, "cup/scan01/scan.json");
	assert_string_equal(
		json_string(cJSON_GetObjectItem(doc, "settings"), "path_method"),
		"spiral");
	cJSON_Delete(doc);
}

static void each_photo_has_its_quality_in_its_metadata(void **state)
{
	struct task_run *run = *state;
	cJSON *metadata, *intrinsics;
	const cJSON *quality;

	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":2}}"),
			 0);

	metadata = read_json(run, "cup/scan01/metadata/scan01_001.json");
	quality = cJSON_GetObjectItem(metadata, "quality");
	assert_true(json_number(quality, "sharpness", 0) > 1);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(quality, "histogram")),
			 16);
	cJSON_Delete(metadata);
	intrinsics = read_json(run, "cup/scan01/intrinsics.json");
	assert_true(fabs(json_number(intrinsics, "fx", 0) - 0.754 * 164) < 1);
	assert_true(fabs(json_number(intrinsics, "cx", 0) - 82) < 1e-9);
	assert_true(fabs(json_number(intrinsics, "cy", 0) - 61) < 1e-9);
	cJSON_Delete(intrinsics);
}

static void a_blurred_photo_is_named(void **state)
{
	struct task_run *run = *state;
	const cJSON *names;
	cJSON *result, *metadata, *quality;

	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":8}}"),
			 0);
	metadata = read_json(run, "cup/scan01/metadata/scan01_002.json");
	quality = cJSON_GetObjectItem(metadata, "quality");
	cJSON_SetNumberValue(cJSON_GetObjectItem(quality, "sharpness"), 0.5);
	assert_int_equal(folder_write_json(projects_folder(run->projects),
					   "cup/scan01/metadata/scan01_002.json",
					   metadata, NULL),
			 0);
	cJSON_Delete(metadata);
	start_over(run);
	assert_int_equal(scan(run, "{\"project\":\"cup\"}"), 0);

	assert_int_equal(run->events, 0);
	result = result_of(run);
	names = cJSON_GetObjectItem(result, "blurred");
	assert_int_equal(cJSON_GetArraySize(names), 1);
	assert_string_equal(cJSON_GetArrayItem(names, 0)->valuestring, "scan01_002.jpg");
	cJSON_Delete(result);
}

static void motor_stop_ends_the_scan_without_moving_home(void **state)
{
	struct task_run *run = *state;

	run->halt_at = 2;
	assert_int_equal(scan(run, "{\"project\":\"cup\",\"settings\":{\"points\":12}}"),
			 -1);

	assert_string_equal(run->fake.code, "interrupted");
	assert_string_equal(run->fake.text, "motion was stopped");
	assert_status(run, "interrupted");
}

static void assert_refused(struct task_run *run, const char *args, const char *code,
			   const char *words)
{
	start_over(run);
	assert_int_equal(scan(run, args), -1);
	assert_string_equal(run->fake.code, code);
	if (!strstr(run->fake.text, words))
		fail_msg("no '%s' in: %s", words, run->fake.text);
}

static void an_impossible_scan_is_refused_before_anything_is_created(void **state)
{
	struct task_run *run = *state;

	assert_refused(run, "{\"project\":\"../cup\"}", "invalid_args", "'/'");
	assert_refused(run, "{\"project\":\"cup\",\"camera\":\"nikon\"}", "not_found",
		       "nikon");
	assert_refused(run, "{\"project\":\"cup\",\"settings\":{\"max_theta\":150}}",
		       "invalid_args", "max_theta must be 0 to 140");
	assert_refused(
		run,
		"{\"project\":\"cup\",\"settings\":{\"min_theta\":90,\"max_theta\":"
		"80}}",
		"invalid_args", "less than or equal");
	assert_refused(run,
		       "{\"project\":\"cup\",\"settings\":{\"image_format\":\"dng\"}}",
		       "not_supported", "dng is not supported, only jpeg and rgb_array");
	assert_refused(run,
		       "{\"project\":\"cup\",\"settings\":{\"focus_range\":[15,10]}}",
		       "invalid_args", "focus_range must go");
	assert_refused(run, "{\"project\":\"cup\",\"scan\":4}", "not_found",
		       "there is no project 'cup'");
	run->fake.services.min_free_bytes = INT64_MAX / 2;
	assert_refused(run, "{\"project\":\"cup\"}", "storage_full", "disk");
	run->fake.services.min_free_bytes = 1;
	reopen_rig(run, "{\"faults\":[{\"kind\":\"gone\",\"photo\":1}]}");
	assert_refused(run, "{\"project\":\"cup\"}", "hal_unavailable",
		       "does not answer");

	assert_false(folder_has(projects_folder(run->projects), "cup"));
	assert_int_equal(run->fake.checkpoints, 0);
}

static void an_estimate_names_time_space_and_problems(void **state)
{
	struct task_run *run = *state;
	struct task_estimate estimate = {0};
	char *args = fake_host_args(
		&task_scan, "{\"project\":\"cup\",\"settings\":{\"points\":130}}");

	assert_int_equal(
		task_scan.estimate(&task_scan, &run->fake.services, args, &estimate), 0);
	cJSON_free(args);
	assert_int_equal(estimate.photos, 130);
	assert_true(estimate.seconds > 55 && estimate.seconds < 80);
	assert_true(estimate.bytes > 130 * 4000);
	assert_true(estimate.bytes_free > 0);
	assert_null(estimate.problems);

	args = fake_host_args(
		&task_scan,
		"{\"project\":\"cup\",\"settings\":{\"image_format\":\"raw\"}}");
	run->fake.services.min_free_bytes = INT64_MAX / 2;
	assert_int_equal(
		task_scan.estimate(&task_scan, &run->fake.services, args, &estimate), 0);
	cJSON_free(args);
	assert_non_null(strstr(estimate.problems, "not_supported"));
	assert_non_null(strstr(estimate.problems, "storage_full"));
	free(estimate.problems);
	assert_false(folder_has(projects_folder(run->projects), "cup"));
}

static void too_few_points_are_refused_by_the_schema(void **state)
{
	struct schema *schema;
	struct schema_problem problem;
	cJSON *args = cJSON_Parse("{\"project\":\"cup\",\"settings\":{\"points\":0}}");
	char text[300];

	(void)state;

	assert_int_equal(schema_compile(&schema, task_scan.args, NULL), 0);
	assert_int_equal(schema_check(schema, args, "/args", &problem, 1), 1);
	schema_sentence(&problem, text, sizeof(text));

	assert_string_equal(problem.path, "/args/settings/points");
	assert_string_equal(text, "points must be 1 to 999, not 0");
	schema_free(schema);
	cJSON_Delete(args);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_run, remove_run)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_scan_writes_photos_documents_and_a_result),
		TEST(the_rig_is_put_back_as_it_was),
		TEST(a_cancel_goes_home_and_keeps_what_is_there),
		TEST(a_cancel_in_a_move_stops_it),
		TEST(a_pause_in_a_move_loses_nothing),
		TEST(a_resumed_run_takes_only_the_missing_photos),
		TEST(another_task_can_continue_a_scan),
		TEST(a_new_scan_gets_the_next_number),
		TEST(a_camera_that_is_gone_fails_the_scan_with_its_message),
		TEST(a_scan_set_to_stop_ends_at_the_first_bad_photo),
		TEST(a_photo_that_failed_is_taken_after_the_last_point),
		TEST(every_second_capture_may_fail),
		TEST(a_photo_that_always_fails_is_named_with_the_reason),
		TEST(a_torn_photo_is_taken_again),
		TEST(a_camera_that_hangs_does_not_block_the_scan),
		TEST(a_camera_that_is_unplugged_fails_the_scan),
		TEST(a_focus_bracket_is_taken_at_each_point),
		TEST(an_interrupted_bracket_continues_where_it_stopped),
		TEST(pixels_can_be_kept_as_an_array),
		TEST(a_path_may_be_a_grid_or_a_spiral),
		TEST(each_photo_has_its_quality_in_its_metadata),
		TEST(a_blurred_photo_is_named),
		TEST(motor_stop_ends_the_scan_without_moving_home),
		TEST(an_impossible_scan_is_refused_before_anything_is_created),
		TEST(an_estimate_names_time_space_and_problems),
		cmocka_unit_test(too_few_points_are_refused_by_the_schema),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
