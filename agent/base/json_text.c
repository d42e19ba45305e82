/* Writes JSON as text, also in the canonical spelling that is hashed. */
#include "agent/base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

/* cJSON's printer rounds whole numbers above 2^50 and keeps the order of keys.  Values
 * that differ must never have the same text, so the text is written here. */
struct writer {
	char *text;
	size_t size, room;
	bool sorted; /* the canonical spelling: keys sorted, -0 written as 0 */
	bool failed; /* out of memory */
};

static void write_bytes(struct writer *w, const char *bytes, size_t n)
{
	if (w->failed)
		return;
	if (w->size + n >= w->room) {
		size_t room = 2 * (w->size + n) + 256;
		char *text = realloc(w->text, room);

		if (!text) {
			w->failed = true;
			return;
		}
		w->text = text;
		w->room = room;
	}
	memcpy(w->text + w->size, bytes, n);
	w->size += n;
}

static void write_text(struct writer *w, const char *text)
{
	write_bytes(w, text, strlen(text));
}

static void write_char(struct writer *w, char c)
{
	write_bytes(w, &c, 1);
}

void json_number_text(double number, char text[JSON_NUMBER_TEXT])
{
	/* Up to 2^53 every whole number is a double of its own. */
	if (fabs(number) <= 9007199254740992.0 && trunc(number) == number) {
		snprintf(text, JSON_NUMBER_TEXT, "%.0f", number);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, JSON_NUMBER_TEXT, "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			return;
	}
}

static void write_number(struct writer *w, double number)
{
	char text[JSON_NUMBER_TEXT];

	if (!isfinite(number)) {
		write_text(w, "null"); /* JSON has no infinity and no NaN */
		return;
	}
	if (w->sorted && number == 0.0)
		number = 0.0; /* drops the sign of -0 */
	json_number_text(number, text);
	write_text(w, text);
}

/* How much of text needs no escapes: no quote, backslash or control character. */
static size_t plain_length(const char *text)
{
	size_t n = 0;

	while ((unsigned char)text[n] >= 0x20 && text[n] != '"' && text[n] != '\\')
		n++;
	return n;
}

static void write_escape(struct writer *w, char c)
{
	static const char special[] = "\"\\\b\f\n\r\t", short_form[] = "\"\\bfnrt";
	const char *found = strchr(special, c);
	char text[8];

	if (found)
		snprintf(text, sizeof(text), "\\%c", short_form[found - special]);
	else
		snprintf(text, sizeof(text), "\\u%04x", (unsigned)(unsigned char)c);
	write_text(w, text);
}

static void write_string(struct writer *w, const char *text)
{
	write_char(w, '"');
	for (;;) {
		size_t plain = plain_length(text);

		write_bytes(w, text, plain);
		text += plain;
		if (!*text)
			break;
		write_escape(w, *text++);
	}
	write_char(w, '"');
}

static void write_value(struct writer *w, const cJSON *value);

static void write_member(struct writer *w, const cJSON *member, bool first)
{
	if (!first)
		write_char(w, ',');
	write_string(w, member->string);
	write_char(w, ':');
	write_value(w, member);
}

static void write_sorted(struct writer *w, const cJSON *object)
{
	size_t n;
	cJSON **members = json_members(object, &n);

	if (!members) {
		w->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		write_member(w, members[i], i == 0);
	free(members);
}

static void write_object(struct writer *w, const cJSON *object)
{
	const cJSON *member;

	write_char(w, '{');
	if (w->sorted) {
		write_sorted(w, object);
	} else {
		cJSON_ArrayForEach(member, object)
			write_member(w, member, member == object->child);
	}
	write_char(w, '}');
}

static void write_array(struct writer *w, const cJSON *array)
{
	const cJSON *item;

	write_char(w, '[');
	cJSON_ArrayForEach(item, array) {
		if (item != array->child)
			write_char(w, ',');
		write_value(w, item);
	}
	write_char(w, ']');
}

static void write_value(struct writer *w, const cJSON *value)
{
	if (cJSON_IsObject(value))
		write_object(w, value);
	else if (cJSON_IsArray(value))
		write_array(w, value);
	else if (cJSON_IsString(value))
		write_string(w, value->valuestring);
	else if (cJSON_IsNumber(value))
		write_number(w, value->valuedouble);
	else if (cJSON_IsBool(value))
		write_text(w, cJSON_IsTrue(value) ? "true" : "false");
	else if (cJSON_IsRaw(value))
		write_text(w, value->valuestring); /* JSON text already */
	else
		write_text(w, "null");
}

static char *text_of(const cJSON *value, bool sorted)
{
	struct writer w = {.sorted = sorted};

	write_value(&w, value);
	write_bytes(&w, "", 1); /* the NUL */
	if (w.failed) {
		free(w.text);
		return NULL;
	}
	return w.text;
}

char *json_text(const cJSON *value)
{
	return text_of(value, false);
}

char *json_canonical(const cJSON *value)
{
	return text_of(value, true);
}

void json_sha256(const void *bytes, size_t length, char hex[SHA256_HEX])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	/* A digest that could not be made must not be taken for another one. */
	if (!SHA256(bytes, length, digest))
		abort();
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}
