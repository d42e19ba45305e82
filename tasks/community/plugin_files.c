/* Finds the plugin files in the community folder. */
#include "tasks/community/plugin_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 8

struct search {
	const struct community_config *config;
	struct plugin_files *files;
};

/* Without st_dev, which may change for the same disk between boots. */
static void put_stamp(char stamp[PLUGIN_STAMP], const struct stat *is)
{
	snprintf(stamp, PLUGIN_STAMP, "%ju %jd %jd.%09ld %jd.%09ld",
		 (uintmax_t)is->st_ino, (intmax_t)is->st_size,
		 (intmax_t)is->st_mtim.tv_sec, is->st_mtim.tv_nsec,
		 (intmax_t)is->st_ctim.tv_sec, is->st_ctim.tv_nsec);
}

static struct plugin_file *add_file(struct search *search, const char *path,
				    const struct stat *is)
{
	struct plugin_files *files = search->files;
	struct plugin_file *file;

	if (files->count == PLUGIN_FILES_MAX)
		return NULL;
	file = &files->files[files->count++];
	snprintf(file->path, sizeof(file->path), "%s", path);
	put_stamp(file->stamp, is);
	file->problem[0] = '\0';
	return file;
}

/* Anyone who may write to the file decides what the agent executes. */
static bool is_trusted(const struct stat *is, char problem[256])
{
	if (is->st_uid != 0 && is->st_uid != geteuid()) {
		snprintf(problem, 256,
			 "it belongs neither to root nor to the agent's user: skipped");
		return false;
	}
	if (is->st_mode & (S_IWGRP | S_IWOTH)) {
		snprintf(problem, 256,
			 "others may write to it: skipped (chmod go-w helps)");
		return false;
	}
	return true;
}

/* Compares the name without its extension. */
static bool is_ignored(const struct community_config *config, const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t length = dot && dot != name ? (size_t)(dot - name) : strlen(name);
	const cJSON *ignored;

	cJSON_ArrayForEach(ignored, config->ignored)
		if (strlen(ignored->valuestring) == length &&
		    !strncmp(ignored->valuestring, name, length))
			return true;
	return false;
}

static bool ends_in(const char *name, const char *ending)
{
	size_t length = strlen(name), end = strlen(ending);

	return length > end && !strcmp(name + length - end, ending);
}

/* Tells a script without the executable bit from an ordinary text file. */
static bool begins_as_script(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char two[2] = "";
	ssize_t got = fd < 0 ? 0 : read(fd, two, sizeof(two));

	if (fd >= 0)
		close(fd);
	return got == 2 && two[0] == '#' && two[1] == '!';
}

static void take_file(struct search *search, const char *path, const char *name,
		      const struct stat *is)
{
	bool loaded = ends_in(name, ".py") || ends_in(name, ".so");
	bool runs = is->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH);
	struct plugin_file *file;

	if (!loaded && !runs && !begins_as_script(path))
		return; /* a text file, an image */
	file = add_file(search, path, is);
	if (!file || !is_trusted(is, file->problem))
		return;
	if (!loaded && !runs)
		snprintf(file->problem, sizeof(file->problem),
			 "it is a script but not executable (chmod +x)");
}

static void search_folder(struct search *search, const char *folder, int depth);

static void take_entry(struct search *search, const char *folder, const char *name,
		       int depth)
{
	char path[PATH_MAX];
	struct stat is;

	if (name[0] == '_' || name[0] == '.' || is_ignored(search->config, name))
		return;
	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path) ||
	    stat(path, &is) < 0)
		return;
	if (S_ISREG(is.st_mode))
		take_file(search, path, name, &is);
	else if (S_ISDIR(is.st_mode) && search->config->sub_folders && depth < DEPTH_MAX)
		search_folder(search, path, depth + 1);
}

static void search_folder(struct search *search, const char *folder, int depth)
{
	struct dirent **entries;
	struct plugin_file *file;
	char problem[256];
	struct stat is;
	int n;

	if (stat(folder, &is) < 0)
		return;
	if (!is_trusted(&is, problem)) {
		file = add_file(search, folder, &is);
		if (file)
			snprintf(file->problem, sizeof(file->problem), "%s", problem);
		return;
	}
	n = scandir(folder, &entries, NULL, alphasort);
	if (n < 0) {
		file = add_file(search, folder, &is);
		if (file)
			snprintf(file->problem, sizeof(file->problem), "%s",
				 strerror(errno));
		return;
	}
	for (int i = 0; i < n; i++) {
		take_entry(search, folder, entries[i]->d_name, depth);
		free(entries[i]);
	}
	free(entries);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct plugin_file *)a)->path,
		      ((const struct plugin_file *)b)->path);
}

struct plugin_files *plugin_files_find(const struct community_config *config)
{
	struct plugin_files *files = calloc(1, sizeof(*files));
	struct search search = {.config = config, .files = files};

	if (!files || !(files->files = calloc(PLUGIN_FILES_MAX, sizeof(*files->files))))
		abort(); /* out of memory */
	if (config->enabled)
		search_folder(&search, config->folder, 0);
	qsort(files->files, files->count, sizeof(*files->files), by_path);
	if (files->count == PLUGIN_FILES_MAX)
		snprintf(files->files[PLUGIN_FILES_MAX - 1].problem,
			 sizeof(files->files->problem),
			 "there are more files than the %d that are looked at: skipped",
			 PLUGIN_FILES_MAX);
	return files;
}

void plugin_files_free(struct plugin_files *files)
{
	free(files->files);
	free(files);
}
