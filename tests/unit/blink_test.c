/* Tests the example blink_task on a fake host. */
#include "tests/unit/fake_host.h"

#include <stdatomic.h>
#include <unistd.h>

#include "tasks/project/folder.h"

extern const struct task_type task_blink;

#define STOPPED 7
#define THREE_QUICK "{\"times\":3,\"interval\":0.001}"

struct task_run {
	struct fake_host fake;
	char path[64]; /* of the rig's files */
	int changes;   /* of the light, as the rig reported them */
	int cut_at;    /* the change that a pause or a cancel follows; 0: none */
	int stop;      /* what it is: STOPPED, or 0 for a pause */
	int pauses;
	int estop_at; /* the gate at which the emergency stop comes; 0: none */
	struct rig_light at_pause;
};

static void on_changed(void *context, enum device_kind kind, const char *name)
{
	struct task_run *run = context;

	(void)name;
	if (kind == DEVICE_LIGHT && ++run->changes == run->cut_at)
		cancel_request(&run->fake.cancel);
}

static struct rig_light light_of(const struct task_run *run)
{
	struct rig_light light;

	assert_int_equal(rig_light_get(run->fake.services.rig, "ring", &light, NULL), 0);
	return light;
}

/* A pause ends as soon as it has begun. */
static int gate(struct task_run *run)
{
	if (++run->fake.gates == run->estop_at)
		rig_estop(run->fake.services.rig);
	if (!cancel_requested(&run->fake.cancel))
		return 0;
	if (run->stop)
		return run->stop;
	run->pauses++;
	run->at_pause = light_of(run);
	cancel_reset(&run->fake.cancel);
	return 0;
}

static int make_run(void **state)
{
	static const char config[] = "{\"backend\":\"simulated\",\"name\":\"test\","
				     "\"lights\":{\"ring\":{\"pwm_support\":true}}}";
	struct task_run *run = calloc(1, sizeof(*run));
	const struct rig_options options = {.state_dir = run->path,
					    .sim_speed = 1000,
					    .changed = on_changed,
					    .context = run};
	cJSON *json = cJSON_Parse(config);

	snprintf(run->path, sizeof(run->path), "%s/openscan-blink-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(run->path));
	fake_host_open(run);
	run->fake.functions.gate = gate;
	assert_int_equal(rig_open(&run->fake.services.rig, json, &options, NULL), 0);
	cJSON_Delete(json);
	*state = run;
	return 0;
}

static int remove_run(void **state)
{
	struct task_run *run = *state;
	char *slash = strrchr(run->path, '/');
	struct folder *parent;

	rig_close(run->fake.services.rig);
	fake_host_close(run);
	*slash = '\0';
	assert_int_equal(folder_open(&parent, run->path, NULL), 0);
	assert_int_equal(folder_remove(parent, slash + 1, NULL), 0);
	folder_close(parent);
	free(run);
	return 0;
}

/* The light before a run: on or off, with a brightness that a blink does not choose. */
static void set_light(struct task_run *run, bool on)
{
	assert_int_equal(rig_light_set(run->fake.services.rig, "ring", on, 40, NULL), 0);
	run->changes = 0;
}

static void assert_light(struct rig_light light, bool on)
{
	assert_int_equal(light.on, on);
	assert_int_equal(light.brightness, 40);
}

static void it_turns_the_light_on_and_off_as_often_as_asked(void **state)
{
	struct task_run *run = *state;

	set_light(run, false);

	assert_int_equal(fake_host_run(run, &task_blink, THREE_QUICK), 0);

	assert_int_equal(run->changes, 6);
	assert_int_equal(run->fake.current, 3);
	assert_int_equal(run->fake.total, 3);
	assert_light(light_of(run), false);
}

static void a_light_that_was_on_is_on_afterwards(void **state)
{
	struct task_run *run = *state;

	set_light(run, true);

	assert_int_equal(fake_host_run(run, &task_blink, THREE_QUICK), 0);

	assert_light(light_of(run), true);
}

static void a_cancel_leaves_the_light_as_it_was(void **state)
{
	struct task_run *run = *state;

	set_light(run, false);
	run->cut_at = 3; /* on for the second time */
	run->stop = STOPPED;

	assert_int_equal(fake_host_run(run, &task_blink, THREE_QUICK), STOPPED);

	assert_int_equal(run->fake.current, 1);
	assert_light(light_of(run), false);
}

static void during_a_pause_the_light_is_as_it_was(void **state)
{
	struct task_run *run = *state;

	set_light(run, true);
	run->cut_at = 1;

	assert_int_equal(fake_host_run(run, &task_blink, THREE_QUICK), 0);

	assert_int_equal(run->pauses, 1);
	assert_light(run->at_pause, true);
	assert_int_equal(run->fake.current, 3);
}

static void after_an_emergency_stop_the_light_stays_off(void **state)
{
	struct task_run *run = *state;

	set_light(run, true);
	run->estop_at = 2;

	assert_int_equal(fake_host_run(run, &task_blink, THREE_QUICK), -1);

	assert_string_equal(run->fake.code, "estopped");
	assert_int_equal(run->fake.current, 1);
	assert_false(light_of(run).on);
}

static void a_light_that_is_not_there_is_named(void **state)
{
	struct task_run *run = *state;

	set_light(run, false);

	assert_int_equal(fake_host_run(run, &task_blink, "{\"light\":\"lamp\"}"), -1);

	assert_string_equal(run->fake.code, "not_found");
	assert_non_null(strstr(run->fake.text, "there is no light 'lamp'"));
	assert_int_equal(run->changes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			it_turns_the_light_on_and_off_as_often_as_asked, make_run,
			remove_run),
		cmocka_unit_test_setup_teardown(a_light_that_was_on_is_on_afterwards,
						make_run, remove_run),
		cmocka_unit_test_setup_teardown(a_cancel_leaves_the_light_as_it_was,
						make_run, remove_run),
		cmocka_unit_test_setup_teardown(during_a_pause_the_light_is_as_it_was,
						make_run, remove_run),
		cmocka_unit_test_setup_teardown(
			after_an_emergency_stop_the_light_stays_off, make_run,
			remove_run),
		cmocka_unit_test_setup_teardown(a_light_that_is_not_there_is_named,
						make_run, remove_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
