/* The keys and values that Home Assistant's schemas allow. */
#include "tests/support/discovery_rules.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Lists of words, each with a space before and after it. */
#define AVAILABILITY                                                                     \
	" availability availability_mode availability_template availability_topic "      \
	"payload_available payload_not_available "
#define SHARED AVAILABILITY "state_topic command_topic qos encoding "

static const char root_keys[] = SHARED "device origin components ";
static const char device_keys[] =
	" identifiers connections manufacturer model model_id name hw_version "
	"serial_number "
	"sw_version via_device suggested_area configuration_url ";
static const char origin_keys[] = " name sw_version support_url ";
static const char common_keys[] =
	SHARED "platform unique_id name icon entity_category enabled_by_default "
	       "json_attributes_topic json_attributes_template ";

static const struct platform {
	const char *name, *required, *optional;
	bool reads_only;
} platforms[] = {
	{"sensor", "state_topic",
	 " value_template device_class unit_of_measurement state_class options "
	 "expire_after ",
	 true},
	{"binary_sensor", "state_topic",
	 " value_template device_class payload_on payload_off expire_after ", true},
	{"button", "command_topic", " payload_press command_template device_class ",
	 false},
	{"number", "command_topic",
	 " min max step mode value_template command_template unit_of_measurement ",
	 false},
	{"light", "command_topic",
	 " schema brightness brightness_scale state_template brightness_template "
	 "command_on_template command_off_template ",
	 false},
	{"image", "image_topic", " image_topic content_type ", true},
	{"event", "state_topic", " event_types value_template device_class ", true},
};
#define PLATFORMS (sizeof(platforms) / sizeof(platforms[0]))

struct report {
	char *text;
	size_t size;
};

