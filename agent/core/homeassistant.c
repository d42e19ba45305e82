/* Makes the discovery message for Home Assistant: what each entity looks like. */
#include "agent/core/homeassistant.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"

#define BIRTH_LEAST_MS 1000 /* merges birth messages in a row */
#define BIRTH_SPREAD_MS 4000
#define KEY 96
#define EMPTY "{}"

/* An entity.  rest: further members of its JSON object. */
struct entity {
	const char *key, *platform, *name;
	const char *topic;   /* below R/<d>/; NULL: none */
	const char *value;   /* template that extracts it, or NULL */
	const char *command; /* below R/<d>/cmd/, or NULL */
	const char *rest;
};

#define DIAGNOSTIC "\"entity_category\":\"diagnostic\""
#define EVENTS "'task.completed','task.cancelled','task.error','task.interrupted'"

static const struct entity entities[] = {
	{"status", "sensor", "Status", "current", "{{ value_json.status }}", NULL,
	 "{\"device_class\":\"enum\",\"icon\":\"mdi:cube-scan\",\"options\":[\"idle\","
	 "\"pending\","
	 "\"running\",\"paused\",\"completed\",\"cancelled\",\"error\",\"interrupted\"]"
	 "}"},
	{"progress", "sensor", "Progress", "current", "{{ value_json.percent }}", NULL,
	 "{\"unit_of_measurement\":\"%\",\"state_class\":\"measurement\"}"},
	{"message", "sensor", "Message", "current", "{{ value_json.message[:255] }}",
	 NULL, EMPTY},
	{"finish", "sensor", "Finished at", "current", "{{ value_json.finish_at }}", NULL,
	 "{\"device_class\":\"timestamp\"}"},
	{"photos", "sensor", "Photos", "current", "{{ value_json.photos }}", NULL,
	 "{\"icon\":\"mdi:camera-burst\"}"},
	{"queue", "sensor", "Queue", "queue", "{{ value_json.depth }}", NULL,
	 "{\"state_class\":\"measurement\",\"icon\":\"mdi:tray-full\"}"},
	{"estop", "binary_sensor", "Emergency stop", "queue",
	 "{{ 'ON' if value_json.paused == 'estop' else 'OFF' }}", NULL,
	 "{\"device_class\":\"safety\"}"},
	{"storage", "binary_sensor", "Storage", "health",
	 "{{ 'OFF' if value_json.storage == 'ok' else 'ON' }}", NULL,
	 "{\"device_class\":\"problem\"," DIAGNOSTIC "}"},
	{"disk_free", "sensor", "Disk free", "health", "{{ value_json.disk_free }}", NULL,
	 "{\"device_class\":\"data_size\",\"unit_of_measurement\":\"B\"," DIAGNOSTIC "}"},
	{"temperature", "sensor", "Temperature", "health",
	 "{{ value_json.temperature_c }}", NULL,
	 "{\"device_class\":\"temperature\",\"unit_of_measurement\":\"°C\","
	 "\"state_class\":\"measurement\"," DIAGNOSTIC "}"},
	{"ended", "event", "Task ended", "event",
	 "{% if value_json.event in [" EVENTS "] %}"
	 "{{ {'event_type': value_json.event, 'task': value_json.id} | tojson }}{% endif "
	 "%}",
	 NULL,
	 "{\"event_types\":[\"task.completed\",\"task.cancelled\",\"task.error\","
	 "\"task.interrupted\"]}"},
	{"points", "number", "Points", "settings",
	 "{{ value_json['values'].scan_preset.points }}", "settings/set",
	 "{\"min\":1,\"max\":999,\"mode\":\"box\","
	 "\"command_template\":\"{\\\"values\\\":{\\\"scan_preset.points\\\":{{ value | "
	 "int }}}}\"}"},
	{"scan", "button", "Scan", NULL, NULL, "task/create",
	 "{\"payload_press\":\"scan_task\",\"icon\":\"mdi:play\"}"},
	{"pause", "button", "Pause", NULL, NULL, "task/pause",
	 "{\"icon\":\"mdi:pause\"}"},
	{"resume", "button", "Resume", NULL, NULL, "task/resume",
	 "{\"icon\":\"mdi:play-pause\"}"},
	{"cancel", "button", "Cancel", NULL, NULL, "task/cancel",
	 "{\"icon\":\"mdi:stop\"}"},
	{"home", "button", "Home", NULL, NULL, "motor/home", "{\"icon\":\"mdi:home\"}"},
	{"stop_all", "button", "Stop everything", NULL, NULL, "estop",
	 "{\"icon\":\"mdi:alert-octagon\"}"},
	{"lift_stop", "button", "Lift emergency stop", NULL, NULL, "queue/resume",
	 "{\"entity_category\":\"config\"}"},
};
#define ENTITIES (sizeof(entities) / sizeof(entities[0]))

