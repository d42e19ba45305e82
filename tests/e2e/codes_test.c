/* Every error code of section 2 of the contract, seen from outside: one test per code,
 * and no code without a test. */
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HELLO "hello_world_async_task"
#define LONG_HELLO "{'total_steps':10000,'delay':0.05}"
#define SHORT_HELLO "{'total_steps':1,'delay':0.01}"

/* A rig whose camera has this fault. */
#define FAULTY(faults)                                                                   \
	"{'name':'Faulty','backend':'simulated','cameras':{'sim':{'settings':"           \
	"{'shutter':5,'orientation_flag':1,'crop_width':0,'crop_height':0,"              \
	"'photo_resolution':[164,122]}}},'motors':{"                                     \
	"'rotor':{'acceleration':20000,'max_speed':5000,'steps_per_rotation':42667,"     \
	"'min_angle':0,'max_angle':140,'home_angle':90},"                                \
	"'turntable':{'acceleration':5000,'max_speed':5000,'steps_per_rotation':3200}}," \
	"'lights':{'ringlight':{}},'scan_radius_mm':130,'sim':{'faults':[" faults "]}}"

static const struct world_options later = {.agent_later = true};
/* A move takes ten seconds. */
static const struct world_options slow_rig = {.sim_speed = "0.2"};
static const struct world_options broken = {.rig = FAULTY("{'kind':'fail','every':1}")};
static const struct world_options unplugged = {
	.rig = FAULTY("{'kind':'gone','photo':1}")};

/* The task ends with this error code. */
static void assert_error(struct world *w, const char *id, const char *code)
{
	assert_string_equal(text_at(wait_status(w, id, "error"), "error.code"), code);
}

static void code_accepted(struct world *w)
{
	assert_string_equal(text_at(create(w, "a", HELLO, NULL), "code"), "accepted");
}

static void code_ok(struct world *w)
{
	assert_string_equal(text_at(ask_ok(w, "agent/ping", "{}"), "code"), "ok");
}

static void code_bad_json(struct world *w)
{
	ask_refused(w, "task/create", "bad_json", "{'type':");
}

static void code_bad_request(struct world *w)
{
	ask_refused(w, "task/create", "bad_request", "{}");
}

static void code_unknown_verb(struct world *w)
{
	ask_refused(w, "task/explode", "unknown_verb", "{}");
}

static void code_unknown_type(struct world *w)
{
	ask_refused(w, "task/create", "unknown_type", "nonsense_task");
}

static void code_invalid_args(struct world *w)
{
	ask_refused(w, "motor/move", "invalid_args", "{'name':'rotor','degrees':170}");
}

static void code_schema_mismatch(struct world *w)
{
	ask_refused(w, "task/create", "schema_mismatch",
		    "{'type':'" HELLO "','schema':'%064d'}", 0);
}

static void code_payload_too_large(struct world *w)
{
	size_t size = 128 * 1024 + 1;
	char *big = quoted(w, "%*s", (int)size, "");

	memcpy(big, "{}", 2);
	assert_string_equal(
		text_at(ask_topic(w, BASE "/cmd/agent/ping", big, size), "code"),
		"payload_too_large");
}

static void code_retained_command(struct world *w)
{
	struct publish how = {.qos = 1, .retain = true};
	size_t mark = client_mark(w->client);

	client_publish(w->client, BASE "/cmd/light/set", "ON", 2, &how);
	wait_message(w, mark, BASE "/reply/_", "retained_command");
}

static void code_stale(struct world *w)
{
	world_stop_agent(w);
	tell(w, "motor/home", "{'request':'waited'}");

	world_start_agent(w);

	wait_message(w, 0, BASE "/reply/waited", "\"stale\"");
}

static void code_id_conflict(struct world *w)
{
	create(w, "a", HELLO, SHORT_HELLO);
	ask_refused(w, "task/create", "id_conflict", "{'id':'a','type':'failing_task'}");
}

