/* Tests rig calls with JSON arguments, on a simulated rig with two motors and two
 * lights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/json.h"
#include "hal/rig_json.h"

static const char config_text[] =
	"{\"backend\":\"simulated\",\"name\":\"Simulated rig\",\"motors\":{"
	"\"rotor\":{\"acceleration\":20000,\"max_speed\":5000,\"direction\":1,"
	"\"steps_per_rotation\":3200,\"min_angle\":0,\"max_angle\":140},"
	"\"turntable\":{\"acceleration\":5000,\"max_speed\":5000,\"direction\":1,"
	"\"steps_per_rotation\":3200}},"
	"\"lights\":{\"ringlight\":{\"pwm_support\":true},\"lamp\":{}},"
	"\"triggers\":{\"external\":{}}}";

struct fixture {
	char dir[32];
	struct rig *rig;
	struct err err;
};

static int open_rig(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	cJSON *config = json_parse(config_text, strlen(config_text), NULL);
	struct rig_options options = {.state_dir = f->dir, .sim_speed = 1000};
	int ret;

	*state = f;
	strcpy(f->dir, "/tmp/rig-json-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	ret = rig_open(&f->rig, config, &options, &f->err);
	cJSON_Delete(config);
	return ret;
}

static int close_rig(void **state)
{
	struct fixture *f = *state;
	char command[64];

	rig_close(f->rig);
	snprintf(command, sizeof(command), "rm -r %s", f->dir);
	if (system(command) != 0)
		return -1;
	free(f);
	return 0;
}

static int read_target(struct fixture *f, const char *text, struct rig_target *target)
{
	cJSON *object = json_parse(text, strlen(text), NULL);
	int ret = rig_json_target(f->rig, object, target, &f->err);

	cJSON_Delete(object);
	return ret;
}

static int set_light(struct fixture *f, const char *text)
{
	cJSON *object = json_parse(text, strlen(text), NULL);
	int ret = rig_json_light(f->rig, object, &f->err);

	cJSON_Delete(object);
	return ret;
}

static void assert_light(struct fixture *f, const char *name, bool on, int brightness)
{
	struct rig_light light;

	assert_int_equal(rig_light_get(f->rig, name, &light, &f->err), 0);
	assert_int_equal(light.on, on);
	assert_int_equal(light.brightness, brightness);
}

static void a_target_has_a_motor_and_degrees(void **state)
{
	struct fixture *f = *state;
	struct rig_target target;

	assert_int_equal(read_target(f, "{\"name\":\"rotor\",\"degrees\":12.5}", &target),
			 0);
	assert_string_equal(target.motor, "rotor");
	assert_float_equal(target.degrees, 12.5, 0);
	assert_false(target.relative);

	assert_int_equal(read_target(f,
				     "{\"name\":\"turntable\",\"degrees\":-5,"
				     "\"relative\":true}",
				     &target),
			 0);
	assert_true(target.relative);
}

static void a_target_without_a_motor_or_degrees_is_refused(void **state)
{
	struct fixture *f = *state;
	struct rig_target target;

	assert_int_equal(read_target(f, "{\"name\":\"rotor\"}", &target), -EINVAL);
	assert_string_equal(f->err.text, "move needs degrees");
	assert_true(read_target(f, "{\"degrees\":1}", &target) < 0);
	assert_int_equal(read_target(f, "{\"name\":\"wheel\",\"degrees\":1}", &target),
			 -ENOENT);
}

static void a_light_takes_a_state_a_brightness_or_both(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(set_light(f, "{\"name\":\"ringlight\",\"brightness\":40}"), 0);
	assert_light(f, "ringlight", true, 40);
	assert_int_equal(set_light(f, "{\"name\":\"ringlight\",\"state\":\"OFF\"}"), 0);
	assert_light(f, "ringlight", false, 40);
	assert_int_equal(set_light(f, "{\"state\":\"ON\"}"), 0);
	assert_light(f, "ringlight", true, 40);
	assert_light(f, "lamp", true, 100);
	assert_int_equal(set_light(f, "{\"name\":\"ringlight\",\"brightness\":0}"), 0);
	assert_light(f, "ringlight", false, 40);
}

static void an_impossible_light_setting_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(set_light(f, "{\"state\":\"on\"}"), -EINVAL);
	assert_string_equal(f->err.text, "state must be ON or OFF");
	assert_int_equal(set_light(f, "{\"brightness\":101}"), -EINVAL);
	assert_int_equal(set_light(f, "{\"brightness\":-2}"), -EINVAL);
	assert_string_equal(f->err.text, "brightness must be 0 to 100");
	assert_light(f, "ringlight", false, 100);
}

static void the_state_is_that_of_one_device_or_of_all(void **state)
{
	struct fixture *f = *state;
	cJSON *one = rig_json_state(f->rig, DEVICE_MOTOR, "turntable");
	cJSON *all = rig_json_state(f->rig, DEVICE_MOTOR, NULL);
	cJSON *only = rig_json_state(f->rig, DEVICE_TRIGGER, NULL);

	assert_string_equal(json_string(one, "name"), "turntable");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(all, "motors")), 2);
	assert_string_equal(json_string(only, "name"), "external");
	cJSON_Delete(one);
	cJSON_Delete(all);
	cJSON_Delete(only);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_target_has_a_motor_and_degrees),
		TEST(a_target_without_a_motor_or_degrees_is_refused),
		TEST(a_light_takes_a_state_a_brightness_or_both),
		TEST(an_impossible_light_setting_is_refused),
		TEST(the_state_is_that_of_one_device_or_of_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
