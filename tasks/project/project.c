/* Projects on disk: names, documents, and the verbs create, list, get and delete. */
#include "tasks/project/project.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/base/log.h"
#include "agent/base/utf8.h"
#include "tasks/project/folder.h"

#define NAME_CHARACTERS 150
#define NAME_BYTES 255 /* what file systems take */
#define LIST_MAX 200
#define PATH_SIZE 400
#define MAX_SCANS 9999

struct projects {
	struct folder *folder;
	pthread_mutex_t lock; /* one change of a project's document at a time */
};

/* ---- names ---- */

static bool is_device_name(const char *name)
{
	static const char *const devices[] = {"CON", "PRN", "AUX", "NUL"};
	size_t length = strcspn(name, ".");

	for (size_t i = 0; i < 4; i++)
		if (length == 3 && !strncasecmp(name, devices[i], 3))
			return true;
	return length == 4 && name[3] >= '1' && name[3] <= '9' &&
	       (!strncasecmp(name, "COM", 3) || !strncasecmp(name, "LPT", 3));
}

/* The offset of the first forbidden character, or the length. */
static int allowed_bytes(const char *name, size_t length, struct err *err)
{
	static const char *const pattern = "\\A[\\p{L}\\p{M}\\p{N}\\p{Zs}_.'-]*";
	pcre2_match_data *match = NULL;
	pcre2_code *code;
	PCRE2_SIZE where;
	int why, ret;

	code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &why,
			     &where, NULL);
	if (code)
		match = pcre2_match_data_create_from_pattern(code, NULL);
	if (!match) {
		ret = err_set(err, -ENOMEM, "out of memory");
		goto done;
	}
	ret = pcre2_match(code, (PCRE2_SPTR)name, length, 0, 0, match, NULL);
	if (ret > 0)
		ret = (int)pcre2_get_ovector_pointer(match)[1];
	else
		ret = err_set(err, -EIO, "the project name could not be checked");
done:
	pcre2_match_data_free(match);
	pcre2_code_free(code);
	return ret;
}

static size_t count_characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		if (((unsigned char)*text & 0xc0) != 0x80)
			count++;
	return count;
}

static int character_bytes(const char *text)
{
	int n = 1;

	while (((unsigned char)text[n] & 0xc0) == 0x80)
		n++;
	return n;
}

int project_name_check(const char *name, struct err *err)
{
	size_t length = strlen(name), characters = count_characters(name);
	const char *bad;
	int allowed;

	if (!utf8_valid(name, length))
		return err_code(err, -EINVAL, "invalid_args",
				"a project name must be UTF-8");
	if (characters < 1 || characters > NAME_CHARACTERS || length > NAME_BYTES)
		return err_code(
			err, -EINVAL, "invalid_args",
			"a project name must be 1 to %d characters (%d bytes) long, "
			"not %zu (%zu)",
			NAME_CHARACTERS, NAME_BYTES, characters, length);

	allowed = allowed_bytes(name, length, err);
	if (allowed < 0)
		return allowed;
	bad = name + allowed;
	if (*bad && iscntrl((unsigned char)*bad))
		return err_code(err, -EINVAL, "invalid_args",
				"a project name must not contain control characters");
	if (*bad)
		return err_code(err, -EINVAL, "invalid_args",
				"a project name must not contain '%.*s'",
				character_bytes(bad), bad);
	if (strchr(" .", name[0]) || strchr(" .", name[length - 1]))
		return err_code(
			err, -EINVAL, "invalid_args",
			"a project name must not begin or end with a space or a period");
	if (is_device_name(name))
		return err_code(
			err, -EINVAL, "invalid_args",
			"'%s' is a device on Windows, so no project can have this name",
			name);
	return 0;
}

/* ---- documents ---- */

static void document_path(const char *name, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s/openscan_project.json", name);
}

static cJSON *new_document(const struct projects *p, const char *name,
			   const char *description)
{
	cJSON *doc = cJSON_CreateObject();
	char now[CLOCK_TEXT], path[4096 + PATH_SIZE];

	clock_text(clock_wall_ms(), now);
	snprintf(path, sizeof(path), "%s/%s", folder_path(p->folder), name);
	json_put_string(doc, "name", name);
	json_put_string(doc, "path", path);
	json_put_string(doc, "created", now);
	json_put_string(doc, "description", description);
	cJSON_AddFalseToObject(doc, "uploaded");
	cJSON_AddNullToObject(doc, "cloud_project_name");
	cJSON_AddFalseToObject(doc, "downloaded");
	cJSON_AddObjectToObject(doc, "scans");
	return doc;
}

