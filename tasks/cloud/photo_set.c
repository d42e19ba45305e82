/* Collects and reads the photos of a project. */
#include "tasks/cloud/photo_set.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tasks/project/folder.h"

#define PATH 700
#define MAX_DEPTH 8
#define MAX_PHOTOS 200000

/* ---- file names ---- */

static bool ends_in(const char *name, const char *const *endings)
{
	const char *dot = strrchr(name, '.');

	for (; dot && *endings; endings++)
		if (!strcasecmp(dot + 1, *endings))
			return true;
	return false;
}

static bool is_photo(const char *name)
{
	static const char *const endings[] = {"jpg", "jpeg", NULL};

	return ends_in(name, endings);
}

static bool is_other_picture(const char *name)
{
	static const char *const endings[] = {"png", "dng", "raw", "cr2",
					      "cr3", "crw", "npy", NULL};

	return ends_in(name, endings);
}

/* Derived from photos, not a photo itself. */
static bool is_derived(const char *name)
{
	return !strcmp(name, "thumbnail.jpg") || !strcmp(name, "contact_sheet.jpg");
}

static bool is_scan(const char *name)
{
	return !strncmp(name, "scan", 4) && isdigit((unsigned char)name[4]);
}

/* ---- collecting ---- */

static int add_photo(struct photo_set *set, const char *path, const char *name,
		     struct err *err)
{
	struct stat st;
	struct photo_file *grown, *file;
	int fd = folder_open_file(set->root, path, O_RDONLY, err), ret;

	if (fd < 0)
		return fd;
	ret = fstat(fd, &st) < 0 ? err_code(err, -errno, "storage_error", "%s: %s", path,
					    strerror(errno))
				 : 0;
	close(fd);
	if (ret < 0)
		return ret;
	if (set->count == MAX_PHOTOS)
		return err_code(err, -E2BIG, "not_supported",
				"the project has more than %d photos", MAX_PHOTOS);
	grown = realloc(set->list, (set->count + 1) * sizeof(*grown));
	if (!grown)
		return err_set(err, -ENOMEM, "out of memory");
	set->list = grown;
	file = &grown[set->count++];
	*file = (struct photo_file){.path = strdup(path),
				    .name = strdup(name),
				    .size = st.st_size,
				    .mtime_s = st.st_mtim.tv_sec};
	set->bytes += st.st_size;
	return file->path && file->name ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static int add_files(struct photo_set *set, const char *folder, struct err *err)
{
	cJSON *names = NULL;
	const cJSON *name;
	char path[PATH];
	int ret = folder_names(set->root, folder, false, &names, err);

	if (ret < 0)
		return ret;
	cJSON_ArrayForEach(name, names) {
		if (is_other_picture(name->valuestring))
			set->others++;
		if (ret < 0 || !is_photo(name->valuestring) ||
		    is_derived(name->valuestring))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, name->valuestring);
		ret = add_photo(set, path, name->valuestring, err);
	}
	cJSON_Delete(names);
	return ret;
}

static int collect(struct photo_set *set, const char *folder, int depth, struct err *err);

static int collect_below(struct photo_set *set, const char *folder, int depth,
			 struct err *err)
{
	cJSON *names = NULL;
	const cJSON *name;
	char path[PATH];
	int ret = folder_names(set->root, folder, true, &names, err);

	if (ret < 0)
		return ret;
	cJSON_ArrayForEach(name, names) {
		bool model = depth == 0 && !strcmp(name->valuestring, "model");

		if (ret < 0 || model)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, name->valuestring);
		ret = collect(set, path, depth + 1, err);
	}
	cJSON_Delete(names);
	return ret;
}

/* If a scan has merged photos, they are taken instead of all others. */
static int collect(struct photo_set *set, const char *folder, int depth, struct err *err)
{
	const char *name = strrchr(folder, '/');
	char stacked[PATH];
	size_t before = set->count;
	int ret = 0;

	snprintf(stacked, sizeof(stacked), "%s/stacked", folder);
	if (depth == 1 && is_scan(name + 1) && folder_has(set->root, stacked)) {
		ret = add_files(set, stacked, err);
		if (ret < 0 || set->count > before)
			return ret;
	}
	ret = add_files(set, folder, err);
	if (ret == 0 && depth < MAX_DEPTH)
		ret = collect_below(set, folder, depth, err);
	return ret;
}

