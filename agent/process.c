/* Opens everything that the agent consists of, and stops and closes it in order. */
#include "agent/process_internal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "tasks/community/catalog.h"

#define OFFLINE_WAIT_MS 2000
#define KEEP_ALIVE_S 60
#define MB 1000000
#define MIB (1024 * 1024)

/* ---- stopping ---- */

static bool is_stopping(const struct process *process)
{
	return core_stopping_since(process->core) >= 0;
}

static bool is_stopped(const struct process *process)
{
	return process->stopped;
}

static bool is_outbox_empty(const struct process *process)
{
	return !process->epoch || core_unsent(process->core) == 0;
}

static bool is_offline_sent(const struct process *process)
{
	return !process->epoch || process->offline_sent;
}

static bool is_disconnected(const struct process *process)
{
	return !process->epoch;
}

static void publish_offline(struct process *process)
{
	char topic[TOPIC_MAX];
	struct outgoing message = {
		.token = UINT64_MAX,
		.topic = topic_make(topic, process->root, process->device, "status"),
		.payload = "offline",
		.size = strlen("offline"),
		.qos = 1,
		.retain = true,
	};

	process->offline_token = message.token;
	connection_publish(process->connection, process->epoch, &message);
}

static void process_stop(struct process *process)
{
	int64_t timeout = settings_int(process->settings, "agent.stop_timeout_s") * 1000;
	int64_t until = core_stopping_since(process->core) + timeout;

	loop_run_until(process, is_stopped, until);
	if (!process->stopped)
		log_warn("some tasks did not stop within %lld s",
			 (long long)timeout / 1000);
	loop_run_until(process, is_outbox_empty, clock_monotonic_ms() + OFFLINE_WAIT_MS);
	publish_offline(process);
	loop_run_until(process, is_offline_sent, clock_monotonic_ms() + OFFLINE_WAIT_MS);
	/* The loop keeps turning until then: the last message received may still wait
	 * for its commit. */
	connection_finish(process->connection, OFFLINE_WAIT_MS);
	loop_run_until(process, is_disconnected, clock_monotonic_ms() + OFFLINE_WAIT_MS);
}

/* ---- settings ---- */

static void read_tunables(const struct settings *s, struct tunables *tunables)
{
	*tunables = (struct tunables){
		.max_concurrent = (int)settings_int(s, "scheduler.max_concurrent"),
		.max_pause_ms = settings_int(s, "scheduler.max_pause_s") * 1000,
		.kill_after_ms = settings_int(s, "tasks.kill_after_s") * 1000,
		.reply_spread_ms = settings_int(s, "fleet.reply_spread_ms"),
		.keep_tasks = settings_int(s, "agent.keep_tasks"),
		.keep_ms = settings_int(s, "agent.keep_days") * 24 * 3600 * 1000,
		.group_motion = settings_bool(s, "fleet.group_motion"),
	};
}

static cJSON *read_values(void *context)
{
	struct process *process = context;

	return settings_values(process->settings);
}

static cJSON *read_restart_needed(void *context)
{
	struct process *process = context;

	return settings_restart_needed(process->settings);
}

static cJSON *read_problems(void *context)
{
	struct process *process = context;

	return cJSON_Duplicate(settings_problems(process->settings), true);
}

static int change_settings(void *context, const cJSON *changes, struct tunables *tunables,
			   struct err *err)
{
	struct process *process = context;
	int ret = settings_set(process->settings, changes, err);

	if (ret < 0)
		return ret;
	read_tunables(process->settings, tunables);
	community_kill_after(process->community, tunables->kill_after_ms);
	log_set_level((enum log_level)log_level_parse(
		settings_string(process->settings, "log_level")));
	return 0;
}

/* ---- opening ---- */

static int random_name(char name[17], struct err *err)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_set(err, -errno, "no random numbers: %s", strerror(errno));
	snprintf(name, 17, "%016llx", (unsigned long long)random);
	return 0;
}

