/* Works out the defaults that depend on the host. */
#include "settings/host.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/json.h"

#define SYSTEM_STATE_DIR "/var/lib/openscan-agent"
#define ID_TEXT 128 /* bytes of each number that are hashed */

/* The first line of a file, "" without one. */
static void read_line(const char *path, char line[ID_TEXT])
{
	FILE *file = fopen(path, "re");

	line[0] = '\0';
	if (!file)
		return;
	if (!fgets(line, ID_TEXT, file))
		line[0] = '\0';
	fclose(file);
	line[strcspn(line, "\r\n")] = '\0';
}

bool host_device_id(char id[HOST_DEVICE_ID], const char *id_file, const char *serial_file)
{
	char machine[ID_TEXT];
	char serial[ID_TEXT];
	char text[2 * ID_TEXT + HOST_NAME_MAX + 1];
	char host[HOST_NAME_MAX + 1] = "";
	char hex[SHA256_HEX];
	bool known;

	read_line(id_file, machine);
	/* machine-id(5): in an image that has never been booted. */
	if (!strcmp(machine, "uninitialized"))
		machine[0] = '\0';
	read_line(serial_file, serial);
	known = machine[0] || serial[0];
	if (!known)
		gethostname(host, sizeof(host) - 1);

	snprintf(text, sizeof(text), "%s\n%s%s", machine, serial, host);
	json_sha256(text, strlen(text), hex);
	snprintf(id, HOST_DEVICE_ID, "rig-%.12s", hex);
	return known;
}

static bool fill(char *path, size_t size, const char *before, const char *after)
{
	int length = snprintf(path, size, "%s%s", before, after);

	return length > 0 && (size_t)length < size;
}

int host_state_dir(char *path, size_t size, uid_t user,
		   const char *(*env)(const char *name), struct err *err)
{
	const char *state = env("XDG_STATE_HOME");
	const char *home = env("HOME");
	bool fits;

	if (user == 0)
		fits = fill(path, size, SYSTEM_STATE_DIR, "");
	/* A relative path must be ignored (XDG Base Directory Specification 0.8). */
	else if (state && state[0] == '/')
		fits = fill(path, size, state, "/openscan-agent");
	else if (home && home[0] == '/')
		fits = fill(path, size, home, "/.local/state/openscan-agent");
	else
		return err_set(
			err, -ENOENT,
			"there is no home to keep the state in: set OPENSCAN_STATE_DIR");

	return fits ? 0 : err_set(err, -ENAMETOOLONG, "the path of the home is too long");
}

int host_blocking_threads(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (cores < 1)
		cores = 1;
	return (int)(cores > 252 ? 252 : cores) + 4;
}
