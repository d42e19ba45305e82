#include "agent/process.h"

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

static bool is_stopping(const struct agent *agent)
{
	return core_stopping_since(agent->core) >= 0;
}

static bool is_stopped(const struct agent *agent)
{
	return agent->stopped;
}

static bool has_told_all(const struct agent *agent)
{
	return !agent->epoch || core_unsent(agent->core) == 0;
}

static bool has_told_offline(const struct agent *agent)
{
	return !agent->epoch || agent->offline_sent;
}

static bool is_disconnected(const struct agent *agent)
{
	return !agent->epoch;
}

static void agent_say_offline(struct agent *agent)
{
	char topic[TOPIC_MAX];
	struct outgoing message = {
		.token = UINT64_MAX,
		.topic = topic_make(topic, agent->root, agent->device, "status"),
		.payload = "offline",
		.size = strlen("offline"),
		.qos = 1,
		.retain = true,
	};

	agent->offline_token = message.token;
	connection_publish(agent->connection, agent->epoch, &message);
}

static void agent_stop(struct agent *agent)
{
	int64_t timeout = settings_int(agent->settings, "agent.stop_timeout_s") * 1000;
	int64_t until = core_stopping_since(agent->core) + timeout;

	loop_run_until(agent, is_stopped, until);
	if (!agent->stopped)
		log_warn("some tasks did not stop within %lld s",
			 (long long)timeout / 1000);
	loop_run_until(agent, has_told_all, clock_monotonic_ms() + OFFLINE_WAIT_MS);
	agent_say_offline(agent);
	loop_run_until(agent, has_told_offline, clock_monotonic_ms() + OFFLINE_WAIT_MS);
	/* The loop goes on meanwhile: a message that came last still waits for its
	 * commit. */
	connection_finish(agent->connection, OFFLINE_WAIT_MS);
	loop_run_until(agent, is_disconnected, clock_monotonic_ms() + OFFLINE_WAIT_MS);
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
	struct agent *agent = context;

	return settings_values(agent->settings);
}

static cJSON *read_restart_needed(void *context)
{
	struct agent *agent = context;

	return settings_restart_needed(agent->settings);
}

static cJSON *read_problems(void *context)
{
	struct agent *agent = context;

	return cJSON_Duplicate(settings_problems(agent->settings), true);
}

static int change_settings(void *context, const cJSON *changes, struct tunables *tunables,
			   struct err *err)
{
	struct agent *agent = context;
	int ret = settings_set(agent->settings, changes, err);