/* mkdir -p */
static int make_folder(const char *path, struct err *err)
{
	char part[4096];

	for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		size_t length = slash ? (size_t)(slash - path) : strlen(path);

		if (length >= sizeof(part))
			return err_set(err, -ENAMETOOLONG, "%s: the path is too long",
				       path);
		memcpy(part, path, length);
		part[length] = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return err_code(err, -errno, "storage_error", "%s: %s", part,
					strerror(errno));
		if (!slash)
			return 0;
	}
}

/* The problems that settings and rig found, for info and the log. */
static void collect_problems(struct process *process)
{
	const cJSON *problem;

	process->problems = cJSON_Duplicate(settings_problems(process->settings), true);
	cJSON_ArrayForEach(problem, rig_problems(process->services.rig))
		cJSON_AddItemToArray(process->problems, cJSON_Duplicate(problem, true));
}

static int read_config(void *context, cJSON **config, struct err *err)
{
	struct process *process = context;

	return settings_device(process->settings, config, err);
}

static void use_config(void *context)
{
	struct process *process = context;

	settings_applied(process->settings, "device_config");
}

static int open_rig_slot(struct process *process, struct err *err)
{
	struct rig_options options = {
		.state_dir = process->state_dir,
		.sim_speed = settings_number(process->settings, "sim_speed"),
		.assume_position_after_power_cut = settings_bool(
			process->settings, "motion.assume_position_after_power_cut"),
		.changed = callbacks_device_changed,
		.context = process,
	};
	cJSON *config;
	int ret = settings_device(process->settings, &config, err);

	if (ret == 0)
		ret = rig_slot_open(&process->rig_slot, config, &options,
				    &process->services, err);
	if (ret == 0)
		collect_problems(process);
	return ret;
}

static const char **string_list(const cJSON *list)
{
	const char **strings =
		calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(*strings));
	const cJSON *item;
	size_t n = 0;

	if (!strings)
		abort();
	cJSON_ArrayForEach(item, list)
		strings[n++] = item->valuestring;
	return strings;
}

static bool has_text(const char *const *list, const char *text)
{
	while (*list && strcmp(*list, text) != 0)
		list++;
	return *list != NULL;
}

static int open_community(struct process *process,
			  const struct registry_options *registry, struct err *err)
{
	const struct settings *s = process->settings;
	struct community_options options = {
		.folder = settings_string(s, "community_tasks_dir"),
		.state_dir = process->state_dir,
		.project_dir = settings_string(s, "project_dir"),
		.enabled =
			registry->enabled && has_text(registry->namespaces, "community"),
		.sub_folders = registry->include_subpackages,
		.ignored = registry->ignore_modules,
		.memory = settings_int(s, "tasks.memory_mb") * MIB,
		.folder_bytes = settings_int(s, "tasks.folder_mb") * MIB,
		.processes = (int)settings_int(s, "tasks.processes"),
		.files = (int)settings_int(s, "tasks.files"),
		.kill_after_ms = settings_int(s, "tasks.kill_after_s") * 1000,
		.services = &process->services,
	};

	return community_open(&process->community, &options, err);
}

/* Before the core restores its tasks: those may be of a community type. */
static void add_community_types(struct process *process)
{
	struct catalog *catalog = community_refresh(process->community);

	process->type_problems = cJSON_Duplicate(catalog_problems(catalog), true);
	registry_renew(process->registry, catalog_guests(catalog),
		       process->type_problems);
	catalog_release(catalog);
}

static int open_registry(struct process *process, struct err *err)
{
	const struct settings *s = process->settings;
	const char **namespaces =
		string_list(settings_list(s, "task_autodiscovery_namespaces"));
	const char **ignored =
		string_list(settings_list(s, "task_autodiscovery_ignore_modules"));
	struct registry_options options = {
		.enabled = settings_bool(s, "task_autodiscovery_enabled"),
		.namespaces = namespaces,
		.include_subpackages =
			settings_bool(s, "task_autodiscovery_include_subpackages"),
		.ignore_modules = ignored,
		.override_on_conflict =
			settings_bool(s, "task_autodiscovery_override_on_conflict"),
	};
	int ret = registry_open(&process->registry, &options, process->extra_types, err);

	if (ret == 0)
		ret = open_community(process, &options, err);
	if (ret == 0)
		add_community_types(process);
	free(namespaces);
	free(ignored);
	return ret;
}

