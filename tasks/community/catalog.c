/* Builds the catalog of plugins, describing new and changed files in parallel. */
#include "tasks/community/catalog.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/base/log.h"
#include "agent/base/utf8.h"
#include "tasks/community/plugin_files.h"
#include "tasks/community/describe.h"
#include "tasks/community/description_cache.h"
#include "tasks/community/plugin.h"

#define THREADS 4	/* files described at the same time */
#define PROBLEMS_MAX 32 /* more are only logged, since info is one message */

struct catalog {
	atomic_int users;
	unsigned number;
	struct plugin *plugins[PLUGIN_FILES_MAX];
	size_t count;
	struct type_guest *guests;
	cJSON *problems;
};

/* ---- plugins ---- */

/* The unchanged plugin of the previous catalog, or NULL.  One with problems is not
 * reused: whatever it lacked may be there now. */
static struct plugin *find_before(const struct catalog *before,
				  const struct plugin_file *file)
{
	for (size_t i = 0; before && i < before->count; i++) {
		struct plugin *plugin = before->plugins[i];

		if (!cJSON_GetArraySize(plugin->problems) &&
		    !strcmp(plugin->path, file->path) &&
		    !strcmp(plugin->stamp, file->stamp))
			return plugin;
	}
	return NULL;
}

static enum plugin_kind kind_of(const char *path)
{
	const char *end = strrchr(path, '.');

	if (end && !strcmp(end, ".py"))
		return PLUGIN_PYTHON;
	return end && !strcmp(end, ".so") ? PLUGIN_OBJECT : PLUGIN_PROGRAM;
}

/* ---- describing, several at a time ---- */

struct describe_queue {
	struct plugin *plugins[PLUGIN_FILES_MAX];
	size_t count;
	atomic_size_t next;
};

static void *describe_next(void *context)
{
	struct describe_queue *queue = context;
	size_t i;

	while ((i = atomic_fetch_add(&queue->next, 1)) < queue->count)
		describe_plugin(queue->plugins[i]);
	return NULL;
}

static void describe_in_parallel(struct describe_queue *queue)
{
	pthread_t threads[THREADS];
	size_t n = 0;

	while (n < THREADS && n < queue->count &&
	       pthread_create(&threads[n], NULL, describe_next, queue) == 0)
		n++;
	if (n == 0)
		describe_next(queue);
	while (n)
		pthread_join(threads[--n], NULL);
}

/* Asks a few of the plugins that did not answer once more, since the machine may just
 * have been busy.  One that still does not answer keeps the types it had. */
static void describe_all(struct describe_queue *queue)
{
	struct describe_queue again = {.count = 0};

	describe_in_parallel(queue);
	for (size_t i = 0; i < queue->count && again.count < THREADS; i++)
		if (queue->plugins[i]->unanswered)
			again.plugins[again.count++] = queue->plugins[i];
	describe_in_parallel(&again);
	for (size_t i = 0; i < queue->count; i++)
		if (queue->plugins[i]->unanswered)
			describe_from_cache(queue->plugins[i]);
}

/* ---- the catalog ---- */

static void add_problem(struct catalog *catalog, const char *path, const char *what)
{
	char text[1024];

	snprintf(text, sizeof(text), "%.400s: %.600s", path, what);
	utf8_trim(text);
	log_warn("%s", text);
	if (cJSON_GetArraySize(catalog->problems) < PROBLEMS_MAX)
		cJSON_AddItemToArray(catalog->problems, cJSON_CreateString(text));
}

static void add_problems(struct catalog *catalog)
{
	const cJSON *problem;

	for (size_t i = 0; i < catalog->count; i++)
		cJSON_ArrayForEach(problem, catalog->plugins[i]->problems)
			add_problem(catalog, catalog->plugins[i]->path,
				    problem->valuestring);
}

static void make_guests(struct catalog *catalog)
{
	size_t n = 0;

	for (size_t i = 0; i < catalog->count; i++)
		n += catalog->plugins[i]->count;
	catalog->guests = calloc(n + 1, sizeof(*catalog->guests));
	if (!catalog->guests)
		abort();
	n = 0;
	for (size_t i = 0; i < catalog->count; i++) {
		struct plugin *plugin = catalog->plugins[i];

		for (size_t k = 0; k < plugin->count; k++)
			catalog->guests[n++] = (struct type_guest){
				.type = &plugin->types[k]->type,
				.source = plugin->path,
				.owner = &plugin->owner,
			};
	}
}

static void add_plugin(struct catalog *catalog, const struct catalog *before,
		       struct community_config *config, const struct plugin_file *file,
		       struct describe_queue *queue)
{
	struct plugin *plugin = find_before(before, file);

	if (plugin) {
		plugin_acquire(plugin);
	} else {
		plugin = plugin_new(config, file->path, kind_of(file->path), file->stamp);
		queue->plugins[queue->count++] = plugin;
	}
	catalog->plugins[catalog->count++] = plugin;
}

struct catalog *catalog_build(struct community_config *config,
			      const struct catalog *before)
{
	struct catalog *catalog = calloc(1, sizeof(*catalog));
	struct describe_queue *queue = calloc(1, sizeof(*queue));
	struct plugin_files *files = plugin_files_find(config);

	if (!catalog || !queue)
		abort();
	atomic_init(&catalog->users, 1);
	catalog->number = before ? before->number + 1 : 1;
	catalog->problems = cJSON_CreateArray();
	for (size_t i = 0; i < files->count; i++) {
		const struct plugin_file *file = &files->files[i];

		if (file->problem[0])
			add_problem(catalog, file->path, file->problem);
		else
			add_plugin(catalog, before, config, file, queue);
	}
	describe_all(queue);
	add_problems(catalog);
	make_guests(catalog);
	description_cache_clean_up(config, files);
	plugin_files_free(files);
	free(queue);
	return catalog;
}

struct catalog *catalog_acquire(struct catalog *catalog)
{
	atomic_fetch_add(&catalog->users, 1);
	return catalog;
}

void catalog_release(struct catalog *catalog)
{
	if (!catalog || atomic_fetch_sub(&catalog->users, 1) > 1)
		return;
	for (size_t i = 0; i < catalog->count; i++)
		plugin_release(catalog->plugins[i]);
	cJSON_Delete(catalog->problems);
	free(catalog->guests);
	free(catalog);
}

unsigned catalog_number(const struct catalog *catalog)
{
	return catalog->number;
}

const struct type_guest *catalog_guests(const struct catalog *catalog)
{
	return catalog->guests;
}

const cJSON *catalog_problems(const struct catalog *catalog)
{
	return catalog->problems;
}
