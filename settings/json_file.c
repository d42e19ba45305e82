/* Reads and changes JSON files, and finds the line of a member. */
#include "settings/json_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/file.h"
#include "agent/base/json.h"

/* The whole file; the caller frees it.  NULL with a sentence. */
static char *read_text(FILE *file, const char *path, size_t *length, struct err *err)
{
	char *text = malloc(JSON_FILE_MAX + 1);

	if (!text) {
		err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}

	*length = fread(text, 1, JSON_FILE_MAX + 1, file);
	if (ferror(file))
		err_set(err, -EIO, "%s: %s", path, strerror(errno));
	else if (*length > JSON_FILE_MAX)
		err_set(err, -EFBIG, "%s: has more than %d bytes", path, JSON_FILE_MAX);
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

int json_file_read(cJSON **out, const char *path, struct err *err)
{
	FILE *file = fopen(path, "re");
	struct err unread; /* the number is needed even if the caller passes NULL */
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

/* ---- The line of a member, by a minimal scanner for text that is valid JSON ---- */

static const char *skip_space(const char *at)
{
	return at + strspn(at, " \t\r\n");
}

/* Skips the string that begins at at. */
static const char *skip_string(const char *at)
{
	for (at++; *at && *at != '"'; at++)
		if (*at == '\\' && at[1])
			at++;
	return *at ? at + 1 : at;
}

/* Skips the value that begins at at. */
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

/* Finds the name of the member with the dotted key in the object that begins at at. */
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

int json_file_line(const char *path, const char *key)
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

cJSON *json_file_section(cJSON *document, const char *key, const char **name)
{
	const char *dot = strchr(key, '.');
	char *section;
	cJSON *object;

	*name = dot ? dot + 1 : key;
	if (!dot)
		return document;

	section = strndup(key, (size_t)(dot - key));
	if (!section)
		return NULL;
	object = cJSON_GetObjectItemCaseSensitive(document, section);
	if (!cJSON_IsObject(object)) {
		cJSON_DeleteItemFromObjectCaseSensitive(document, section);
		object = cJSON_AddObjectToObject(document, section);
	}
	free(section);
	return object;
}

/* ---- Changing a file ---- */

static int apply(cJSON *document, const cJSON *changes, struct err *err)
{
	const cJSON *change;

	cJSON_ArrayForEach(change, changes) {
		const char *name;
		cJSON *section = json_file_section(document, change->string, &name);
		cJSON *value;

		/* Somebody may have written the dotted key itself. */
		cJSON_DeleteItemFromObjectCaseSensitive(document, change->string);
		cJSON_DeleteItemFromObjectCaseSensitive(section, name);
		if (cJSON_IsNull(change))
			continue;
		value = cJSON_Duplicate(change, true);
		if (!value || !cJSON_AddItemToObject(section, name, value)) {
			cJSON_Delete(value);
			return err_set(err, -ENOMEM, "out of memory");
		}
	}
	return 0;
}

static int write_file(const char *path, const cJSON *document, struct err *err)
{
	char *text = cJSON_Print(document);
	int ret;

	if (!text)
		return err_set(err, -ENOMEM, "out of memory");
	ret = file_replace(path, text, strlen(text), 0600);
	free(text);
	if (ret < 0)
		return err_code(err, ret,
				ret == -ENOSPC ? "storage_full" : "storage_error",
				"%s: %s", path, strerror(-ret));
	return 0;
}

int json_file_change(const char *path, const cJSON *changes, struct err *err)
{
	cJSON *document = NULL;
	int ret = json_file_read(&document, path, err);

	if (ret == -ENOENT) {
		document = cJSON_CreateObject();
		ret = document ? 0 : err_set(err, -ENOMEM, "out of memory");
	}
	if (ret == 0)
		ret = apply(document, changes, err);
	if (ret == 0)
		ret = write_file(path, document, err);
	cJSON_Delete(document);
	return ret;
}