static int open_projects(struct process *process, struct err *err)
{
	return projects_open(&process->projects,
			     settings_string(process->settings, "project_dir"), err);
}

/* Opens, and if that fails, tries again without the settings under keys that were changed
 * over MQTT: a remote change must not keep the agent from starting. */
static int open_or_fall_back(struct process *process,
			     int (*open)(struct process *process, struct err *err),
			     const char *keys, struct err *err)
{
	int ret = open(process, err);

	if (ret < 0 && settings_fall_back(process->settings, keys, err->text))
		ret = open(process, err);
	return ret;
}

/* The rig has at most RIG_DEVICES_MAX devices, see rig_slot_open(). */
static size_t list_devices(const struct process *process,
			   struct core_device devices[RIG_DEVICES_MAX])
{
	const struct rig *rig = process->services.rig;
	size_t n = 0;

	for (enum device_kind kind = 0; kind < DEVICE_KINDS; kind++)
		for (size_t i = 0; i < rig_count(rig, kind); i++)
			devices[n++] = (struct core_device){kind, rig_name(rig, kind, i)};
	return n;
}

static int open_core(struct process *process, struct effects *effects, struct err *err)
{
	const struct settings *s = process->settings;
	struct core_device devices[RIG_DEVICES_MAX];
	struct core_options options = {
		.root = process->root,
		.device = process->device,
		.state_dir = process->state_dir,
		.registry = process->registry,
		.looks_for_types = true,
		.sets_up_wifi = settings_bool(s, "qr_wifi_scan_enabled"),
		.isolation = community_isolation(process->community),
		.type_problems = process->type_problems,
		.devices = devices,
		.device_count = list_devices(process, devices),
		.backend = rig_backend(process->services.rig),
		.boot = process->boot,
		.new_store = process->store,
		.seed = strtoull(process->boot, NULL, 16),
		.blocking_threads = (int)settings_int(s, "scheduler.blocking_threads"),
		.groups = process->groups,
		.birth_prefix = process->birth_prefix,
		.discovery = settings_bool(s, "homeassistant.discovery"),
		.settings = {.context = process,
			     .values = read_values,
			     .restart_needed = read_restart_needed,
			     .problems = read_problems,
			     .set = change_settings,
			     .read_config = read_config,
			     .use_config = use_config},
		.problems = process->problems,
		.reserve = disk_reserve_in(&process->reserve, process->state_dir),
		.stop_ops = callbacks_stop_ops,
	};

	options.stop_ops.context = process;
	read_tunables(s, &options.tunables);
	return core_open(&process->core, &options, loop_now(), effects, err);
}

static int open_connection(struct process *process, struct err *err)
{
	const struct settings *s = process->settings;
	char will[TOPIC_MAX];
	struct connection_options options = {
		.url = settings_string(s, "mqtt.url"),
		.user = settings_string(s, "mqtt.user"),
		.password_file = settings_string(s, "mqtt.password_file"),
		.ca_file = settings_string(s, "mqtt.ca_file"),
		.cert_file = settings_string(s, "mqtt.cert_file"),
		.key_file = settings_string(s, "mqtt.key_file"),
		.client_id = process->device,
		.will_topic = topic_make(will, process->root, process->device, "status"),
		.will_text = "lost",
		.session_expiry_s = (int)settings_int(s, "mqtt.session_expiry_s"),
		.reconnect_max_s = (int)settings_int(s, "mqtt.reconnect_max_s"),
		.keep_alive_s = KEEP_ALIVE_S,
	};
	struct connection_callbacks callbacks = callbacks_connection;

	callbacks.context = process;
	return connection_open(&process->connection, &options, &callbacks, err);
}

/* Signals arrive through a descriptor; every thread started later inherits the mask. */
static int open_signals(struct process *process, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	process->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (process->signals < 0)
		return err_set(err, -errno, "signalfd: %s", strerror(errno));
	return 0;
}

static bool knows_task(void *context, const char *id)
{
	const struct process *process = context;

	return core_knows_task(process->core, id);
}

