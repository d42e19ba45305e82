/* What is published for Home Assistant, checked by its rules, and what its entities
 * do. */
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/discovery_rules.h"

#define TOPIC "homeassistant/device/" DEVICE_ID "/config"

static const struct world_options off = {.settings =
						 "{'homeassistant':{'discovery':false}}"};
static const struct world_options other_prefix = {
	.settings = "{'homeassistant':{'prefix':'house'}}"};
static const struct world_options two_lights = {
	.rig = "{'name':'Rig','backend':'simulated','scan_radius_mm':130,"
	       "'lights':{'left':{'pwm_support':true},'right':{'pwm_support':true}}}"};
/* A scan must still be running when the next button is pressed. */
static const struct world_options slow_rig = {.sim_speed = "5"};
static const struct world_options later = {.agent_later = true};

/* As received by a Home Assistant that has just started. */
static cJSON *retained_document(struct world *w, const char *topic)
{
	int64_t until = deadline_now() + deadline_patient(SOON_MS);
	char *text;

	while (!(text = retained(w, topic)))
		if (deadline_now() > until)
			fail_msg("nothing is published on %s", topic);
	return cJSON_Duplicate(parsed(w, text), true);
}

static void assert_accepted(const char *prefix, const char *topic, const cJSON *message)
{
	char problem[256];

	if (discovery_rules(prefix, topic, message, problem, sizeof(problem)) < 0)
		fail_msg("Home Assistant would refuse it: %s", problem);
}

static const cJSON *entity(const cJSON *message, const char *key)
{
	const cJSON *found =
		cJSON_GetObjectItem(cJSON_GetObjectItem(message, "components"), key);

	if (!found)
		fail_msg("there is no entity %s", key);
	return found;
}

static void home_assistant_would_accept_the_discovery(struct world *w)
{
	cJSON *message = retained_document(w, TOPIC);

	assert_accepted("homeassistant", TOPIC, message);
	assert_string_equal(text_at(message, "availability_topic"), BASE "/status");
	assert_string_equal(text_at(entity(message, "status"), "state_topic"),
			    BASE "/current");
	assert_string_equal(text_at(entity(message, "light_ringlight"), "state_topic"),
			    BASE "/light/ringlight");
	assert_string_equal(text_at(entity(message, "camera_sim"), "image_topic"),
			    BASE "/camera/sim/image");
	entity(message, "motor_rotor");
	entity(message, "endstop_rotor_endstop");
	cJSON_Delete(message);
}

/* Otherwise the checks would prove nothing. */
static void the_checks_of_this_test_find_errors(struct world *w)
{
	static const struct {
		const char *entity, *key, *value;
	} spoilt[] = {
		{NULL, "~", "\"x\""},
		{NULL, "device", "{}"},
		{NULL, "origin", "null"},
		{"status", "platform", "\"lamp\""},
		{"status", "unique_id", "null"},
		{"status", "unit_of_measurement", "\"%\""},
		{"status", "entity_category", "\"config\""},
		{"temperature", "unit_of_measurement", "\"K\""},
		{"points", "min", "1000"},
		{"pause", "command_topic", "\"a/#\""},
		{"ended", "event_types", "[]"},
		{"progress", "unique_id", "\"" DEVICE_ID "_status\""},
	};
	cJSON *message = retained_document(w, TOPIC);
	char problem[256];

	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		cJSON *copy = cJSON_Duplicate(message, true);
		cJSON *place = spoilt[i].entity
				       ? cJSON_GetObjectItem(
						 cJSON_GetObjectItem(copy, "components"),
						 spoilt[i].entity)
				       : copy;

		cJSON_DeleteItemFromObject(place, spoilt[i].key);
		cJSON_AddItemToObject(place, spoilt[i].key, cJSON_Parse(spoilt[i].value));
		if (discovery_rules("homeassistant", TOPIC, copy, problem,
				    sizeof(problem)) == 0)
			fail_msg("a wrong %s passed", spoilt[i].key);
		cJSON_Delete(copy);
	}
	cJSON_Delete(message);
}

/* The message that Home Assistant publishes when the button is pressed. */
static void press(struct world *w, const cJSON *message, const char *key)
{
	const cJSON *button = entity(message, key);
	const char *payload =
		cJSON_GetStringValue(cJSON_GetObjectItem(button, "payload_press"));
	struct publish how = {.qos = 1};

	payload = payload ? payload : "PRESS";
	client_publish(w->client, text_at(button, "command_topic"), payload,
		       strlen(payload), &how);
}

static const char *current_scan(struct world *w, const char *status)
{
	const cJSON *current = wait_value(w, BASE "/current", "status", status);

	return text_at(current, "id");
}

static void the_buttons_run_a_scan(struct world *w)
{
	cJSON *message = retained_document(w, TOPIC);
	const char *set = "{\"values\":{\"scan_preset.points\":40}}";
	struct publish how = {.qos = 1};

	client_publish(w->client, text_at(entity(message, "points"), "command_topic"),
		       set, strlen(set), &how);
	wait_value(w, BASE "/settings", "values.scan_preset.points", "40");

	press(w, message, "scan");
	const char *id = current_scan(w, "running");
	press(w, message, "pause");
	wait_status(w, id, "paused");
	press(w, message, "resume");
	wait_status(w, id, "running");
	press(w, message, "cancel");

	const cJSON *task = wait_status(w, id, "cancelled");
	assert_true(number_at(task, "progress.total") == 40);
	press(w, message, "home");
	wait_message(w, 0, BASE "/reply/_", "motor/home");
	press(w, message, "stop_all");
	wait_value(w, BASE "/queue", "paused", "estop");
	press(w, message, "lift_stop");
	wait_value(w, BASE "/queue", "paused", "false");
	cJSON_Delete(message);
}