static int write_document(const struct projects *p, const char *name, const cJSON *doc,
			  struct err *err)
{
	char path[PATH_SIZE];

	document_path(name, path);
	return folder_write_json(p->folder, path, doc, err);
}

/* Moves a damaged document aside, for a person to look at, and writes a new one: the
 * photos matter, and they are still there. */
static int replace_document(const struct projects *p, const char *name, cJSON **out,
			    struct err *err)
{
	char path[PATH_SIZE], aside[PATH_SIZE + 32];
	cJSON *doc;
	int ret = -EEXIST;

	document_path(name, path);
	for (int n = 1; ret == -EEXIST && n < 1000; n++) {
		snprintf(aside, sizeof(aside), "%s.damaged-%d", path, n);
		ret = folder_rename(p->folder, path, aside, err);
	}
	if (ret < 0)
		return ret;
	log_error("%s is damaged: moved aside to %s, a new one is written", path, aside);

	doc = new_document(p, name, NULL);
	ret = write_document(p, name, doc, err);
	if (ret < 0) {
		cJSON_Delete(doc);
		return ret;
	}
	*out = doc;
	return 0;
}

/* Called with the lock held. */
static int read_document(const struct projects *p, const char *name, cJSON **out,
			 struct err *err)
{
	char path[PATH_SIZE];
	struct err why = {0};
	int ret = project_name_check(name, err);

	if (ret < 0)
		return ret;
	document_path(name, path);
	ret = folder_read_json(p->folder, path, out, &why);
	if (ret == -EBADMSG)
		return replace_document(p, name, out, err);
	if (ret == -ENOENT)
		return err_code(err, ret, "not_found", "there is no project '%s'", name);
	if (ret < 0)
		return err_code(err, ret, why.code, "%s", why.text);
	return 0;
}

static cJSON *object_member(cJSON *doc, const char *key)
{
	cJSON *member = cJSON_GetObjectItemCaseSensitive(doc, key);

	if (cJSON_IsObject(member))
		return member;
	cJSON_DeleteItemFromObjectCaseSensitive(doc, key);
	return cJSON_AddObjectToObject(doc, key);
}

/* ---- scans of a project ---- */

/* "scan01" to 1; 0 for anything else. */
static int scan_number(const char *folder)
{
	char *end;
	long number;

	if (strncmp(folder, "scan", 4) || !isdigit((unsigned char)folder[4]))
		return 0;
	number = strtol(folder + 4, &end, 10);
	return *end == '\0' && number >= 1 && number <= MAX_SCANS ? (int)number : 0;
}

int project_count_photos(const cJSON *photos)
{
	const cJSON *photo;
	int count = 0;

	cJSON_ArrayForEach(photo, photos)
		count += cJSON_IsString(photo) &&
			 strncmp(photo->valuestring, "stacked/", 8) != 0;
	return count;
}

static int count_photo_files(const struct projects *p, const char *path)
{
	cJSON *names = NULL;
	const cJSON *name;
	int count = 0;

	if (folder_names(p->folder, path, false, &names, NULL) < 0)
		return 0;
	cJSON_ArrayForEach(name, names) {
		size_t length = strlen(name->valuestring);

		if (!strncmp(name->valuestring, "scan", 4) && length > 4 &&
		    !strcmp(name->valuestring + length - 4, ".jpg"))
			count++;
	}
	cJSON_Delete(names);
	return count;
}

