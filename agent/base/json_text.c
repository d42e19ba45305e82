#include "agent/base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

/* cJSON's own printer rounds whole numbers above 2^50 and writes keys as they come; two
 * bodies that differ must never have one text, so the text is written here. */
struct writer {
	FILE *out;
	bool sorted; /* keys, and -0 as 0: the canonical spelling */
	bool failed; /* out of memory beside the stream */
};

void json_number_text(double number, char text[JSON_NUMBER_TEXT])
{
	/* The largest double below which every whole number has its own: 2^53. */
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
		fputs("null", w->out); /* JSON has no word for it */
		return;
	}
	if (w->sorted && number == 0.0)
		number = 0.0; /* drops the sign of -0 */
	json_number_text(number, text);
	fputs(text, w->out);
}

static void write_string(struct writer *w, const char *text)
{
	static const char plain[] = "\"\\\b\f\n\r\t", short_form[] = "\"\\bfnrt";

	fputc('"', w->out);
	for (; *text; text++) {
		const char *found = strchr(plain, *text);

		if (found)
			fprintf(w->out, "\\%c", short_form[found - plain]);
		else if ((unsigned char)*text < 0x20)
			fprintf(w->out, "\\u%04x", (unsigned)*text);
		else
			fputc(*text, w->out);
	}
	fputc('"', w->out);
}

static void write_value(struct writer *w, const cJSON *value);

static void write_member(struct writer *w, const cJSON *member, bool first)
{
	if (!first)
		fputc(',', w->out);
	write_string(w, member->string);
	fputc(':', w->out);
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

	fputc('{', w->out);
	if (w->sorted) {
		write_sorted(w, object);
	} else {
		cJSON_ArrayForEach(member, object)
			write_member(w, member, member == object->child);
	}
	fputc('}', w->out);
}

static void write_array(struct writer *w, const cJSON *array)
{
	const cJSON *item;

	fputc('[', w->out);
	cJSON_ArrayForEach(item, array)
	{
		if (item != array->child)
			fputc(',', w->out);
		write_value(w, item);
	}
	fputc(']', w->out);
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
		fputs(cJSON_IsTrue(value) ? "true" : "false", w->out);
	else if (cJSON_IsRaw(value))
		fputs(value->valuestring, w->out); /* somebody's finished JSON text */
	else
		fputs("null", w->out);
}

static char *text_of(const cJSON *value, bool sorted)
{
	char *text = NULL;
	size_t size;
	struct writer w = {.out = open_memstream(&text, &size), .sorted = sorted};

	if (!w.out)
		return NULL;
	write_value(&w, value);
	if (ferror(w.out))
		w.failed = true;
	if (fclose(w.out) != 0 || w.failed) {
		free(text);
		return NULL;
	}
	return text;
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

	/* A digest that was not made would be taken for somebody else's. */
	if (!SHA256(bytes, length, digest))
		abort();
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}