	if (ret < 0)
		return ret;
	read_tunables(agent->settings, tunables);
	community_kill_after(agent->community, tunables->kill_after_ms);
	log_set_level((enum log_level)log_level_parse(
		settings_string(agent->settings, "log_level")));
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

/* What the rig found wrong stands in info and in the log, beside what the settings did.
 */
static void tell_problems(struct agent *agent)
{
	const cJSON *problem;

	agent->problems = cJSON_Duplicate(settings_problems(agent->settings), true);
	cJSON_ArrayForEach(problem, rig_problems(agent->services.rig))
		cJSON_AddItemToArray(agent->problems, cJSON_Duplicate(problem, true));
}

static int read_config(void *context, cJSON **config, struct err *err)
{
	struct agent *agent = context;

	return settings_device(agent->settings, config, err);
}

static void use_config(void *context)
{
	struct agent *agent = context;

	settings_applied(agent->settings, "device_config");
}

static int open_seat(struct agent *agent, struct err *err)
{
	struct rig_options options = {
		.state_dir = agent->state_dir,
		.sim_speed = settings_number(agent->settings, "sim_speed"),
		.assume_position_after_power_cut = settings_bool(
			agent->settings, "motion.assume_position_after_power_cut"),
		.changed = callbacks_device_changed,
		.context = agent,
	};
	cJSON *config;
	int ret = settings_device(agent->settings, &config, err);

	if (ret == 0)
		ret = seat_open(&agent->seat, config, &options, &agent->services, err);
	if (ret == 0)
		tell_problems(agent);
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

static int open_community(struct agent *agent, const struct registry_options *registry,
			  struct err *err)
{
	const struct settings *s = agent->settings;
	struct community_options options = {
		.folder = settings_string(s, "community_tasks_dir"),
		.state_dir = agent->state_dir,
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
		.services = &agent->services,
	};

	return community_open(&agent->community, &options, err);
}

/* The types of others are there before the tasks of before are looked at. */
static void add_community_types(struct agent *agent)
{
	struct catalog *catalog = community_refresh(agent->community);

	agent->type_problems = cJSON_Duplicate(catalog_problems(catalog), true);
	registry_renew(agent->registry, catalog_guests(catalog), agent->type_problems);
	catalog_release(catalog);
}

static int open_registry(struct agent *agent, struct err *err)
{
	const struct settings *s = agent->settings;
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
	int ret = registry_open(&agent->registry, &options, agent->extra_types, err);

	if (ret == 0)
		ret = open_community(agent, &options, err);
	if (ret == 0)
		add_community_types(agent);
	free(namespaces);
	free(ignored);
	return ret;
}

static int open_projects(struct agent *agent, struct err *err)
{
	return projects_open(&agent->projects,
			     settings_string(agent->settings, "project_dir"), err);
}

/* What was set from afar must not keep the rig from starting: without it, once more. */
static int open_by(struct agent *agent, int (*open)(struct agent *agent, struct err *err),
		   const char *keys, struct err *err)
{
	int ret = open(agent, err);

	if (ret < 0 && settings_fall_back(agent->settings, keys, err->text))
		ret = open(agent, err);
	return ret;
}

/* As many as the seat lets in. */
static size_t list_devices(const struct agent *agent,
			   struct core_device devices[RIG_DEVICES_MAX])
{
	const struct rig *rig = agent->services.rig;
	size_t n = 0;

	for (enum device_kind kind = 0; kind < DEVICE_KINDS; kind++)
		for (size_t i = 0; i < rig_count(rig, kind); i++)
			devices[n++] = (struct core_device){kind, rig_name(rig, kind, i)};
	return n;
}

static int open_core(struct agent *agent, struct effects *effects, struct err *err)
{
	const struct settings *s = agent->settings;
	struct core_device devices[RIG_DEVICES_MAX];
	struct core_options options = {
		.root = agent->root,
		.device = agent->device,
		.state_dir = agent->state_dir,
		.registry = agent->registry,
		.looks_for_types = true,
		.joins_by_code = settings_bool(s, "qr_wifi_scan_enabled"),
		.isolation = community_isolation(agent->community),
		.type_problems = agent->type_problems,
		.devices = devices,
		.device_count = list_devices(agent, devices),
		.backend = rig_backend(agent->services.rig),
		.boot = agent->boot,
		.new_store = agent->store,
		.seed = strtoull(agent->boot, NULL, 16),
		.blocking_threads = (int)settings_int(s, "scheduler.blocking_threads"),
		.groups = agent->groups,
		.birth_prefix = agent->birth_prefix,
		.discovery = settings_bool(s, "homeassistant.discovery"),
		.settings = {.context = agent,
			     .values = read_values,
			     .restart_needed = read_restart_needed,
			     .problems = read_problems,
			     .set = change_settings,
			     .read_config = read_config,
			     .use_config = use_config},
		.problems = agent->problems,
		.reserve = reserve_in(&agent->reserve, agent->state_dir),
		.stop_ops = callbacks_stop_ops,
	};

	options.stop_ops.context = agent;
	read_tunables(s, &options.tunables);
	return core_open(&agent->core, &options, loop_now(), effects, err);
}

static int open_connection(struct agent *agent, struct err *err)
{
	const struct settings *s = agent->settings;
	char will[TOPIC_MAX];
	struct connection_options options = {
		.url = settings_string(s, "mqtt.url"),
		.user = settings_string(s, "mqtt.user"),
		.password_file = settings_string(s, "mqtt.password_file"),
		.ca_file = settings_string(s, "mqtt.ca_file"),
		.cert_file = settings_string(s, "mqtt.cert_file"),
		.key_file = settings_string(s, "mqtt.key_file"),
		.client_id = agent->device,
		.will_topic = topic_make(will, agent->root, agent->device, "status"),
		.will_text = "lost",
		.session_expiry_s = (int)settings_int(s, "mqtt.session_expiry_s"),
		.reconnect_max_s = (int)settings_int(s, "mqtt.reconnect_max_s"),
		.keep_alive_s = KEEP_ALIVE_S,
	};
	struct connection_callbacks callbacks = callbacks_callbacks;

	callbacks.context = agent;
	return connection_open(&agent->connection, &options, &callbacks, err);
}

/* Signals come by a descriptor; every thread made later inherits the mask. */
static int open_signals(struct agent *agent, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	agent->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (agent->signals < 0)
		return err_set(err, -errno, "signalfd: %s", strerror(errno));
	return 0;
}

static bool knows_task(void *context, const char *id)
{
	const struct agent *agent = context;

	return core_knows_task(agent->core, id);
}

static int agent_open(struct agent *agent, struct err *err)
{
	const struct settings *s = agent->settings;
	struct effects effects;
	int ret;

	snprintf(agent->root, sizeof(agent->root), "%s", settings_string(s, "mqtt.root"));
	snprintf(agent->device, sizeof(agent->device), "%s",
		 settings_string(s, "device.id"));
	snprintf(agent->birth_prefix, sizeof(agent->birth_prefix), "%s",
		 settings_string(s, "homeassistant.prefix"));
	agent->groups = cJSON_Duplicate(settings_list(s, "fleet.groups"), true);
	agent->export_roots = cJSON_Duplicate(settings_list(s, "export.roots"), true);
	agent->cloud = settings_section(s, "cloud");
	snprintf(agent->state_dir, sizeof(agent->state_dir), "%s",
		 settings_string(s, "state_dir"));
	machine_init(&agent->machine, clock_monotonic_ms());
	effects_init(&effects);

	if ((ret = open_signals(agent, err)) < 0 ||
	    (ret = random_name(agent->boot, err)) < 0 ||
	    (ret = random_name(agent->store, err)) < 0 ||
	    (ret = make_folder(agent->state_dir, err)) < 0 ||
	    (ret = open_by(agent, open_projects, "project_dir", err)) < 0 ||
	    (ret = open_by(agent, open_registry, "task_autodiscovery_", err)) < 0 ||
	    (ret = mailbox_open(&agent->mailbox, err)) < 0)
		return ret;
	agent->services = (struct task_services){
		.projects = agent->projects,
		.community = agent->community,
		.min_free_bytes = settings_int(s, "projects.min_free_mb") * MB,
		.state_dir = agent->state_dir,
		.export_roots = agent->export_roots,
		.cloud = agent->cloud,
	};
	if ((ret = open_by(agent, open_seat, "device_config", err)) < 0 ||
	    (ret = workers_open(&agent->workers, agent->mailbox, &agent->services,
				agent->seat, err)) < 0 ||
	    (ret = open_core(agent, &effects, err)) < 0)
		return ret;
	community_clean_up(agent->community, knows_task, agent);
	seat_tell_all(agent->seat);
	ret = open_connection(agent, err);
	if (ret == 0)
		loop_carry_out(agent, &effects);
	effects_clear(&effects);
	return ret;
}

static void agent_close(struct agent *agent)
{
	bool ended;

	connection_close(agent->connection, OFFLINE_WAIT_MS);
	ended = workers_close(agent->workers, 0);
	core_close(agent->core);
	seat_close(agent->seat);
	/* A thread that did not end still uses what stands below; the process ends now
	 * anyway. */
	if (!ended)
		_exit(EXIT_SUCCESS);
	projects_close(agent->projects);
	mailbox_close(agent->mailbox);
	registry_close(agent->registry);
	community_close(agent->community);
	settings_free(agent->settings);
	cJSON_Delete(agent->groups);
	cJSON_Delete(agent->problems);
	cJSON_Delete(agent->type_problems);
	cJSON_Delete(agent->export_roots);
	cJSON_Delete(agent->cloud);
	if (agent->signals >= 0)
		close(agent->signals);
	pthread_mutex_destroy(&agent->news.lock);
}

int agent_serve(struct agent *agent, const struct type_offer *extra)
{
	const cJSON *problem;
	struct err err;

	agent->signals = -1;
	pthread_mutex_init(&agent->news.lock, NULL);
	agent->extra_types = extra;
	if (agent_open(agent, &err) < 0) {
		log_error("%s", err.text);
		agent_close(agent);
		return EXIT_FAILURE;
	}
	cJSON_ArrayForEach(problem, agent->problems)
		log_warn("%s", problem->valuestring);
	log_info("openscan-agent %s: device %s, %s rig, state in %s", OPENSCAN_VERSION,
		 agent->device, core_backend(agent->core), agent->state_dir);
	loop_run_until(agent, is_stopping, -1);
	agent_stop(agent);
	agent_close(agent);
	return EXIT_SUCCESS;
}
