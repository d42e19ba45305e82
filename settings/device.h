/* Finds and reads the config of a rig's devices. */
#ifndef SETTINGS_DEVICE_H
#define SETTINGS_DEVICE_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"

/* Is this device config a path (it has a slash or ends in .json) or a plain name? */
bool device_is_path(const char *name);

/* Reads the config that name stands for; the caller deletes it.  A plain name is looked
 * up as <name>.json in each of folders (ended by NULL), and the first wins.  -ENOENT
 * lists the names that exist.  The rig checks the content: unknown keys are kept, because
 * these files belong to users. */
int device_read(cJSON **out, const char *name, const char *const *folders,
		struct err *err);

#endif
