/* Finds the community types, and holds their settings. */
#include "tasks/community/community.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/build_dir.h"
#include "agent/base/log.h"
#include "tasks/community/catalog.h"
#include "tasks/community/config.h"
#include "tasks/community/host/isolation.h"
#include "tasks/community/process.h"
#include "tasks/project/folder.h"

struct community {
	struct community_config config;
	pthread_mutex_t lock; /* of newest; held while the folder is read */
	struct catalog *newest;
};

static char *copy(const char *text)
{
	char *made = strdup(text);

	if (!made)
		abort(); /* out of memory */
	return made;
}

static cJSON *copy_list(const char *const *list)
{
	cJSON *made = cJSON_CreateArray();

	for (; list && *list; list++)
		cJSON_AddItemToArray(made, cJSON_CreateString(*list));
	return made;
}

static char *join(const char *folder, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		abort();
	return path;
}

/* Runs even when there are no types yet: some may be added later. */
static void probe(struct community_config *config)
{
	struct err err;

	if (process_probe(config->host, config->isolation, &err) == 0)
		return;
	snprintf(config->isolation, sizeof(config->isolation), "none");
	if (config->enabled)
		log_warn("community tasks: %s", err.text);
}

static void config_init(struct community_config *config,
			const struct community_options *options)
{
	config->enabled = options->enabled;
	config->sub_folders = options->sub_folders;
	config->folder = copy(options->folder);
	config->ignored = copy_list(options->ignored);
	config->work_dirs = join(options->state_dir, "community-runs");
	config->cache_dir = join(options->state_dir, "community-types");
	config->project_dir = copy(options->project_dir);
	config->host = join(build_dir_in_use() ? build_dir_path() : OPENSCAN_LIBEXEC_DIR,
			    "openscan-task-host");
	config->python_host = join(build_dir_in_use() ? OPENSCAN_SOURCE_COMMUNITY_DIR
						      : OPENSCAN_SHARE_DIR,
				   "python_host.py");
	config->memory = options->memory;
	config->folder_bytes = options->folder_bytes;
	config->processes = options->processes;
	config->files = options->files;
	atomic_init(&config->kill_after_ms, options->kill_after_ms);
	atomic_init(&config->scratch_number, 0);
	config->services = options->services;
}

static void config_clear(struct community_config *config)
{
	cJSON_Delete(config->ignored);
	free(config->folder);
	free(config->work_dirs);
	free(config->cache_dir);
	free(config->project_dir);
	free(config->host);
	free(config->python_host);
}

int community_open(struct community **out, const struct community_options *options,
		   struct err *err)
{
	struct community *community = calloc(1, sizeof(*community));

	if (!community)
		return err_set(err, -ENOMEM, "out of memory");
	config_init(&community->config, options);
	pthread_mutex_init(&community->lock, NULL);
	probe(&community->config);
	*out = community;
	return 0;
}

void community_close(struct community *community)
{
	if (!community)
		return;
	catalog_release(community->newest);
	pthread_mutex_destroy(&community->lock);
	config_clear(&community->config);
	free(community);
}

struct catalog *community_refresh(struct community *community)
{
	struct catalog *catalog, *before;

	pthread_mutex_lock(&community->lock);
	before = community->newest;
	catalog = catalog_build(&community->config, before);
	community->newest = catalog_acquire(catalog);
	pthread_mutex_unlock(&community->lock);
	catalog_release(before);
	return catalog;
}

void community_kill_after(struct community *community, int64_t ms)
{
	atomic_store(&community->config.kill_after_ms, ms);
}

const char *community_isolation(const struct community *community)
{
	int isolation = isolation_parse(community->config.isolation);

	return isolation_words(isolation < 0 ? ISOLATION_NONE
					     : (enum isolation)isolation);
}

/* The folders were left behind by an agent that was killed, or belong to deleted tasks.
 */
void community_clean_up(struct community *community,
			bool (*exists)(void *context, const char *task), void *context)
{
	struct folder *work;
	struct err err;
	cJSON *names = NULL;
	const cJSON *name;

	if (access(community->config.work_dirs, F_OK) != 0 ||
	    folder_open(&work, community->config.work_dirs, &err) < 0)
		return;
	if (folder_names(work, ".", true, &names, &err) < 0)
		log_warn("%s", err.text);
	cJSON_ArrayForEach(name, names)
		if (!exists(context, name->valuestring) &&
		    folder_remove(work, name->valuestring, &err) < 0)
			log_warn("a working folder stays behind: %s", err.text);
	cJSON_Delete(names);
	folder_close(work);
}