/* The entity of a device, by kind; its topic is the device's.  A trigger has none. */
static const struct entity by_kind[DEVICE_KINDS] = {
	[DEVICE_MOTOR] =
		{.platform = "sensor",
		 .value = "{{ value_json.angle }}",
		 .rest = "{\"unit_of_measurement\":\"°\",\"icon\":\"mdi:rotate-right\"}"},
	[DEVICE_LIGHT] = {.platform = "light",
			  .command = "light/set",
			  .rest = "{\"schema\":\"json\",\"brightness\":true,"
				  "\"brightness_scale\":100}"},
	[DEVICE_CAMERA] = {.platform = "image",
			   .rest = "{\"content_type\":\"image/jpeg\"}"},
	[DEVICE_ENDSTOP] = {.platform = "binary_sensor",
			    .value = "{{ 'ON' if value_json.pressed else 'OFF' }}",
			    .rest = "{" DIAGNOSTIC "}"},
};

/* ---- entities ---- */

static void put_topic(const struct core *core, cJSON *entity, const char *key,
		      const char *rest)
{
	char topic[TOPIC_MAX];

	cJSON_AddStringToObject(
		entity, key,
		topic_make(topic, core->options.root, core->options.device, "%s", rest));
}

static cJSON *make_entity(const struct core *core, const struct entity *of,
			  const char *key, const char *name, const char *topic)
{
	cJSON *entity = cJSON_Parse(of->rest);
	char unique[KEY + NAME_MAX_LENGTH + 2], command[KEY];

	snprintf(unique, sizeof(unique), "%s_%s", core->options.device, key);
	cJSON_AddStringToObject(entity, "platform", of->platform);
	cJSON_AddStringToObject(entity, "unique_id", unique);
	cJSON_AddStringToObject(entity, "name", name);
	if (topic)
		put_topic(core, entity,
			  strcmp(of->platform, "image") ? "state_topic" : "image_topic",
			  topic);
	if (of->value)
		cJSON_AddStringToObject(entity, "value_template", of->value);
	if (of->command) {
		snprintf(command, sizeof(command), "cmd/%s", of->command);
		put_topic(core, entity, "command_topic", command);
		cJSON_AddNumberToObject(entity, "qos", 1);
	}
	return entity;
}

/* Makes a key: "light/ring light" becomes light_ring_light. */
static void make_key(const char *device, char key[KEY])
{
	size_t i = 0;

	for (; i < KEY - 1 && device[i]; i++)
		key[i] = isalnum((unsigned char)device[i]) ? device[i] : '_';
	key[i] = '\0';
}

static const struct entity *entity_of(const char *device)
{
	for (enum device_kind kind = 0; kind < DEVICE_KINDS; kind++) {
		const char *name = device_kind_name(kind);

		if (!strncmp(device, name, strlen(name)) && device[strlen(name)] == '/')
			return by_kind[kind].platform ? &by_kind[kind] : NULL;
	}
	return NULL;
}

/* A light among several.  Its command must name the light, and the JSON schema of Home
 * Assistant has no member for that; so templates write the payload. */
static const struct entity one_light = {
	.platform = "light",
	.command = "light/set",
	.rest = "{\"schema\":\"template\",\"state_template\":\"{{ value_json.state | "
		"lower "
		"}}\",\"brightness_template\":\"{{ (value_json.brightness * 2.55) | "
		"round | "
		"int }}\"}"};

/* Home Assistant counts brightness from 1 to 255; 1 must not become 0, which is off. */
#define BRIGHTNESS_MEMBER                                                                \
	"{% if brightness is defined %},\"brightness\":"                                 \
	"{{ [(brightness / 2.55) | round | int, 1] | max }}{% endif %}"

static void add_template(cJSON *entity, const char *key, const char *light,
			 const char *state)
{
	cJSON *text = cJSON_CreateString(light);
	char *quoted = json_text(text);
	char template[TOPIC_MAX];

	snprintf(template, sizeof(template), "{\"name\":%s,\"state\":%s}", quoted, state);
	cJSON_AddStringToObject(entity, key, template);
	free(quoted);
	cJSON_Delete(text);
}

static bool is_one_light(const struct core *core, const struct entity *of)
{
	uint64_t lights = core_device(core, DEVICE_LIGHT, NULL);

	return of == &by_kind[DEVICE_LIGHT] && (lights & (lights - 1));
}