static void code_not_found(struct world *w)
{
	ask_refused(w, "task/get", "not_found", "nobody");
}

static void code_invalid_state(struct world *w)
{
	create(w, "a", HELLO, SHORT_HELLO);
	wait_status(w, "a", "completed");
	ask_refused(w, "task/pause", "invalid_state", "a");
}

static void code_rev_conflict(struct world *w)
{
	ask_refused(w, "settings/set", "rev_conflict",
		    "{'values':{'agent.keep_days':9},'if_rev':77}");
}

static void code_queue_full(struct world *w)
{
	ask_ok(w, "queue/pause", "{}");
	for (int i = 0; i < 256; i++)
		tell(w, "task/create", HELLO);
	ask_refused(w, "task/create", "queue_full", HELLO);
}

static void code_draining(struct world *w)
{
	ask_ok(w, "agent/drain", "{}");
	ask_refused(w, "task/create", "draining", HELLO);
}

static void code_estopped(struct world *w)
{
	ask_ok(w, "estop", "{}");
	ask_refused(w, "camera/capture", "estopped", "{}");
}

static void code_not_broadcast(struct world *w)
{
	const cJSON *reply =
		ask_topic(w, ROOT "/_all/cmd/task/create", HELLO, strlen(HELLO));

	assert_string_equal(text_at(reply, "code"), "not_broadcast");
}

static void code_device_busy(struct world *w)
{
	create(w, "m", "motor_task", "{'steps':10000,'delay':0.05}");
	wait_status(w, "m", "running");
	ask_refused(w, "motor/home", "device_busy", "{}");
}

static void code_hal_unavailable(struct world *w)
{
	ask_ok(w, "task/create", "{'id':'s','type':'scan_task','args':{'project':'p'}}");
	assert_error(w, "s", "hal_unavailable");
}

static void code_hardware_fault(struct world *w)
{
	ask_refused(w, "camera/capture", "hardware_fault", "{}");
}

static void code_timeout(struct world *w)
{
	ask_ok(w, "task/create",
	       "{'id':'a','type':'" HELLO "','timeout_s':0.2,'args':" LONG_HELLO "}");
	assert_error(w, "a", "timeout");
}

/* Starts a move of several seconds and returns when it is published. */
static size_t begin_move(struct world *w)
{
	size_t mark = client_mark(w->client);

	tell(w, "motor/move", "{'name':'rotor','degrees':0,'request':'go'}");
	wait_message(w, mark, BASE "/motor/rotor", "\"busy\":true");
	return mark;
}

static void code_cancelled(struct world *w)
{
	size_t mark = begin_move(w);

	ask_ok(w, "motor/stop", "{}");

	wait_message(w, mark, BASE "/reply/go", "\"cancelled\"");
}

static void code_interrupted(struct world *w)
{
	size_t mark = begin_move(w);

	world_restart_agent(w);

	wait_message(w, mark, BASE "/reply/go", "\"interrupted\"");
}

static void code_crash_loop(struct world *w)
{
	int starts = 0;

	tell(w, "task/create",
	     "{'id':'k','type':'resume_count_task',"
	     "'args':{'file':'%s','steps':9,'crash_at':2}}",
	     below(w, "steps"));
	while (starts++ < 3 && child_wait(&w->device.child, deadline_patient(SOON_MS)))
		assert_int_equal(device_start(&w->device), 0);
	assert_error(w, "k", "crash_loop");
}

static void code_dependency_failed(struct world *w)
{
	create(w, "f", "failing_task", NULL);
	ask_ok(w, "task/create", "{'id':'a','type':'" HELLO "','after':['f']}");
	assert_error(w, "a", "dependency_failed");
}

static void code_task_failed(struct world *w)
{
	create(w, "f", "failing_task", NULL);
	assert_error(w, "f", "task_failed");
}

