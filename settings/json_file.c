#include "settings/json_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "settings/table.h"

/* All of file, to be freed; NULL with a sentence. */
static char *read_text(FILE *file, const char *path, size_t *length, struct err *err)
{
	char *text = malloc(DOCUMENT_MAX + 1);

	if (!text) {
		err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}

	*length = fread(text, 1, DOCUMENT_MAX + 1, file);
	if (ferror(file))
		err_set(err, -EIO, "%s: %s", path, strerror(errno));
	else if (*length > DOCUMENT_MAX)
		err_set(err, -EFBIG, "%s: has more than %d bytes", path, DOCUMENT_MAX);
	else
		return text;

	free(text);
	return NULL;
}

static int parse(cJSON **out, const char *text, size_t length, const char *path,
		 struct err *err)
{
	cJSON *value = json_parse(text, length, err);

	if (!value) {
		err_prefix(err, "%s", path);
		return -EBADMSG;
	}
	if (!cJSON_IsObject(value)) {
		cJSON_Delete(value);
		return err_code(err, -EBADMSG, "bad_json", "%s: must be an object { … }",
				path);
	}

	*out = value;
	return 0;
}

int document_read(cJSON **out, const char *path, struct err *err)
{
	FILE *file = fopen(path, "re");
	struct err unread; /* its number is needed here even when nobody wants the
			      sentence */
	size_t length = 0;
	char *text;
	int ret;

	if (!err)
		err = &unread;
	if (!file) {
		int number = errno;

		return err_set(err, -number, "%s: %s", path, strerror(number));
	}
	text = read_text(file, path, &length, err);
	fclose(file);
	if (!text)
		return err->number;

	ret = parse(out, text, length, path, err);
	free(text);
	return ret;
}

/* ---- where something stands; of a text that has been parsed, so its form is known ----
 */

static const char *skip_space(const char *at)
{
	return at + strspn(at, " \t\r\n");
}

/* Behind the string that begins at at. */
static const char *skip_string(const char *at)
{
	for (at++; *at && *at != '"'; at++)
		if (*at == '\\' && at[1])
			at++;
	return *at ? at + 1 : at;
}

/* Behind the value that begins at at. */
static const char *skip_value(const char *at)
{
	int depth = 0;

	while (*at && (depth > 0 || !strchr(",}]", *at))) {
		if (*at == '"') {
			at = skip_string(at);
			continue;
		}
		depth += *at == '{' || *at == '[';
		depth -= *at == '}' || *at == ']';
		at++;
	}
	return at;
}

/* The name of the member with the dotted key, in the object that begins at at. */
static const char *find_member(const char *at, const char *key)
{
	for (at = skip_space(at + 1); *at == '"'; at = skip_space(at + (*at == ','))) {
		const char *name = at, *found;
		const char *value = skip_space(skip_string(at));
		size_t length = (size_t)(skip_string(at) - at) - 2;

		value = skip_space(value + 1);
		if (!strncmp(name + 1, key, length) && !key[length])
			return name;
		found = !strncmp(name + 1, key, length) && key[length] == '.' &&
					*value == '{'
				? find_member(value, key + length + 1)
				: NULL;
		if (found)
			return found;
		at = skip_space(skip_value(value));
	}
	return NULL;
}

int document_line(const char *path, const char *key)
{
	FILE *file = fopen(path, "re");
	size_t length = 0;
	char *text = file ? read_text(file, path, &length, NULL) : NULL;
	const char *object, *member = NULL;
	int line = 1;

	if (file)
		fclose(file);
	if (!text)
		return 0;
	text[length] = '\0';
	object = skip_space(text);
	if (*object == '{')
		member = find_member(object, key);
	for (const char *at = text; member && at < member; at++)
		line += *at == '\n';
	free(text);
	return member ? line : 0;
}

cJSON *document_section(cJSON *document, const char *key, const char **name)
{
	const char *dot = strchr(key, '.');
	char section[TABLE_KEY];
	cJSON *object;

	*name = dot ? dot + 1 : key;
	if (!dot)
		return document;

	snprintf(section, sizeof(section), "%.*s", (int)(dot - key), key);
	object = cJSON_GetObjectItemCaseSensitive(document, section);
	if (cJSON_IsObject(object))
		return object;
	cJSON_DeleteItemFromObjectCaseSensitive(document, section);
	return cJSON_AddObjectToObject(document, section);
}