static cJSON *make_one_light(const struct core *core, const char *key, const char *name,
			     const char *topic)
{
	cJSON *entity = make_entity(core, &one_light, key, name, topic);

	add_template(entity, "command_on_template", name, "\"ON\"" BRIGHTNESS_MEMBER);
	add_template(entity, "command_off_template", name, "\"OFF\"");
	return entity;
}

static void add_device(const struct core *core, cJSON *components, const char *device)
{
	const struct entity *of = entity_of(device);
	const char *name = strchr(device, '/') + 1;
	char key[KEY], topic[TOPIC_MAX + sizeof("/image")];

	make_key(device, key);
	if (!of || cJSON_HasObjectItem(components, key))
		return;
	snprintf(topic, sizeof(topic), "%s%s", device,
		 strcmp(of->platform, "image") ? "" : "/image");
	cJSON_AddItemToObject(components, key,
			      is_one_light(core, of)
				      ? make_one_light(core, key, name, topic)
				      : make_entity(core, of, key, name, topic));
}

/* An entity with nothing but its platform is removed by Home Assistant. */
static void add_removed(cJSON *components, const char *device)
{
	const struct entity *of = entity_of(device);
	char key[KEY];

	make_key(device, key);
	if (of && !cJSON_HasObjectItem(components, key))
		cJSON_AddStringToObject(cJSON_AddObjectToObject(components, key),
					"platform", of->platform);
}

static cJSON *components(const struct core *core)
{
	cJSON *all = cJSON_CreateObject();
	const cJSON *removed;

	for (size_t i = 0; i < ENTITIES; i++)
		cJSON_AddItemToObject(all, entities[i].key,
				      make_entity(core, &entities[i], entities[i].key,
						  entities[i].name, entities[i].topic));
	for (size_t i = 0; i < core->device_count; i++) {
		char device[TOPIC_MAX];

		snprintf(device, sizeof(device), "%s/%s",
			 device_kind_name(core->devices[i].kind), core->devices[i].name);
		add_device(core, all, device);
	}
	cJSON_ArrayForEach(removed, core->removed_devices)
		add_removed(all, removed->valuestring);
	return all;
}

/* ---- the message ---- */

static cJSON *make_message(const struct core *core)
{
	cJSON *all = cJSON_CreateObject();
	cJSON *device = cJSON_AddObjectToObject(all, "device");
	cJSON *origin = cJSON_AddObjectToObject(all, "origin");

	cJSON_AddItemToArray(cJSON_AddArrayToObject(device, "identifiers"),
			     cJSON_CreateString(core->options.device));
	cJSON_AddStringToObject(device, "name", core->options.device);
	cJSON_AddStringToObject(device, "manufacturer", "OpenScan");
	cJSON_AddStringToObject(device, "model", core->backend);
	cJSON_AddStringToObject(device, "sw_version", OPENSCAN_VERSION);
	cJSON_AddStringToObject(origin, "name", "openscan-agent");
	cJSON_AddStringToObject(origin, "sw_version", OPENSCAN_VERSION);
	put_topic(core, all, "availability_topic", "status");
	cJSON_AddStringToObject(
		all, "availability_template",
		"{{ 'online' if value in ['online', 'draining'] else 'offline' }}");
	cJSON_AddItemToObject(all, "components", components(core));
	return all;
}

void homeassistant_publish(struct core *core)
{
	char topic[TOPIC_MAX];
	struct telemetry_topic target = {.topic = topic, .qos = 1, .retain = true};
	cJSON *all = core->options.discovery ? make_message(core) : NULL;
	char *text = all ? json_text(all) : NULL;

	snprintf(topic, sizeof(topic), "%s/device/%s/config", core->options.birth_prefix,
		 core->options.device);
	telemetry_set(core->telemetry, &target, text ? text : "",
		      text ? strlen(text) : 0);
	free(text);
	cJSON_Delete(all);
}

void homeassistant_remove_device(struct core *core, const char *device)
{
	cJSON_AddItemToArray(core->removed_devices, cJSON_CreateString(device));
}

/* ---- births ---- */

void homeassistant_birth(struct core *core)
{
	if (core->birth_at < 0)
		core->birth_at = core->now.ms + BIRTH_LEAST_MS +
				 (int64_t)(core_random(core) % BIRTH_SPREAD_MS);
}

void homeassistant_tick(struct core *core)
{
	if (core->birth_at < 0 || core->now.ms < core->birth_at)
		return;
	core->birth_at = -1;
	homeassistant_publish(core);
	telemetry_resend(core->telemetry);
}

int64_t homeassistant_wake(const struct core *core)
{
	return core->birth_at;
}
