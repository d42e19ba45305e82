/* Reads JSON strictly; the rest of json.h that is not about writing it. */
#include "agent/base/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/utf8.h"

#define NUMBER_MAX 63 /* characters of a number that cJSON reads */

/* cJSON accepts more than the grammar of RFC 8259 and recurses as deep as the text nests.
 * So this cursor checks the text first, and cJSON only sees valid text. */
struct cursor {
	const char *text;
	size_t length, at;
	int depth;
	struct err *err;
};

static const char no_memory[] = "out of memory";

/* Fails with what "at line 3, column 7", counted in bytes from 1. */
static int complain(struct cursor *c, const char *what)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < c->at; i++) {
		column++;
		if (c->text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return err_code(c->err, -EINVAL, "bad_json", "%s at line %zu, column %zu", what,
			line, column);
}

/* The byte at the cursor; 0, which utf8_span() has ruled out, at the end. */
static char peek(const struct cursor *c)
{
	return c->at < c->length ? c->text[c->at] : '\0';
}

static bool take(struct cursor *c, char wanted)
{
	if (peek(c) != wanted)
		return false;
	c->at++;
	return true;
}

static void skip_space(struct cursor *c)
{
	while (peek(c) == ' ' || peek(c) == '\t' || peek(c) == '\n' || peek(c) == '\r')
		c->at++;
}

static bool skip_digits(struct cursor *c)
{
	size_t start = c->at;

	while (peek(c) >= '0' && peek(c) <= '9')
		c->at++;
	return c->at > start;
}

static int read_number(struct cursor *c)
{
	size_t start = c->at;
	char copy[NUMBER_MAX + 1];
	bool good;

	take(c, '-');
	good = take(c, '0') || skip_digits(c);
	if (good && take(c, '.'))
		good = skip_digits(c);
	if (good && (take(c, 'e') || take(c, 'E'))) {
		if (!take(c, '+'))
			take(c, '-');
		good = skip_digits(c);
	}
	if (!good)
		return complain(c, "a digit is missing");
	if (c->at - start > NUMBER_MAX)
		return complain(c, "a number is longer than 63 characters");

	memcpy(copy, c->text + start, c->at - start);
	copy[c->at - start] = '\0';
	if (!isfinite(strtod(copy, NULL)))
		return complain(c, "a number is too large");
	return 0;
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

/* The number of the four digits after \u, or -1. */
static int read_unit(struct cursor *c)
{
	int unit = 0;

	for (int i = 0; i < 4; i++) {
		int digit = hex_value(peek(c));

		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
		c->at++;
	}
	return unit;
}

static int read_unicode(struct cursor *c)
{
	int unit = read_unit(c);

	if (unit < 0)
		return complain(c, "\\u needs four hexadecimal digits");
	if (unit == 0)
		return complain(c, "the character U+0000 is not allowed");
	if (unit < 0xd800 || unit > 0xdfff)
		return 0;

	if (unit <= 0xdbff && take(c, '\\') && take(c, 'u')) {
		unit = read_unit(c);
		if (unit >= 0xdc00 && unit <= 0xdfff)
			return 0;
	}
	return complain(c, "half a surrogate pair is no character");
}

static int read_escape(struct cursor *c)
{
	char kind = peek(c);

	if (!kind || !strchr("\"\\/bfnrtu", kind))
		return complain(c, "an unknown escape in a string");
	c->at++;
	return kind == 'u' ? read_unicode(c) : 0;
}

static int read_string(struct cursor *c)
{
	int ret;

	if (!take(c, '"'))
		return complain(c, "a string is missing");
	while (!take(c, '"')) {
		if (c->at == c->length)
			return complain(c, "a string does not end");
		if ((unsigned char)peek(c) < 0x20)
			return complain(c, "a control character in a string");
		if (!take(c, '\\')) {
			c->at++;
			continue;
		}
		ret = read_escape(c);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int read_word(struct cursor *c)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t size = strlen(words[i]);

		if (c->length - c->at >= size &&
		    !memcmp(c->text + c->at, words[i], size)) {
			c->at += size;
			return 0;
		}
	}
	return complain(c, "a value is missing");
}

static int read_value(struct cursor *c);

static int read_member(struct cursor *c)
{
	int ret;

	skip_space(c);
	if (peek(c) != '"')
		return complain(c, "a key in quotes is missing");
	ret = read_string(c);
	if (ret < 0)
		return ret;
	skip_space(c);
	if (!take(c, ':'))
		return complain(c, "a ':' is missing");
	return read_value(c);
}

/* Reads an object or an array from after its opening bracket. */
static int read_container(struct cursor *c, char close)
{
	int ret;

	if (++c->depth > JSON_MAX_DEPTH)
		return complain(c, "nested deeper than 16");
	skip_space(c);
	if (!take(c, close)) {
		do {
			ret = close == '}' ? read_member(c) : read_value(c);
			if (ret < 0)
				return ret;
			skip_space(c);
		} while (take(c, ','));
		if (!take(c, close))
			return complain(c, close == '}' ? "a ',' or '}' is missing"
							: "a ',' or ']' is missing");
	}
	c->depth--;
	return 0;
}

static int read_value(struct cursor *c)
{
	skip_space(c);
	if (take(c, '{'))
		return read_container(c, '}');
	if (take(c, '['))
		return read_container(c, ']');
	if (peek(c) == '"')
		return read_string(c);
	if (peek(c) == '-' || (peek(c) >= '0' && peek(c) <= '9'))
		return read_number(c);
	return read_word(c);
}

static int read_text(struct cursor *c)
{
	size_t good = utf8_span(c->text, c->length);
	int ret;

	if (good < c->length) {
		c->at = good;
		return complain(c, c->text[good] ? "a byte that is not UTF-8"
						 : "the character U+0000 is not allowed");
	}
	ret = read_value(c);
	if (ret < 0)
		return ret;
	skip_space(c);
	return c->at == c->length ? 0
				  : complain(c, "there is something behind the value");
}

static int by_key(const void *left, const void *right)
{
	return strcmp((*(cJSON *const *)left)->string, (*(cJSON *const *)right)->string);
}

cJSON **json_members(const cJSON *object, size_t *count)
{
	size_t n = 0;
	cJSON **members;
	cJSON *child;

	cJSON_ArrayForEach(child, object)
		n++;
	members = calloc(n + 1, sizeof(cJSON *)); /* one more: calloc(0) may be NULL */
	if (!members)
		return NULL;

	n = 0;
	cJSON_ArrayForEach(child, object)
		members[n++] = child;
	qsort(members, n, sizeof(cJSON *), by_key);
	*count = n;
	return members;
}

static int repeated(const char *key, struct err *err)
{
	char shown[65];

	snprintf(shown, sizeof(shown), "%s", key);
	utf8_trim(shown);
	return err_code(err, -EINVAL, "bad_json", "the key '%s' is there twice", shown);
}

static int refuse_repeated_here(const cJSON *object, struct err *err)
{
	size_t n;
	cJSON **members = json_members(object, &n);
	int ret = 0;

	if (!members)
		return err_set(err, -ENOMEM, no_memory);
	for (size_t i = 1; i < n && !ret; i++)
		if (!strcmp(members[i - 1]->string, members[i]->string))
			ret = repeated(members[i]->string, err);
	free(members);
	return ret;
}

/* Compares keys as cJSON read them: "a" and "\u0061" are the same key. */
static int refuse_repeated(const cJSON *value, struct err *err)
{
	const cJSON *child;
	int ret = 0;

	if (cJSON_IsObject(value))
		ret = refuse_repeated_here(value, err);
	cJSON_ArrayForEach(child, value) {
		if (ret < 0)
			break;
		ret = refuse_repeated(child, err);
	}
	return ret;
}

cJSON *json_parse(const char *text, size_t length, struct err *err)
{
	struct cursor cursor = {.text = text, .length = length, .err = err};
	cJSON *value;

	if (read_text(&cursor) < 0)
		return NULL;
	value = cJSON_ParseWithLength(text, length);
	if (!value) {
		err_set(err, -ENOMEM, no_memory);
		return NULL;
	}
	if (refuse_repeated(value, err) < 0) {
		cJSON_Delete(value);
		return NULL;
	}
	return value;
}

const char *json_string(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

double json_number(const cJSON *object, const char *key, double otherwise)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

bool json_bool(const cJSON *object, const char *key, bool otherwise)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsBool(item) ? cJSON_IsTrue(item) : otherwise;
}

void json_put_string(cJSON *object, const char *key, const char *text)
{
	cJSON *value = text ? cJSON_CreateString(text) : cJSON_CreateNull();

	bool put;

	if (cJSON_GetObjectItemCaseSensitive(object, key))
		put = cJSON_ReplaceItemInObjectCaseSensitive(object, key, value);
	else
		put = cJSON_AddItemToObject(object, key, value);
	if (!put)
		cJSON_Delete(value);
}