static void copy_settings(struct process *process)
{
	const struct settings *s = process->settings;

	snprintf(process->root, sizeof(process->root), "%s",
		 settings_string(s, "mqtt.root"));
	snprintf(process->device, sizeof(process->device), "%s",
		 settings_string(s, "device.id"));
	snprintf(process->birth_prefix, sizeof(process->birth_prefix), "%s",
		 settings_string(s, "homeassistant.prefix"));
	snprintf(process->state_dir, sizeof(process->state_dir), "%s",
		 settings_string(s, "state_dir"));
	process->groups = cJSON_Duplicate(settings_list(s, "fleet.groups"), true);
	process->export_roots = cJSON_Duplicate(settings_list(s, "export.roots"), true);
	process->cloud = settings_section(s, "cloud");
}

static int open_basics(struct process *process, struct err *err)
{
	int ret = open_signals(process, err);

	if (ret == 0)
		ret = random_name(process->boot, err);
	if (ret == 0)
		ret = random_name(process->store, err);
	if (ret == 0)
		ret = make_folder(process->state_dir, err);
	if (ret == 0)
		ret = mailbox_open(&process->mailbox, err);
	return ret;
}

static int open_workers(struct process *process, struct err *err)
{
	int ret = open_or_fall_back(process, open_projects, "project_dir", err);

	if (ret == 0)
		ret = open_or_fall_back(process, open_registry, "task_autodiscovery_",
					err);
	if (ret < 0)
		return ret;
	process->services = (struct task_services){
		.projects = process->projects,
		.community = process->community,
		.min_free_bytes =
			settings_int(process->settings, "projects.min_free_mb") * MB,
		.state_dir = process->state_dir,
		.export_roots = process->export_roots,
		.cloud = process->cloud,
	};
	ret = open_or_fall_back(process, open_rig_slot, "device_config", err);
	if (ret == 0)
		ret = workers_open(&process->workers, process->mailbox,
				   &process->services, process->rig_slot, err);
	return ret;
}

static int process_open(struct process *process, struct err *err)
{
	struct effects effects;
	int ret;

	copy_settings(process);
	metrics_init(&process->metrics, clock_monotonic_ms());
	effects_init(&effects);
	ret = open_basics(process, err);
	if (ret == 0)
		ret = open_workers(process, err);
	if (ret == 0)
		ret = open_core(process, &effects, err);
	if (ret == 0) {
		community_clean_up(process->community, knows_task, process);
		rig_slot_notify_all(process->rig_slot);
		ret = open_connection(process, err);
	}
	if (ret == 0)
		loop_apply_effects(process, &effects);
	effects_clear(&effects);
	return ret;
}

static void process_close(struct process *process)
{
	bool ended;

	connection_close(process->connection, OFFLINE_WAIT_MS);
	ended = workers_close(process->workers, 0);
	core_close(process->core);
	rig_slot_close(process->rig_slot);
	/* A thread that did not end still uses everything below; the process ends now
	 * anyway. */
	if (!ended)
		_exit(EXIT_SUCCESS);
	projects_close(process->projects);
	mailbox_close(process->mailbox);
	registry_close(process->registry);
	community_close(process->community);
	settings_free(process->settings);
	cJSON_Delete(process->groups);
	cJSON_Delete(process->problems);
	cJSON_Delete(process->type_problems);
	cJSON_Delete(process->export_roots);
	cJSON_Delete(process->cloud);
	if (process->signals >= 0)
		close(process->signals);
	pthread_mutex_destroy(&process->changed.lock);
}

int process_run(struct settings *settings, const struct type_offer *extra)
{
	static struct process process;
	const cJSON *problem;
	struct err err;

	process.settings = settings;
	process.extra_types = extra;
	process.signals = -1;
	pthread_mutex_init(&process.changed.lock, NULL);
	if (process_open(&process, &err) < 0) {
		log_error("%s", err.text);
		process_close(&process);
		return EXIT_FAILURE;
	}
	cJSON_ArrayForEach(problem, process.problems)
		log_warn("%s", problem->valuestring);
	log_info("openscan-agent %s: device %s, %s rig, state in %s", OPENSCAN_VERSION,
		 process.device, core_backend(process.core), process.state_dir);
	loop_run_until(&process, is_stopping, -1);
	process_stop(&process);
	process_close(&process);
	return EXIT_SUCCESS;
}
