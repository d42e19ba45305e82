/* Merges defaults, files, overrides and environment into the values of the settings. */
#include "settings/load.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "settings/host.h"
#include "settings/json_file.h"
#include "settings/table.h"
#include "settings/value.h"

/* Damaged files that are kept; then the newest one is overwritten. */
#define DAMAGED_MAX 1000

struct loading {
	const struct settings_source *source;
	cJSON *values;
	cJSON *without_overrides;
	cJSON *problems;
};

/* A file while it is merged. */
struct origin {
	const char *path;
	bool overrides; /* not a user's: invalid values are left out */
};

static int out_of_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

static int problem(struct loading *l, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int problem(struct loading *l, struct err *err, const char *fmt, ...)
{
	char text[sizeof(err->text) + 64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!cJSON_AddItemToArray(l->problems, cJSON_CreateString(text)))
		return out_of_memory(err);
	return 0;
}

/* Takes ownership of value. */
static int put(struct loading *l, const char *key, cJSON *value, struct err *err)
{
	if (!value)
		return out_of_memory(err);

	cJSON_DeleteItemFromObjectCaseSensitive(l->values, key);
	if (!cJSON_AddItemToObject(l->values, key, value)) {
		cJSON_Delete(value);
		return out_of_memory(err);
	}
	return 0;
}

static const char *environment(const struct settings_source *source, const char *name)
{
	const char *text = name ? source->env(name) : NULL;

	return text && text[0] ? text : NULL;
}

bool load_by_environment(const struct settings_source *source,
			 const struct setting *setting)
{
	return environment(source, setting->env) != NULL;
}

/* The sentence if it is among the problems, else NULL. */
static cJSON *find_problem(const cJSON *problems, const char *sentence)
{
	cJSON *known;

	cJSON_ArrayForEach(known, problems) {
		if (!strcmp(known->valuestring, sentence))
			return known;
	}
	return NULL;
}

int load_hide(cJSON *problems, const char *file, const struct setting *setting,
	      bool hides)
{
	char text[PATH_MAX + 128];
	cJSON *known;

	snprintf(text, sizeof(text), "%s: %s has no effect, as %s is set", file,
		 setting->key, setting->env);
	known = find_problem(problems, text);
	if (!hides)
		cJSON_Delete(cJSON_DetachItemViaPointer(problems, known));
	if (!hides || known)
		return 0;
	return cJSON_AddItemToArray(problems, cJSON_CreateString(text)) ? 0 : -ENOMEM;
}

static int add_defaults(struct loading *l, struct err *err)
{
	for (size_t i = 0; i < table_size(); i++) {
		const struct setting *setting = table_at(i);
		int ret;

		if (!setting->default_json)
			continue;
		ret = put(l, setting->key, cJSON_Parse(setting->default_json), err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Adds the place of key to err: a problem in the overrides, else an error. */
static int refuse(struct loading *l, const struct origin *origin, const char *key,
		  struct err *err)
{
	int line = json_file_line(origin->path, key);

	if (line > 0)
		err_prefix(err, "%s:%d", origin->path, line);
	else
		err_prefix(err, "%s", origin->path);
	if (!origin->overrides)
		return err->number;
	return problem(l, err, "%s; it was left out", err->text);
}

static int refuse_unknown(struct loading *l, const struct origin *origin, const char *key,
			  struct err *err)
{
	char nearest[TABLE_KEY];

	if (table_suggest(key, nearest))
		err_code(err, -EINVAL, "invalid_args",
			 "%s is not a setting (did you mean %s?)", key, nearest);
	else
		err_code(err, -EINVAL, "invalid_args", "%s is not a setting", key);
	return refuse(l, origin, key, err);
}

static int take_value(struct loading *l, const struct origin *origin,
		      const struct setting *setting, const cJSON *value, struct err *err)
{
	if (origin->overrides && setting->local_only) {
		err_code(err, -EINVAL, "invalid_args", "%s cannot be set here",
			 setting->key);
		return refuse(l, origin, setting->key, err);
	}
	if (value_check(setting, setting->key, value, err) < 0)
		return refuse(l, origin, setting->key, err);
	if (origin->overrides && load_by_environment(l->source, setting) &&
	    load_hide(l->problems, origin->path, setting, true) < 0)
		return out_of_memory(err);
	return put(l, setting->key, cJSON_Duplicate(value, true), err);
}

static int merge(struct loading *l, const struct origin *origin, const char *section,
		 const cJSON *object, struct err *err);

static int merge_member(struct loading *l, const struct origin *origin, const char *key,
			const cJSON *member, struct err *err)
{
	const struct setting *setting = table_find(key);

	if (setting)
		return take_value(l, origin, setting, member, err);
	if (!table_section(key))
		return refuse_unknown(l, origin, key, err);
	if (cJSON_IsObject(member))
		return merge(l, origin, key, member, err);
	err_code(err, -EINVAL, "invalid_args", "%s must be an object { … }", key);
	return refuse(l, origin, key, err);
}

/* Merges the object of section; "" for the whole file. */
static int merge(struct loading *l, const struct origin *origin, const char *section,
		 const cJSON *object, struct err *err)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, object) {
		/* A key longer than this is cut off; it is unknown anyway. */
		char key[4 * TABLE_KEY];
		int ret;

		snprintf(key, sizeof(key), "%s%s%s", section, section[0] ? "." : "",
			 member->string);
		ret = merge_member(l, origin, key, member, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int merge_file(struct loading *l, const struct origin *origin, struct err *err)
{
	cJSON *document;
	int ret = json_file_read(&document, origin->path, err);

	if (ret < 0)
		return ret;

	ret = merge(l, origin, "", document, err);
	cJSON_Delete(document);
	return ret;
}

/* folder/name */
static int join(char path[PATH_MAX], const char *folder, const char *name,
		struct err *err)
{
	int length = snprintf(path, PATH_MAX, "%s/%s", folder, name);

	if (length < 0 || length >= PATH_MAX)
		return err_set(err, -ENAMETOOLONG, "%.200s…: is too long for a path",
			       folder);
	return 0;
}

static int merge_in_folder(struct loading *l, const char *folder, const char *name,
			   struct err *err)
{
	char path[PATH_MAX];
	const struct origin origin = {.path = path};
	int ret = join(path, folder, name, err);

	return ret < 0 ? ret : merge_file(l, &origin, err);
}

static int is_json(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');

	return end && end != entry->d_name && entry->d_name[0] != '.' &&
	       !strcmp(end, ".json");
}

/* Compares bytes, so that the order does not depend on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int merge_folder(struct loading *l, const char *folder, struct err *err)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, is_json, by_name);
	int ret = 0;

	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0) {
		int number = errno;

		return err_set(err, -number, "%s: %s", folder, strerror(number));
	}

	for (int i = 0; i < n; i++) {
		if (ret == 0)
			ret = merge_in_folder(l, folder, entries[i]->d_name, err);
		free(entries[i]);
	}
	free(entries);
	return ret;
}

static int merge_user_files(struct loading *l, struct err *err)
{
	const struct origin config = {.path = l->source->config_file};
	char folder[PATH_MAX];
	int ret = merge_in_folder(l, l->source->system_dir, "agent.json", err);

	if (ret < 0 && ret != -ENOENT)
		return ret;
	ret = join(folder, l->source->system_dir, "conf.d", err);
	if (ret < 0)
		return ret;
	ret = merge_folder(l, folder, err);
	if (ret < 0 || !config.path)
		return ret;
	return merge_file(l, &config, err);
}

static int merge_environment(struct loading *l, struct err *err)
{
	for (size_t i = 0; i < table_size(); i++) {
		const struct setting *setting = table_at(i);
		const char *text = environment(l->source, setting->env);
		cJSON *value;
		int ret;

		if (!text)
			continue;
		ret = value_parse(&value, setting, setting->env, text, err);
		if (ret == 0)
			ret = put(l, setting->key, value, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Keeps a file that cannot be parsed, so that a person can look at it. */
static int move_aside(struct loading *l, const char *path, struct err *err)
{
	char aside[PATH_MAX + 16];
	int n = 1;

	do {
		snprintf(aside, sizeof(aside), "%s.damaged-%d", path, n);
	} while (access(aside, F_OK) == 0 && n++ < DAMAGED_MAX);

	if (rename(path, aside) < 0)
		return problem(l, err, "%s; it could not be moved aside: %s", err->text,
			       strerror(errno));
	return problem(l, err, "%s; it was moved to %s", err->text, aside);
}

static int merge_overrides(struct loading *l, struct err *err)
{
	const cJSON *folder = cJSON_GetObjectItemCaseSensitive(l->values, "state_dir");
	char path[PATH_MAX];
	const struct origin origin = {.path = path, .overrides = true};
	int ret = join(path, folder->valuestring, LOAD_OVERRIDES, err);

	if (ret < 0)
		return ret;

	ret = merge_file(l, &origin, err);
	if (ret == -ENOENT)
		return 0;
	return ret == -EBADMSG || ret == -EFBIG ? move_aside(l, path, err) : ret;
}

static bool missing(const struct loading *l, const char *key)
{
	return !cJSON_HasObjectItem(l->values, key);
}

static int work_out_state_dir(struct loading *l, struct err *err)
{
	char path[PATH_MAX];
	int ret;

	if (!missing(l, "state_dir"))
		return 0;
	ret = host_state_dir(path, sizeof(path), geteuid(), l->source->env, err);
	if (ret < 0)
		return ret;
	return put(l, "state_dir", cJSON_CreateString(path), err);
}

static int work_out_device_id(struct loading *l, struct err *err)
{
	char id[HOST_DEVICE_ID];
	int ret = 0;

	if (!missing(l, "device.id"))
		return 0;
	if (!host_device_id(id, HOST_MACHINE_ID_FILE, HOST_SERIAL_FILE))
		ret = problem(l, err,
			      "this machine has neither a machine id nor a serial "
			      "number, so the "
			      "device id was made from its host name: set device.id");
	return ret < 0 ? ret : put(l, "device.id", cJSON_CreateString(id), err);
}

static int work_out_project_dir(struct loading *l, struct err *err)
{
	const cJSON *state = cJSON_GetObjectItemCaseSensitive(l->values, "state_dir");
	char path[PATH_MAX];
	int ret;

	if (!missing(l, "project_dir"))
		return 0;
	ret = join(path, state->valuestring, "projects", err);
	return ret < 0 ? ret : put(l, "project_dir", cJSON_CreateString(path), err);
}

static int work_out_threads(struct loading *l, struct err *err)
{
	const char *key = "scheduler.blocking_threads";

	if (!missing(l, key))
		return 0;
	return put(l, key, cJSON_CreateNumber(host_blocking_threads()), err);
}

static int keep_without_overrides(struct loading *l, struct err *err)
{
	l->without_overrides = cJSON_Duplicate(l->values, true);
	return l->without_overrides ? 0 : out_of_memory(err);
}

/* The defaults that depend on other values, as they are without the overrides. */
static int work_out_without_overrides(struct loading *l, struct err *err)
{
	struct loading below = *l;
	int ret;

	below.values = l->without_overrides;
	ret = work_out_project_dir(&below, err);
	return ret < 0 ? ret : work_out_threads(&below, err);
}

/* The environment is merged twice: it names the state folder, and beats the overrides. */
static int load_all(struct loading *l, struct err *err)
{
	int (*const steps[])(struct loading *, struct err *) = {
		add_defaults,
		merge_user_files,
		merge_environment,
		work_out_state_dir,
		work_out_device_id,
		keep_without_overrides,
		work_out_without_overrides,
		merge_overrides,
		merge_environment,
		work_out_project_dir,
		work_out_threads,
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int ret = steps[i](l, err);

		if (ret < 0)
			return ret;
	}
	return 0;
}

int load_values(struct loaded *loaded, const struct settings_source *source,
		struct err *err)
{
	struct loading l = {
		.source = source,
		.values = cJSON_CreateObject(),
		.problems = cJSON_CreateArray(),
	};
	struct err unread; /* the sentence is needed even if the caller passes NULL */
	int ret;

	if (!err)
		err = &unread;
	ret = l.values && l.problems ? load_all(&l, err) : out_of_memory(err);
	*loaded = (struct loaded){l.values, l.without_overrides, l.problems};
	if (ret < 0)
		load_free(loaded);
	return ret;
}

void load_free(struct loaded *loaded)
{
	cJSON_Delete(loaded->values);
	cJSON_Delete(loaded->without_overrides);
	cJSON_Delete(loaded->problems);
	*loaded = (struct loaded){0};
}
