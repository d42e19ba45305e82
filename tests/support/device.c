/* Writes the files of an agent, and starts and stops it. */
#include "tests/support/device.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/support/deadline.h"

#define LOG_TAIL 12000
#define MORE_MAX (sizeof(((struct device *)0)->more) / sizeof(char *))
#define SLOW_DISK_MAX 3
#define STOP_MS 25000 /* agent.stop_timeout_s and some time to spare */

static const char small_rig[] =
	"{'name':'Test rig','model':'custom','shield':'custom','backend':'simulated',"
	"'cameras':{'sim':{'type':'simulated','settings':"
	"{'shutter':5,'orientation_flag':1,'crop_width':0,'crop_height':0,"
	"'photo_resolution':[164,123]}}},"
	"'motors':{"
	"'rotor':{'direction_pin':5,'enable_pin':23,'step_pin':6,'acceleration':20000,"
	"'max_speed':5000,'direction':1,'steps_per_rotation':42667,'min_angle':0,"
	"'max_angle':140,'home_angle':90},"
	"'turntable':{'direction_pin':9,'enable_pin':22,'step_pin':11,'acceleration':"
	"5000,"
	"'max_speed':5000,'direction':1,'steps_per_rotation':3200,'min_angle':0,"
	"'max_angle':360,'home_angle':90}},"
	"'lights':{'ringlight':{'pins':[17,27],'pwm_support':true}},"
	"'triggers':{'external':{'pin':10,'pulse_width_ms':100}},"
	"'endstops':{'rotor-endstop':{'settings':{'pin':26,'angular_position':140,"
	"'motor_name':'rotor'}}},"
	"'scan_radius_mm':130}";

static int write_json(const char *path, const char *text)
{
	size_t size = strlen(text);
	char *json = strdup(text);
	int ret;

	if (!json)
		return -ENOMEM;
	for (char *c = json; *c; c++)
		if (*c == '\'')
			*c = '"';
	ret = file_write(path, json, size);
	free(json);
	return ret;
}

static void path_of(struct device *device, char out[PATH_MAX], const char *name,
		    const char *end)
{
	char both[NAME_MAX];

	snprintf(both, sizeof(both), "%s%s", name, end);
	folder_path(device->folder, out, both);
}

int device_init(struct device *device, const struct folder *folder, const char *name,
		int port, const char *rig, const char *settings)
{
	const char *program = getenv("OPENSCAN_TEST_AGENT");
	int ret;

	memset(device, 0, sizeof(*device));
	device->folder = folder;
	device->port = port;
	device->id = name;
	device->sim_speed = "1000";
	device->log_level = "debug";
	device->program = program ? program : OPENSCAN_TEST_AGENT;
	path_of(device, device->state_dir, name, "-state");
	path_of(device, device->project_dir, name, "-projects");
	path_of(device, device->community_dir, name, "-state/community");
	path_of(device, device->log, name, ".log");
	path_of(device, device->rig_file, name, "-rig.json");
	path_of(device, device->settings_file, name, "-settings.json");
	if (mkdir(device->state_dir, 0755) < 0)
		return -errno;
	ret = write_json(device->rig_file, rig ? rig : small_rig);
	if (ret == 0)
		ret = write_json(device->settings_file, settings ? settings : "{}");
	return ret;
}

int device_settings(struct device *device, const char *settings)
{
	return write_json(device->settings_file, settings);
}

int device_community(struct device *device, const char *name, const void *bytes,
		     size_t size)
{
	bool program = size > 2 && memcmp(bytes, "#!", 2) == 0;
	char path[PATH_MAX + NAME_MAX + 2];
	int ret;

	if (mkdir(device->community_dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), "%s/%s", device->community_dir, name);
	ret = file_write(path, bytes, size);
	if (ret == 0 && chmod(path, program ? 0755 : 0644) < 0)
		ret = -errno;
	return ret;
}

void device_slow_disk(struct device *device, int ms)
{
	snprintf(device->slow_disk, sizeof(device->slow_disk), "SLOW_FSYNC_MS=%d", ms);
}

/* Adds the variables that make the disk slow to env; returns how many. */
static size_t slow_disk(const struct device *device, const char **env)
{
	size_t n = 0;

	if (!device->slow_disk[0])
		return 0;
	env[n++] = device->slow_disk;
	env[n++] = "LD_PRELOAD=" OPENSCAN_TEST_SLOW_FSYNC;
#ifdef __SANITIZE_ADDRESS__
	env[n++] = "ASAN_OPTIONS=verify_asan_link_order=0";
#endif
	return n;
}

int device_start(struct device *device)
{
	const char *argv[] = {device->program, "--config", device->settings_file, NULL};
	char url[512], id[128], speed[64], state[PATH_MAX + 32], projects[PATH_MAX + 32];
	char rig[PATH_MAX + 32], community[PATH_MAX + 64];
	char level[64];
	const char *env[8 + SLOW_DISK_MAX + MORE_MAX + 1] = {
		url, id, speed, state, projects, rig, community, level};
	size_t n = 8;

	if (device->url)
		snprintf(url, sizeof(url), "OPENSCAN_MQTT_URL=%s", device->url);
	else
		snprintf(url, sizeof(url), "OPENSCAN_MQTT_URL=mqtt://127.0.0.1:%d",
			 device->port);
	snprintf(id, sizeof(id), "OPENSCAN_DEVICE_ID=%s", device->id);
	snprintf(speed, sizeof(speed), "OPENSCAN_SIM_SPEED=%s", device->sim_speed);
	snprintf(level, sizeof(level), "OPENSCAN_LOG_LEVEL=%s", device->log_level);
	snprintf(state, sizeof(state), "OPENSCAN_STATE_DIR=%s", device->state_dir);
	snprintf(projects, sizeof(projects), "OPENSCAN_PROJECT_DIR=%s",
		 device->project_dir);
	snprintf(rig, sizeof(rig), "OPENSCAN_DEVICE_CONFIG=%s", device->rig_file);
	snprintf(community, sizeof(community), "OPENSCAN_COMMUNITY_TASKS_DIR=%s",
		 device->community_dir);
	n += slow_disk(device, env + n);
	for (size_t i = 0; i < MORE_MAX && device->more[i]; i++)
		env[n++] = device->more[i];
	return child_start(&device->child, argv, env, device->log);
}

int device_stop(struct device *device)
{
	child_signal(&device->child, SIGTERM);
	if (!child_wait(&device->child, deadline_patient(STOP_MS))) {
		child_kill(&device->child);
		return -1;
	}
	return WIFEXITED(device->child.status) ? WEXITSTATUS(device->child.status) : -1;
}

void device_kill(struct device *device)
{
	child_kill(&device->child);
}

void device_print_log(const struct device *device)
{
	size_t size = 0;
	char *text = file_read(device->log, &size);

	if (!text)
		return;
	fprintf(stderr, "---- the end of the log of %s ----\n%s\n", device->id,
		size > LOG_TAIL ? text + size - LOG_TAIL : text);
	free(text);
}
