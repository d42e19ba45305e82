/* Checks, parses and masks the value of a setting. */
#include "settings/value.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/base/utf8.h"

#define SHOWN 200 /* bytes of a text that an error quotes */

static const char *kind_name(const cJSON *value)
{
	if (cJSON_IsString(value))
		return "a string";
	if (cJSON_IsNumber(value))
		return "a number";
	if (cJSON_IsBool(value))
		return "true or false";
	if (cJSON_IsArray(value))
		return "a list";
	return cJSON_IsObject(value) ? "an object" : "null";
}

/* Turns "mqtt://user:secret@host" into "mqtt://user:***@host".  A text that is no address
 * is masked too: the error about it shows it. */
static void mask(const char *text, char *shown, size_t size)
{
	const char *scheme = strstr(text, "://");
	const char *user = scheme ? scheme + 3 : text;
	const char *at = strrchr(user, '@');
	size_t open = strcspn(user, ":");

	if (!at || user + open > at)
		snprintf(shown, size, "%s", text);
	else
		snprintf(shown, size, "%.*s:" VALUE_HIDDEN "%s",
			 (int)(user + open - text), text, at);
}

static int wrong_kind(struct err *err, const char *name, const char *wanted,
		      const cJSON *value)
{
	return err_code(err, -EINVAL, "invalid_args", "%s must be %s, not %s", name,
			wanted, kind_name(value));
}

static int check_text(const struct setting *setting, const char *name, const cJSON *value,
		      struct err *err)
{
	char shown[SHOWN];

	if (!cJSON_IsString(value))
		return wrong_kind(err, name, "a string", value);
	if (!setting->rule || setting->rule->fits(value->valuestring))
		return 0;

	if (setting->secret)
		mask(value->valuestring, shown, sizeof(shown));
	else
		snprintf(shown, sizeof(shown), "%s", value->valuestring);
	utf8_trim(shown);
	return err_code(err, -EINVAL, "invalid_args", "%s must be %s, not \"%s\"", name,
			setting->rule->wants, shown);
}

static int check_number(const struct setting *setting, const char *name,
			const cJSON *value, struct err *err)
{
	double number = value->valuedouble;

	if (!cJSON_IsNumber(value))
		return wrong_kind(err, name, "a number", value);
	/* Negated, so that NaN is refused too. */
	if (!(number >= setting->min && number <= setting->max))
		return err_code(err, -EINVAL, "invalid_args",
				"%s must be %.15g to %.15g, not %.15g", name,
				setting->min, setting->max, number);
	if (setting->type == SETTING_INT && floor(number) < number)
		return err_code(err, -EINVAL, "invalid_args",
				"%s must be a whole number, not %.15g", name, number);
	return 0;
}

static int check_list(const struct setting *setting, const char *name, const cJSON *value,
		      struct err *err)
{
	const cJSON *item;
	size_t i = 0;

	if (!cJSON_IsArray(value))
		return wrong_kind(err, name, "a list of strings", value);

	cJSON_ArrayForEach(item, value) {
		char place[TABLE_KEY + 24];
		int ret;

		snprintf(place, sizeof(place), "%s[%zu]", name, i++);
		ret = check_text(setting, place, item, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int value_check(const struct setting *setting, const char *name, const cJSON *value,
		struct err *err)
{
	switch (setting->type) {
	case SETTING_STRING:
		return check_text(setting, name, value, err);
	case SETTING_INT:
	case SETTING_NUMBER:
		return check_number(setting, name, value, err);
	case SETTING_LIST:
		return check_list(setting, name, value, err);
	case SETTING_BOOL:
		break;
	}
	return cJSON_IsBool(value) ? 0 : wrong_kind(err, name, "true or false", value);
}

/* Parses text as the setting's type, without checking it; NULL with a sentence. */
static cJSON *parse(const struct setting *setting, const char *name, const char *text,
		    struct err *err)
{
	bool string = setting->type == SETTING_STRING;
	char *end;
	double number = strtod(text, &end);
	cJSON *value;

	if (!string && (end == text || *end != '\0')) {
		err_code(err, -EINVAL, "invalid_args",
			 "%s must be a number, not \"%.*s\"", name, SHOWN, text);
		return NULL;
	}
	value = string ? cJSON_CreateString(text) : cJSON_CreateNumber(number);
	if (!value)
		err_set(err, -ENOMEM, "out of memory");
	return value;
}

int value_parse(cJSON **out, const struct setting *setting, const char *name,
		const char *text, struct err *err)
{
	cJSON *value = parse(setting, name, text, err);
	int ret;

	if (!value)
		return -EINVAL;
	ret = value_check(setting, name, value, err);
	if (ret < 0) {
		cJSON_Delete(value);
		return ret;
	}

	*out = value;
	return 0;
}

cJSON *value_shown(const struct setting *setting, const cJSON *value)
{
	size_t size;
	char *shown;
	cJSON *copy;

	if (!setting->secret)
		return cJSON_Duplicate(value, true);

	size = strlen(value->valuestring) + sizeof(":" VALUE_HIDDEN);
	shown = malloc(size);
	if (!shown)
		return NULL;
	mask(value->valuestring, shown, size);
	copy = cJSON_CreateString(shown);
	free(shown);
	return copy;
}
