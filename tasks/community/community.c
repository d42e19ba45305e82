#include "tasks/community/community.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/build_dir.h"
#include "agent/base/log.h"
#include "tasks/community/catalog.h"
#include "tasks/community/host/isolation.h"
#include "tasks/community/process.h"
#include "tasks/project/folder.h"

static char *copy(const char *text)
{
	char *made = strdup(text);

	if (!made)
		abort(); /* as everywhere when memory is out */
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

/* Whether or not there are types now: some may come later. */
static void probe(struct community *community)
{
	struct err err;

	if (process_probe(community->host, community->isolation, &err) == 0)
		return;
	snprintf(community->isolation, sizeof(community->isolation), "none");
	if (community->enabled)
		log_warn("community tasks: %s", err.text);
}

int community_open(struct community **out, const struct community_options *options,
		   struct err *err)
{
	struct community *community = calloc(1, sizeof(*community));

	if (!community)
		return err_set(err, -ENOMEM, "out of memory");
	community->folder = copy(options->folder);
	community->work = join(options->state_dir, "community-runs");
	community->cache_dir = join(options->state_dir, "community-types");
	community->project_dir = copy(options->project_dir);
	community->host =
		join(build_dir_in_use() ? build_dir_path() : OPENSCAN_LIBEXEC_DIR,
		     "openscan-task-host");
	community->python_host = join(build_dir_in_use() ? OPENSCAN_SOURCE_COMMUNITY_DIR
							 : OPENSCAN_SHARE_DIR,
				      "python_host.py");
	community->ignored = copy_list(options->ignored);
	community->enabled = options->enabled;
	community->sub_folders = options->sub_folders;
	community->memory = options->memory;
	community->folder_bytes = options->folder_bytes;
	community->processes = options->processes;
	community->files = options->files;
	community->services = options->services;
	atomic_init(&community->kill_after_ms, options->kill_after_ms);
	atomic_init(&community->scratch, 0);
	pthread_mutex_init(&community->looking, NULL);
	probe(community);
	*out = community;
	return 0;
}

void community_close(struct community *community)
{
	if (!community)
		return;
	catalog_release(community->newest);
	pthread_mutex_destroy(&community->looking);
	cJSON_Delete(community->ignored);
	free(community->folder);
	free(community->work);
	free(community->cache_dir);
	free(community->project_dir);
	free(community->host);
	free(community->python_host);
	free(community);
}

struct catalog *community_look(struct community *community)
{
	struct catalog *catalog, *before;

	pthread_mutex_lock(&community->looking);
	before = community->newest;
	catalog = catalog_look(community, before);
	community->newest = catalog_acquire(catalog);
	pthread_mutex_unlock(&community->looking);
	catalog_release(before);
	return catalog;
}

void community_kill_after(struct community *community, int64_t ms)
{
	atomic_store(&community->kill_after_ms, ms);
}

const char *community_isolation(const struct community *community)
{
	int isolation = isolation_parse(community->isolation);

	return isolation_words(isolation < 0 ? ISOLATION_NONE
					     : (enum isolation)isolation);
}

/* Working folders that a killed agent left behind, and those of tasks that are gone. */
void community_tidy(struct community *community,
		    bool (*is_there)(void *context, const char *task), void *context)
{
	struct folder *work;
	struct err err;
	cJSON *names = NULL;
	const cJSON *name;

	if (access(community->work, F_OK) != 0 ||
	    folder_open(&work, community->work, &err) < 0)
		return;
	if (folder_names(work, ".", true, &names, &err) < 0)
		log_warn("%s", err.text);
	cJSON_ArrayForEach(name, names)
		if (!is_there(context, name->valuestring) &&
		    folder_remove(work, name->valuestring, &err) < 0)
			log_warn("a working folder stays behind: %s", err.text);
	cJSON_Delete(names);
	folder_close(work);
}
