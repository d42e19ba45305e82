/* The defaults that depend on the host: device id, state folder, number of threads. */
#ifndef SETTINGS_HOST_H
#define SETTINGS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "agent/base/err.h"

#define HOST_DEVICE_ID 17 /* "rig-", 12 hexadecimal digits and a NUL */

/* Where Linux has the numbers of its host. */
#define HOST_MACHINE_ID_FILE "/etc/machine-id"
#define HOST_SERIAL_FILE "/proc/device-tree/serial-number"

/* Makes the device id: the first digits of the SHA-256 of both numbers, so that neither
 * can be read from a topic.  Without a serial number the machine id alone is hashed.
 * Returns false if there is neither: then the host name was hashed, which may change. */
bool host_device_id(char id[HOST_DEVICE_ID], const char *id_file,
		    const char *serial_file);

/* The folder where the agent of this user keeps its state. */
int host_state_dir(char *path, size_t size, uid_t user,
		   const char *(*env)(const char *name), struct err *err);

/* How many blocking tasks may run at a time: the number of cores plus four. */
int host_blocking_threads(void);

#endif