/* ---- names in the archive ---- */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct photo_file *)a)->path,
		      ((const struct photo_file *)b)->path);
}

static int by_name(const void *a, const void *b)
{
	const struct photo_file *const *one = a, *const *other = b;
	int order = strcmp((*one)->name, (*other)->name);

	return order ? order : strcmp((*one)->path, (*other)->path);
}

/* "cup/scan02/a.jpg" is "scan02_a.jpg". */
static char *long_name(const char *path)
{
	char *name = strdup(strchr(path, '/') + 1);

	for (char *at = name; at && *at; at++)
		if (*at == '/')
			*at = '_';
	return name;
}

/* Of several photos with one name the first keeps it. */
static int make_names_unique(struct photo_set *set, struct err *err)
{
	struct photo_file **sorted = calloc(set->count, sizeof(*sorted));
	const char *last = "";
	int ret = 0;

	if (!sorted)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < set->count; i++)
		sorted[i] = &set->list[i];
	qsort(sorted, set->count, sizeof(struct photo_file *), by_name);
	for (size_t i = 0; i < set->count && ret == 0; i++) {
		if (strcmp(sorted[i]->name, last) != 0) {
			last = sorted[i]->name;
			continue;
		}
		free(sorted[i]->name);
		sorted[i]->name = long_name(sorted[i]->path);
		if (!sorted[i]->name)
			ret = err_set(err, -ENOMEM, "out of memory");
	}
	free(sorted);
	return ret;
}

int photo_set_open(struct photo_set *set, const struct folder *root, const char *project,
		   struct err *err)
{
	int ret;

	*set = (struct photo_set){.root = root, .fd = -1};
	if (!folder_has(root, project))
		return err_code(err, -ENOENT, "not_found", "there is no project '%s'",
				project);
	ret = collect(set, project, 0, err);
	if (ret < 0)
		return ret;
	if (set->count == 0)
		return err_code(err, -ENODATA, "invalid_state",
				"project '%s' has no JPEG photos to send", project);
	qsort(set->list, set->count, sizeof(*set->list), by_path);
	return make_names_unique(set, err);
}

void photo_set_clear(struct photo_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		free(set->list[i].path);
		free(set->list[i].name);
	}
	free(set->list);
	if (set->root && set->fd >= 0)
		close(set->fd);
	*set = (struct photo_set){.fd = -1};
}

struct zip_file *photo_set_zip_files(const struct photo_set *set)
{
	struct zip_file *files = calloc(set->count, sizeof(*files));

	for (size_t i = 0; files && i < set->count; i++)
		files[i] = (struct zip_file){.name = set->list[i].name,
					     .size = set->list[i].size,
					     .mtime_s = set->list[i].mtime_s};
	return files;
}

/* ---- reading ---- */

static int changed(const struct photo_file *file, struct err *err)
{
	return err_code(err, -ESTALE, "task_failed",
			"%s has changed in the meantime: restart the task from the start",
			file->path);
}

static int open_photo(struct photo_set *set, size_t i, struct err *err)
{
	const struct photo_file *file = &set->list[i];
	struct stat st;

	if (set->fd >= 0 && set->open == i)
		return 0;
	if (set->fd >= 0)
		close(set->fd);
	set->open = i;
	set->fd = folder_open_file(set->root, file->path, O_RDONLY, err);
	if (set->fd < 0)
		return set->fd;
	if (fstat(set->fd, &st) < 0 || st.st_size != file->size ||
	    st.st_mtim.tv_sec != file->mtime_s)
		return changed(file, err);
	return 0;
}

int photo_set_read(void *context, size_t file, int64_t offset, void *bytes, size_t size,
		   struct err *err)
{
	struct photo_set *set = context;
	char *to = bytes;
	int ret = open_photo(set, file, err);

	while (ret == 0 && size > 0) {
		ssize_t n = pread(set->fd, to, size, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_code(err, -errno, "storage_error", "%s: %s",
					set->list[file].path, strerror(errno));
		if (n == 0)
			return changed(&set->list[file], err);
		to += n;
		offset += n;
		size -= (size_t)n;
	}
	return ret;
}
