/* The agent's own file: what people changed from afar. */
#ifndef SETTINGS_OVERRIDES_H
#define SETTINGS_OVERRIDES_H

#include <cjson/cJSON.h>

#include "agent/base/err.h"

/* Writes changes (dotted keys; null takes a key out) into the file path, made when
 * missing. After a crash the file is the old one or the new one, whole.  Readable by its
 * owner only, as an address may hold a password. */
int own_change(const char *path, const cJSON *changes, struct err *err);

#endif
