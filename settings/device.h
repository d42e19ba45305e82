/* Finds and reads the config of a device. */
#ifndef SETTINGS_DEVICE_H
#define SETTINGS_DEVICE_H

#include <cjson/cJSON.h>

#include "agent/base/err.h"

/* The object of the file that name means; the caller deletes it.  A plain name is looked
 * for as <name>.json in each of folders (ended by NULL), the first wins; what has a slash
 * or ends in .json is a path.  -ENOENT names what there is.  What the config says is
 * judged by the rig: keys that nobody knows stay, for these files belong to users. */
int device_read(cJSON **out, const char *name, const char *const *folders,
		struct err *err);

#endif
