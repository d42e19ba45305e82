#include "settings/overrides.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/file.h"
#include "settings/json_file.h"

static int apply(cJSON *document, const cJSON *changes, struct err *err)
{
	const cJSON *change;

	cJSON_ArrayForEach(change, changes) {
		const char *name;
		cJSON *section = document_section(document, change->string, &name);
		cJSON *value;

		/* A person may have written the dotted key itself. */
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

static int store(const char *path, const cJSON *document, struct err *err)
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

int own_change(const char *path, const cJSON *changes, struct err *err)
{
	cJSON *document = NULL;
	int ret = document_read(&document, path, err);

	if (ret == -ENOENT) {
		document = cJSON_CreateObject();
		ret = document ? 0 : err_set(err, -ENOMEM, "out of memory");
	}
	if (ret == 0)
		ret = apply(document, changes, err);
	if (ret == 0)
		ret = store(path, document, err);
	cJSON_Delete(document);
	return ret;
}