/* Describes a scan from its document or, when that is damaged, from its folder. */
static cJSON *describe_scan(const struct projects *p, const char *name,
			    const char *folder)
{
	char path[PATH_SIZE], file[PATH_SIZE + 16], full[4096 + PATH_SIZE];
	struct err err = {0};
	cJSON *doc = NULL, *scan = cJSON_CreateObject();
	const cJSON *photos;
	double points;

	snprintf(path, sizeof(path), "%s/%s", name, folder);
	snprintf(file, sizeof(file), "%s/scan.json", path);
	snprintf(full, sizeof(full), "%s/%s", folder_path(p->folder), path);
	if (folder_read_json(p->folder, file, &doc, &err) < 0 && err.number != -ENOENT)
		log_warn("%s", err.text);

	photos = cJSON_GetObjectItemCaseSensitive(doc, "photos");
	points = json_number(cJSON_GetObjectItemCaseSensitive(doc, "settings"), "points",
			     0);
	cJSON_AddNumberToObject(scan, "scan", scan_number(folder));
	json_put_string(scan, "status", json_string(doc, "status"));
	cJSON_AddNumberToObject(scan, "points", json_number(doc, "points", points));
	cJSON_AddNumberToObject(scan, "photos",
				cJSON_IsArray(photos) ? project_count_photos(photos)
						      : count_photo_files(p, path));
	cJSON_AddNumberToObject(scan, "bytes",
				doc ? json_number(doc, "total_size_bytes", 0)
				    : (double)folder_tree_size(p->folder, path));
	json_put_string(scan, "folder", full);
	json_put_string(scan, "created", json_string(doc, "created"));
	cJSON_Delete(doc);
	return scan;
}

static int describe_scans(const struct projects *p, const char *name, cJSON **out,
			  struct err *err)
{
	cJSON *names = NULL, *scans;
	const cJSON *folder;
	int ret = folder_names(p->folder, name, true, &names, err);

	if (ret < 0)
		return ret;
	scans = cJSON_CreateArray();
	cJSON_ArrayForEach(folder, names)
		if (scan_number(folder->valuestring))
			cJSON_AddItemToArray(scans,
					     describe_scan(p, name, folder->valuestring));
	cJSON_Delete(names);
	*out = scans;
	return 0;
}

static double sum_of(const cJSON *scans, const char *key)
{
	const cJSON *scan;
	double sum = 0;

	cJSON_ArrayForEach(scan, scans)
		sum += json_number(scan, key, 0);
	return sum;
}

static bool is_open(const char *status)
{
	return status && (!strcmp(status, "running") || !strcmp(status, "pending") ||
			  !strcmp(status, "paused"));
}

/* Sets the status of an ended task to "interrupted"; false when doc shows no unfinished
 * task. */
static bool interrupt_status(cJSON *doc)
{
	if (!is_open(json_string(doc, "status")))
		return false;
	json_put_string(doc, "status", "interrupted");
	json_put_string(doc, "task_id", NULL);
	return true;
}

static void interrupt_scan(const struct projects *p, const char *name, const char *folder)
{
	char path[PATH_SIZE];
	struct err err = {0};
	bool scanned, stacked;
	cJSON *doc;

	snprintf(path, sizeof(path), "%s/%s/scan.json", name, folder);
	if (folder_read_json(p->folder, path, &doc, &err) < 0)
		return; /* a damaged one is reported when somebody reads it */
	scanned = interrupt_status(doc);
	stacked = interrupt_status(
		cJSON_GetObjectItemCaseSensitive(doc, "stacking_task_status"));
	if ((scanned || stacked) && folder_write_json(p->folder, path, doc, &err) < 0)
		log_warn("%s", err.text);
	cJSON_Delete(doc);
}

static void interrupt_scans(const struct projects *p)
{
	cJSON *names = NULL;
	const cJSON *name;

	if (folder_names(p->folder, ".", true, &names, NULL) < 0)
		return;
	cJSON_ArrayForEach(name, names) {
		cJSON *folders = NULL;
		const cJSON *folder;

		if (project_name_check(name->valuestring, NULL) < 0 ||
		    folder_names(p->folder, name->valuestring, true, &folders, NULL) < 0)
			continue;
		cJSON_ArrayForEach(folder, folders)
			if (scan_number(folder->valuestring))
				interrupt_scan(p, name->valuestring, folder->valuestring);
		cJSON_Delete(folders);
	}
	cJSON_Delete(names);
}

/* ---- the verbs ---- */

int projects_open(struct projects **out, const char *root, struct err *err)
{
	struct projects *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return err_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&p->lock, NULL);
	ret = folder_open(&p->folder, root, err);
	if (ret < 0) {
		projects_close(p);
		return ret;
	}
	interrupt_scans(p);
	*out = p;
	return 0;
}