static int say(const struct report *report, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int say(const struct report *report, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(report->text, report->size, fmt, args);
	va_end(args);
	return -1;
}

static bool has_word(const char *list, const char *word)
{
	char spaced[96];

	snprintf(spaced, sizeof(spaced), " %s ", word);
	return strstr(list, spaced) != NULL;
}

static const char *text_of(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* Whether all keys of the object are among these. */
static int closed(const struct report *report, const char *what, const cJSON *object,
		  const char *first, const char *second)
{
	const cJSON *member;

	if (!cJSON_IsObject(object))
		return say(report, "%s is missing", what);
	cJSON_ArrayForEach(member, object)
		if (!has_word(first, member->string) && !has_word(second, member->string))
			return say(report, "%s: %s is unknown", what, member->string);
	return 0;
}

static int check_topic(const struct report *report, const char *what, const cJSON *member)
{
	size_t length = strlen(member->string);
	const char *topic = cJSON_GetStringValue(member);

	if (length < 6 || strcmp(member->string + length - 6, "_topic") != 0)
		return 0;
	if (!topic || !*topic || strpbrk(topic, "+#~"))
		return say(report, "%s: %s is no topic", what, member->string);
	return 0;
}

static int check_sensor(const struct report *report, const char *id, const cJSON *entity)
{
	const char *class = text_of(entity, "device_class");
	const cJSON *options = cJSON_GetObjectItemCaseSensitive(entity, "options");
	const char *unit = text_of(entity, "unit_of_measurement");
	bool listed = class && strcmp(class, "enum") == 0;

	if (listed != (options != NULL) || (options && cJSON_GetArraySize(options) == 0))
		return say(report, "%s: options go with device_class enum", id);
	if (listed && (unit || text_of(entity, "state_class")))
		return say(report, "%s: an enum has no unit and no state_class", id);
	if (class && strcmp(class, "temperature") == 0 &&
	    (!unit || strcmp(unit, "°C") != 0))
		return say(report, "%s: a temperature is in °C", id);
	if (class && strcmp(class, "data_size") == 0 && (!unit || strcmp(unit, "B") != 0))
		return say(report, "%s: a size is in B", id);
	if (class && strcmp(class, "timestamp") == 0 && unit)
		return say(report, "%s: a timestamp has no unit", id);
	return 0;
}

static int check_number(const struct report *report, const char *id, const cJSON *entity)
{
	const cJSON *least = cJSON_GetObjectItemCaseSensitive(entity, "min");
	const cJSON *most = cJSON_GetObjectItemCaseSensitive(entity, "max");

	if (!cJSON_IsNumber(least) || !cJSON_IsNumber(most) ||
	    least->valuedouble >= most->valuedouble)
		return say(report, "%s: min must be below max", id);
	return 0;
}

/* Each schema has its own keys, and ignores those of others. */
static int check_light(const struct report *report, const char *id, const cJSON *entity)
{
	const char *schema = text_of(entity, "schema");
	bool templates = schema && strcmp(schema, "template") == 0;

	if (!templates && (!schema || strcmp(schema, "json") != 0))
		return say(report, "%s: its schema is unknown", id);
	if (templates && (!text_of(entity, "command_on_template") ||
			  !text_of(entity, "command_off_template")))
		return say(report, "%s: a template of its commands is missing", id);
	if (templates == cJSON_HasObjectItem(entity, "brightness_scale") ||
	    templates != cJSON_HasObjectItem(entity, "state_template"))
		return say(report, "%s: it has keys of another schema", id);
	return 0;
}

static const struct platform *platform_of(const cJSON *entity)
{
	const char *name = text_of(entity, "platform");

	for (size_t i = 0; name && i < PLATFORMS; i++)
		if (strcmp(platforms[i].name, name) == 0)
			return &platforms[i];
	return NULL;
}

static int check_entity(const struct report *report, const cJSON *entity)
{
	const struct platform *platform = platform_of(entity);
	const char *id = entity->string;
	const char *category = text_of(entity, "entity_category");
	const cJSON *member;

	if (!platform)
		return say(report, "%s: its platform is unknown", id);
	if (cJSON_GetArraySize(entity) == 1)
		return 0; /* it removes the device */
	if (!text_of(entity, "unique_id"))
		return say(report, "%s: unique_id is missing", id);
	if (!text_of(entity, platform->required))
		return say(report, "%s: %s is missing", id, platform->required);
	if (closed(report, id, entity, common_keys, platform->optional) < 0)
		return -1;
	cJSON_ArrayForEach(member, entity)
		if (check_topic(report, id, member) < 0)
			return -1;
	if (category && platform->reads_only && strcmp(category, "diagnostic") != 0)
		return say(report, "%s: what is only read is diagnostic", id);
	if (strcmp(platform->name, "sensor") == 0)
		return check_sensor(report, id, entity);
	if (strcmp(platform->name, "light") == 0)
		return check_light(report, id, entity);
	if (strcmp(platform->name, "number") == 0)
		return check_number(report, id, entity);
	if (strcmp(platform->name, "event") == 0 &&
	    cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(entity, "event_types")) ==
		    0)
		return say(report, "%s: event_types is missing", id);
	return 0;
}

static int check_unique(const struct report *report, const cJSON *entities)
{
	const cJSON *a, *b;

	cJSON_ArrayForEach(a, entities)
		for (b = a->next; b; b = b->next) {
			const char *mine = text_of(a, "unique_id");
			const char *other = text_of(b, "unique_id");

			if (strcmp(a->string, b->string) == 0 ||
			    (mine && other && strcmp(mine, other) == 0))
				return say(report, "%s is there twice", b->string);
		}
	return 0;
}

static int check_place(const struct report *report, const char *prefix, const char *topic)
{
	size_t length = strlen(prefix);
	const char *id = topic + length + strlen("/device/");
	size_t id_length;

	if (strncmp(topic, prefix, length) != 0 ||
	    strncmp(topic + length, "/device/", strlen("/device/")) != 0)
		return say(report, "the topic is not %s/device/…", prefix);
	id_length = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			       "0123456789_-");
	if (id_length == 0 || strcmp(id + id_length, "/config") != 0)
		return say(report, "the topic does not end in <id>/config");
	return 0;
}

int discovery_rules(const char *prefix, const char *topic, const cJSON *message,
		    /* Written through the pointer in the report. */
		    /* NOLINTNEXTLINE(readability-non-const-parameter) */
		    char *problem, size_t size)
{
	const struct report report = {problem, size};
	const cJSON *device = cJSON_GetObjectItemCaseSensitive(message, "device");
	const cJSON *origin = cJSON_GetObjectItemCaseSensitive(message, "origin");
	const cJSON *entities = cJSON_GetObjectItemCaseSensitive(message, "components");
	const cJSON *entity;

	if (check_place(&report, prefix, topic) < 0 ||
	    closed(&report, "the message", message, root_keys, "") < 0 ||
	    closed(&report, "device", device, device_keys, "") < 0 ||
	    closed(&report, "origin", origin, origin_keys, "") < 0)
		return -1;
	if (!cJSON_GetObjectItemCaseSensitive(device, "identifiers"))
		return say(&report, "device: identifiers is missing");
	if (!text_of(origin, "name"))
		return say(&report, "origin: name is missing");
	if (!cJSON_IsObject(entities))
		return say(&report, "components is missing");
	cJSON_ArrayForEach(entity, entities)
		if (check_entity(&report, entity) < 0)
			return -1;
	return check_unique(&report, entities);
}
