/* Checks the members of a device config: settings against a schema, and names. */
#include "hal/device_config.h"

#include <errno.h>
#include <string.h>

#include "agent/base/schema.h"

int device_config_check(const char *schema_text, cJSON *object, const char *at,
			struct err *err)
{
	struct schema_problem problem;
	struct schema *schema;
	char sentence[512];
	int ret = schema_compile(&schema, schema_text, err);

	if (ret < 0)
		return ret;
	if (schema_check(schema, object, "", &problem, 1) > 0) {
		schema_sentence(&problem, sentence, sizeof(sentence));
		ret = err_code(err, -EINVAL, "invalid_args", "%s", sentence);
		if (at)
			err_prefix(err, "%s", at);
	} else {
		schema_fill(schema, object);
	}
	schema_free(schema);
	return ret;
}

cJSON *device_config_copy(const cJSON *object)
{
	cJSON *copy = cJSON_IsObject(object) ? cJSON_Duplicate(object, true)
					     : cJSON_CreateObject();
	cJSON *member = copy->child;

	while (member) {
		cJSON *next = member->next;

		if (cJSON_IsNull(member))
			cJSON_Delete(cJSON_DetachItemViaPointer(copy, member));
		member = next;
	}
	return copy;
}

int device_config_check_name(enum device_kind kind, const char *name, struct err *err)
{
	size_t length = strlen(name);
	bool fits = length > 0 && length < DEVICE_NAME && !strpbrk(name, "/+#");

	for (const char *c = name; fits && *c; c++)
		fits = (unsigned char)*c >= ' ' && *c != 0x7f;
	if (fits)
		return 0;
	return err_code(err, -EINVAL, "invalid_args",
			"the %s '%.64s' needs a name of 1 to 64 bytes without / + #",
			device_kind_name(kind), name);
}