static void the_light_can_be_switched(struct world *w)
{
	cJSON *message = retained_document(w, TOPIC);
	const cJSON *light = entity(message, "light_ringlight");
	const char *on = "{\"state\":\"ON\",\"brightness\":40}";
	struct publish how = {.qos = 1};

	client_publish(w->client, text_at(light, "command_topic"), on, strlen(on), &how);

	wait_value(w, text_at(light, "state_topic"), "brightness", "40");
	assert_true(number_at(light, "brightness_scale") == 100);
	cJSON_Delete(message);
}

/* The result of a template for a plain switch: without the text inside its {% if %}. */
static void command_light(struct world *w, const cJSON *light, const char *key)
{
	const char *template = text_at(light, key);
	const char *condition = strstr(template, "{% if");
	const char *rest = condition ? strstr(condition, "{% endif %}") : NULL;
	struct publish how = {.qos = 1};
	char payload[256];

	snprintf(payload, sizeof(payload), "%.*s%s",
		 condition ? (int)(condition - template) : (int)strlen(template),
		 template, rest ? rest + strlen("{% endif %}") : "");
	client_publish(w->client, text_at(light, "command_topic"), payload,
		       strlen(payload), &how);
}

static void each_of_two_lights_has_its_own_entity(struct world *w)
{
	cJSON *message = retained_document(w, TOPIC);
	const cJSON *left = entity(message, "light_left");
	const cJSON *right = entity(message, "light_right");

	assert_accepted("homeassistant", TOPIC, message);
	command_light(w, left, "command_on_template");
	wait_value(w, text_at(left, "state_topic"), "state", "ON");
	/* The other light was off, and is switched on here. */
	const cJSON *other = ask_ok(w, "light/toggle", "{'name':'right'}");
	assert_string_equal(text_at(other, "data.state"), "ON");

	command_light(w, left, "command_off_template");
	wait_value(w, text_at(left, "state_topic"), "state", "OFF");
	other = ask_ok(w, "light/toggle", "{'name':'right'}");
	assert_string_equal(text_at(other, "data.state"), "OFF");
	command_light(w, right, "command_on_template");
	wait_value(w, text_at(right, "state_topic"), "state", "ON");
	cJSON_Delete(message);
}

/* Returns when everything that a start publishes has been published. */
static size_t wait_until_quiet(struct world *w)
{
	size_t before;

	do {
		before = client_mark(w->client);
		deadline_let_pass(1000);
	} while (client_mark(w->client) != before);
	return before;
}

/* Not retained and without a reply address, as Home Assistant sends it. */
static void a_birth_message_publishes_everything_again_once(struct world *w)
{
	wait_message(w, 0, BASE "/motor/rotor", NULL);
	size_t mark = wait_until_quiet(w);

	for (int i = 0; i < 5; i++)
		client_publish(w->client, "homeassistant/status", "online", 6, NULL);

	wait_message(w, mark, BASE "/motor/rotor", NULL);
	wait_message(w, mark, BASE "/status", "online");
	deadline_let_pass(6000);
	assert_int_equal(client_count(w->client, mark, BASE "/motor/rotor"), 1);
}

static void switching_it_off_removes_the_discovery(struct world *w)
{
	struct publish how = {.qos = 1, .retain = true};

	client_publish(w->client, TOPIC, "{}", 2, &how);
	world_start_agent(w);
	cJSON_Delete(retained_document(w, TOPIC));
	world_stop_agent(w);
	assert_int_equal(device_settings(&w->device, off.settings), 0);

	world_start_agent(w);

	wait_message(w, 0, BASE "/info", NULL);
	int64_t until = deadline_now() + deadline_patient(SOON_MS);
	while (retained(w, TOPIC))
		assert_true(deadline_now() < until);
}

static void the_discovery_prefix_is_a_setting(struct world *w)
{
	cJSON *message = retained_document(w, "house/device/" DEVICE_ID "/config");

	assert_accepted("house", "house/device/" DEVICE_ID "/config", message);
	cJSON_Delete(message);
}

static const struct test tests[] = {
	TEST(home_assistant_would_accept_the_discovery),
	TEST(the_checks_of_this_test_find_errors),
	TEST_WITH(the_buttons_run_a_scan, slow_rig),
	TEST(the_light_can_be_switched),
	TEST_WITH(each_of_two_lights_has_its_own_entity, two_lights),
	TEST(a_birth_message_publishes_everything_again_once),
	TEST_WITH(switching_it_off_removes_the_discovery, later),
	TEST_WITH(the_discovery_prefix_is_a_setting, other_prefix),
};

int main(int argc, char **argv)
{
	return world_run("homeassistant", tests, sizeof(tests) / sizeof(tests[0]), argc,
			 argv);
}