void projects_close(struct projects *p)
{
	if (!p)
		return;
	folder_close(p->folder);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

const char *projects_root(const struct projects *p)
{
	return folder_path(p->folder);
}

const struct folder *projects_folder(const struct projects *p)
{
	return p->folder;
}

int64_t projects_bytes_free(const struct projects *p)
{
	return folder_bytes_free(p->folder);
}

/* Called with the lock held. */
static int create(const struct projects *p, const char *name, const char *description,
		  struct err *err)
{
	int ret = project_name_check(name, err);
	cJSON *doc;

	if (ret < 0)
		return ret;
	ret = folder_make(p->folder, name, err);
	if (ret < 0)
		return ret == -EEXIST ? err_code(err, ret, "id_conflict",
						 "there is a project '%s' already", name)
				      : ret;
	doc = new_document(p, name, description);
	ret = write_document(p, name, doc, err);
	if (ret < 0)
		folder_remove(p->folder, name, NULL);
	cJSON_Delete(doc);
	return ret;
}

int projects_create(struct projects *p, const char *name, const char *description,
		    cJSON **out, struct err *err)
{
	int ret;

	pthread_mutex_lock(&p->lock);
	ret = create(p, name, description, err);
	pthread_mutex_unlock(&p->lock);
	return ret < 0 ? ret : projects_get(p, name, out, err);
}

int projects_ensure(struct projects *p, const char *name, const char *description,
		    struct err *err)
{
	cJSON *doc = NULL;
	int ret;

	pthread_mutex_lock(&p->lock);
	ret = read_document(p, name, &doc, err);
	cJSON_Delete(doc);
	if (ret == -ENOENT && folder_has(p->folder, name)) {
		doc = new_document(p, name, description); /* a folder created by hand */
		ret = write_document(p, name, doc, err);
		cJSON_Delete(doc);
	} else if (ret == -ENOENT) {
		ret = create(p, name, description, err);
	}
	pthread_mutex_unlock(&p->lock);
	return ret;
}

static int describe_project(struct projects *p, const char *name, cJSON **doc,
			    cJSON **scans, struct err *err)
{
	int ret;

	*doc = *scans = NULL;
	pthread_mutex_lock(&p->lock);
	ret = read_document(p, name, doc, err);
	pthread_mutex_unlock(&p->lock);
	if (ret == 0)
		ret = describe_scans(p, name, scans, err);
	if (ret < 0)
		cJSON_Delete(*doc);
	return ret;
}

static cJSON *list_entry(const char *name, const cJSON *doc, const cJSON *scans)
{
	cJSON *entry = cJSON_CreateObject();

	json_put_string(entry, "project", name);
	json_put_string(entry, "created", json_string(doc, "created"));
	cJSON_AddNumberToObject(entry, "scans", cJSON_GetArraySize(scans));
	cJSON_AddNumberToObject(entry, "photos", sum_of(scans, "photos"));
	cJSON_AddNumberToObject(entry, "bytes", sum_of(scans, "bytes"));
	cJSON_AddBoolToObject(entry, "uploaded", json_bool(doc, "uploaded", false));
	return entry;
}

int projects_list(struct projects *p, int limit, const char *next, cJSON **out,
		  struct err *err)
{
	cJSON *names = NULL, *projects;
	const cJSON *name;
	const char *last = NULL;
	bool more = false;
	int ret = folder_names(p->folder, ".", true, &names, err);

	if (ret < 0)
		return ret;
	limit = limit < 1 ? 1 : limit > LIST_MAX ? LIST_MAX : limit;
	projects = cJSON_CreateArray();
	cJSON_ArrayForEach(name, names) {
		cJSON *doc, *scans;

		if (next && strcmp(name->valuestring, next) <= 0)
			continue;
		/* Other folders in the root are ignored. */
		if (describe_project(p, name->valuestring, &doc, &scans, NULL) < 0)
			continue;
		more = cJSON_GetArraySize(projects) == limit;
		if (!more) {
			last = name->valuestring;
			cJSON_AddItemToArray(projects, list_entry(last, doc, scans));
		}
		cJSON_Delete(doc);
		cJSON_Delete(scans);
		if (more)
			break;
	}

	*out = cJSON_CreateObject();
	cJSON_AddItemToObject(*out, "projects", projects);
	json_put_string(*out, "next", more ? last : NULL);
	cJSON_Delete(names);
	return 0;
}

int projects_get(struct projects *p, const char *name, cJSON **out, struct err *err)
{
	cJSON *doc, *scans, *data;
	int ret = describe_project(p, name, &doc, &scans, err);

	if (ret < 0)
		return ret;
	data = cJSON_CreateObject();
	json_put_string(data, "project", name);
	json_put_string(data, "description", json_string(doc, "description"));
	json_put_string(data, "created", json_string(doc, "created"));
	cJSON_AddBoolToObject(data, "uploaded", json_bool(doc, "uploaded", false));
	cJSON_AddItemToObject(data, "scans", scans);
	cJSON_AddNumberToObject(data, "photos", sum_of(scans, "photos"));
	cJSON_AddNumberToObject(data, "bytes", sum_of(scans, "bytes"));
	cJSON_Delete(doc);
	*out = data;
	return 0;
}

int projects_delete(struct projects *p, const char *name, cJSON **out, struct err *err)
{
	cJSON *doc = NULL;
	int ret;

	pthread_mutex_lock(&p->lock);
	ret = read_document(p, name, &doc, err);
	cJSON_Delete(doc);
	if (ret == 0)
		ret = folder_remove(p->folder, name, err);
	pthread_mutex_unlock(&p->lock);
	if (ret < 0)
		return ret;
	*out = cJSON_CreateObject();
	json_put_string(*out, "project", name);
	return 0;
}

/* ---- for the task types ---- */

int projects_next_scan(struct projects *p, const char *name, int *index, struct err *err)
{
	cJSON *names = NULL;
	const cJSON *folder;
	int highest = 0;
	int ret = folder_names(p->folder, name, true, &names, err);

	if (ret < 0)
		return ret;
	cJSON_ArrayForEach(folder, names) {
		int number = scan_number(folder->valuestring);

		if (number > highest)
			highest = number;
	}
	cJSON_Delete(names);
	if (highest == MAX_SCANS)
		return err_code(err, -ERANGE, "storage_error",
				"project '%s' has %d scans: no room for another", name,
				MAX_SCANS);
	*index = highest + 1;
	return 0;
}

static void note_scan(cJSON *doc, int index, const char *created, int64_t bytes)
{
	cJSON *scan;
	char key[32];

	snprintf(key, sizeof(key), "scan%02d", index);
	scan = object_member(object_member(doc, "scans"), key);
	cJSON_DeleteItemFromObjectCaseSensitive(scan, "index");
	cJSON_AddNumberToObject(scan, "index", index);
	json_put_string(scan, "created", created);
	cJSON_DeleteItemFromObjectCaseSensitive(scan, "total_size_bytes");
	cJSON_AddNumberToObject(scan, "total_size_bytes", (double)bytes);
}

int projects_note_scan(struct projects *p, const char *name, int index,
		       const char *created, int64_t bytes, struct err *err)
{
	cJSON *doc = NULL;
	int ret;

	pthread_mutex_lock(&p->lock);
	ret = read_document(p, name, &doc, err);
	if (ret == 0) {
		note_scan(doc, index, created, bytes);
		ret = write_document(p, name, doc, err);
	}
	pthread_mutex_unlock(&p->lock);
	cJSON_Delete(doc);
	return ret;
}

int projects_document(struct projects *p, const char *name, cJSON **out, struct err *err)
{
	int ret;

	pthread_mutex_lock(&p->lock);
	ret = read_document(p, name, out, err);
	pthread_mutex_unlock(&p->lock);
	return ret;
}

int projects_patch(struct projects *p, const char *name, const cJSON *patch,
		   struct err *err)
{
	cJSON *doc = NULL;
	const cJSON *member;
	int ret;

	pthread_mutex_lock(&p->lock);
	ret = read_document(p, name, &doc, err);
	if (ret == 0) {
		cJSON_ArrayForEach(member, patch) {
			cJSON_DeleteItemFromObjectCaseSensitive(doc, member->string);
			cJSON_AddItemToObject(doc, member->string,
					      cJSON_Duplicate(member, true));
		}
		ret = write_document(p, name, doc, err);
	}
	pthread_mutex_unlock(&p->lock);
	cJSON_Delete(doc);
	return ret;
}
