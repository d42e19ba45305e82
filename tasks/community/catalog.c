#include "tasks/community/catalog.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/base/log.h"
#include "agent/base/utf8.h"
#include "tasks/community/scan_folder.h"
#include "tasks/community/describe.h"
#include "tasks/community/description_cache.h"
#include "tasks/community/plugin.h"

#define ASKERS 4	/* files that are asked at once */
#define PROBLEMS_MAX 32 /* more are in the log only: info is one message */

struct catalog {
	atomic_int users;
	unsigned number;
	struct plugin *plugins[FINDER_FILES_MAX];
	size_t count;
	struct type_guest *guests;
	cJSON *problems;
};

/* ---- finding ---- */

/* One that failed is asked again: what it lacked may be there now. */
static struct plugin *find_before(const struct catalog *before, const struct found *found)
{
	for (size_t i = 0; before && i < before->count; i++) {
		struct plugin *plugin = before->plugins[i];

		if (!cJSON_GetArraySize(plugin->problems) &&
		    !strcmp(plugin->path, found->path) &&
		    !strcmp(plugin->stamp, found->stamp))
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

/* ---- asking, several at once ---- */

struct asking {
	struct plugin *plugins[FINDER_FILES_MAX];
	size_t count;
	atomic_size_t next;
};

static void *ask(void *context)
{
	struct asking *asking = context;
	size_t i;

	while ((i = atomic_fetch_add(&asking->next, 1)) < asking->count)
		describe_plugin(asking->plugins[i]);
	return NULL;
}

static void ask_at_once(struct asking *asking)
{
	pthread_t threads[ASKERS];
	size_t n = 0;

	while (n < ASKERS && n < asking->count &&
	       pthread_create(&threads[n], NULL, ask, asking) == 0)
		n++;
	if (n == 0)
		ask(asking);
	while (n)
		pthread_join(threads[--n], NULL);
}

/* Some that were not heard are asked once more: perhaps only the machine was busy.  Who
 * is not heard then either keeps the types that it had. */
static void ask_all(struct asking *asking)
{
	struct asking again = {.count = 0};

	ask_at_once(asking);
	for (size_t i = 0; i < asking->count && again.count < ASKERS; i++)
		if (asking->plugins[i]->unanswered)
			again.plugins[again.count++] = asking->plugins[i];
	ask_at_once(&again);
	for (size_t i = 0; i < asking->count; i++)
		if (asking->plugins[i]->unanswered)
			describe_from_cache(asking->plugins[i]);
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

static void take_found(struct catalog *catalog, const struct catalog *before,
		       struct community_config *config, const struct found *found,
		       struct asking *asking)
{
	struct plugin *plugin = find_before(before, found);

	if (plugin) {
		plugin_acquire(plugin);
	} else {
		plugin = plugin_new(config, found->path, kind_of(found->path),
				    found->stamp);
		asking->plugins[asking->count++] = plugin;
	}
	catalog->plugins[catalog->count++] = plugin;
}

struct catalog *catalog_look(struct community_config *config,
			     const struct catalog *before)
{
	struct catalog *catalog = calloc(1, sizeof(*catalog));
	struct asking *asking = calloc(1, sizeof(*asking));
	struct finder *finder = finder_look(config);

	if (!catalog || !asking)
		abort();
	atomic_init(&catalog->users, 1);
	catalog->number = before ? before->number + 1 : 1;
	catalog->problems = cJSON_CreateArray();
	for (size_t i = 0; i < finder->count; i++) {
		const struct found *found = &finder->files[i];

		if (found->problem[0])
			add_problem(catalog, found->path, found->problem);
		else
			take_found(catalog, before, config, found, asking);
	}
	ask_all(asking);
	add_problems(catalog);
	make_guests(catalog);
	description_cache_clean_up(config, finder);
	finder_free(finder);
	free(asking);
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
