/* The defaults that only this machine knows. */
#ifndef SETTINGS_HOST_ID_H
#define SETTINGS_HOST_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "agent/base/err.h"

#define MACHINE_ID 17 /* "rig-", 12 hexadecimal digits and a NUL */

/* Where Linux tells who it runs on. */
#define MACHINE_ID_FILE "/etc/machine-id"
#define MACHINE_SERIAL_FILE "/proc/device-tree/serial-number"

/* The device id: the first digits of the sha256 of what the two files say, so that
 * neither number can be read from a topic.  A board without the second is hashed by the
 * first alone. False when neither says anything: then the host's name was hashed, which
 * may change. */
bool machine_device_id(char id[MACHINE_ID], const char *id_file, const char *serial_file);

/* Where the agent of this user keeps its state. */
int machine_state_dir(char *path, size_t size, uid_t user,
		      const char *(*env)(const char *name), struct err *err);

/* How many tasks may block at once: the processor's cores and four. */
int machine_blocking_threads(void);

#endif
