#include "tasks/community/host/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROCESSES_MAX 32768
#define DEPTH_MAX 32
#define FILE_BYTES 4096 /* what a name costs, so that countless empty files count too */

struct kin {
	pid_t pid, parent;
};

/* The first size - 1 bytes of a file of /proc; false when it is gone. */
static bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return false;
	got = read(fd, text, size - 1);
	close(fd);
	if (got <= 0)
		return false;
	text[got] = '\0';
	return true;
}

/* The parent stands behind the command's name, which may hold anything but a last ")". */
static bool read_parent(const char *pid, pid_t *parent)
{
	char path[64], text[512];
	const char *end;
	char *behind;

	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	if (!read_text(path, text, sizeof(text)))
		return false;
	end = strrchr(text, ')');
	if (!end || strlen(end) < sizeof(") S 1"))
		return false;
	*parent = (pid_t)strtol(end + sizeof(") S"), &behind, 10);
	return *behind == ' ';
}

static size_t read_all(struct kin *all)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	size_t n = 0;

	if (!proc)
		return 0;
	while (n < PROCESSES_MAX && (entry = readdir(proc))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		all[n].pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (read_parent(entry->d_name, &all[n].parent))
			n++;
	}
	closedir(proc);
	return n;
}

static int64_t line_kb(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoll(line + strlen(name), NULL, 10) : 0;
}

static int64_t memory_of(pid_t pid)
{
	char path[64], text[2048];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (!read_text(path, text, sizeof(text)))
		return 0;
	return 1024 * (line_kb(text, "\nRssAnon:") + line_kb(text, "\nRssShmem:"));
}

/* This process as /proc has it, which inside of a namespace is not getpid(). */
static pid_t self(void)
{
	char text[32];
	ssize_t length = readlink("/proc/self", text, sizeof(text) - 1);

	if (length <= 0)
		return getpid();
	text[length] = '\0';
	return (pid_t)strtol(text, NULL, 10);
}

/* pids is a queue: the children of each go to its end. */
static void add_children(struct census *census, const struct kin *all, size_t n,
			 pid_t parent)
{
	for (size_t i = 0; i < n && census->count < CENSUS_MAX; i++)
		if (all[i].parent == parent)
			census->pids[census->count++] = all[i].pid;
}

void census_take(struct census *census)
{
	static struct kin all[PROCESSES_MAX];
	size_t n = read_all(all);

	census->count = 0;
	census->memory = 0;
	add_children(census, all, n, self());
	for (int i = 0; i < census->count; i++) {
		add_children(census, all, n, census->pids[i]);
		census->memory += memory_of(census->pids[i]);
	}
}

static int64_t folder_size(int fd, int64_t most, int depth)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	int64_t size = 0;

	if (!folder) {
		if (copy >= 0)
			close(copy);
		return 0;
	}
	while (size <= most && (entry = readdir(folder))) {
		struct stat st;
		int below;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		size += FILE_BYTES + (int64_t)st.st_blocks * 512;
		if (!S_ISDIR(st.st_mode) || depth == DEPTH_MAX)
			continue;
		below = openat(fd, entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below < 0)
			continue;
		size += folder_size(below, most - size, depth + 1);
		close(below);
	}
	closedir(folder);
	return size;
}

int64_t census_folder(int fd, int64_t most)
{
	return folder_size(fd, most, 0);
}