static void code_storage_full(struct world *w)
{
	if (!disk_possible())
		world_skip(w, "only root can mount a small disk");
	/* There is no room for the agent's disk reserve. */
	assert_int_equal(disk_mount(&w->disk, w->device.state_dir, 3584), 0);
	world_start_agent(w);
	wait_event(w, 0, "storage.full", NULL);
	ask_refused(w, "task/create", "storage_full", HELLO);
}

/* A folder has the name of the file for changed settings. */
static void code_storage_error(struct world *w)
{
	assert_int_equal(mkdir(quoted(w, "%s/settings.json", w->device.state_dir), 0755),
			 0);
	ask_refused(w, "settings/set", "storage_error",
		    "{'values':{'agent.keep_days':9}}");
}

static void code_reply_to_denied(struct world *w)
{
	size_t mark = client_mark(w->client);

	tell(w, "agent/ping", "{'reply_to':'" BASE "/cmd/light/toggle'}");
	wait_message(w, mark, BASE "/reply/_", "reply_to_denied");
}

static void code_not_supported(struct world *w)
{
	create(w, "s", "scan_task",
	       "{'project':'p','settings':{'points':1,'image_format':'dng'}}");
	assert_error(w, "s", "not_supported");
}

static void code_internal(struct world *w)
{
	create(w, "r", "result_task", "{'raw':'no JSON'}");
	assert_error(w, "r", "internal");
}

/* ---- all of them ---- */

static void the_contract_names_exactly_the_tested_codes(struct world *w);

#define CODE(code) TEST(code_##code)

static const struct test tests[] = {
	CODE(accepted),
	CODE(ok),
	CODE(bad_json),
	CODE(bad_request),
	CODE(unknown_verb),
	CODE(unknown_type),
	CODE(invalid_args),
	CODE(schema_mismatch),
	CODE(payload_too_large),
	CODE(retained_command),
	CODE(stale),
	CODE(id_conflict),
	CODE(not_found),
	CODE(invalid_state),
	CODE(rev_conflict),
	CODE(queue_full),
	CODE(draining),
	CODE(estopped),
	CODE(not_broadcast),
	CODE(device_busy),
	TEST_WITH(code_hal_unavailable, unplugged),
	TEST_WITH(code_hardware_fault, broken),
	CODE(timeout),
	TEST_WITH(code_cancelled, slow_rig),
	TEST_WITH(code_interrupted, slow_rig),
	CODE(crash_loop),
	CODE(dependency_failed),
	CODE(task_failed),
	TEST_WITH(code_storage_full, later),
	CODE(storage_error),
	CODE(reply_to_denied),
	CODE(not_supported),
	CODE(internal),
	TEST(the_contract_names_exactly_the_tested_codes),
};
#define TESTS (sizeof(tests) / sizeof(tests[0]))

static bool is_tested(const char *code, size_t length)
{
	for (size_t i = 0; i + 1 < TESTS; i++) {
		const char *tested = tests[i].name + strlen("code_");

		if (strlen(tested) == length && strncmp(tested, code, length) == 0)
			return true;
	}
	return false;
}

/* Reads the list in backquotes in "**Codes** (…): `accepted ok …`." */
static void the_contract_names_exactly_the_tested_codes(struct world *w)
{
	const char *text =
		wait_file(w, OPENSCAN_SOURCE_DIR "/mqtt/README.md", "**Codes**");
	const char *code = strchr(strstr(text, "**Codes**"), '`') + 1;
	const char *end = strchr(code, '`');
	size_t count = 0;

	for (code += strspn(code, " \n"); code < end; code += strspn(code, " \n")) {
		size_t length = strcspn(code, " \n`");

		if (!is_tested(code, length))
			fail_msg("no test reaches %.*s", (int)length, code);
		count++;
		code += length;
	}
	assert_int_equal(count, TESTS - 1);
}

int main(int argc, char **argv)
{
	return world_run("codes", tests, TESTS, argc, argv);
}
