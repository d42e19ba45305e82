/* Reads the tree of our descendants from /proc, and sums up disk usage. */
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
#define FILE_BYTES 4096 /* added per file, so that empty files count too */

struct process_parent {
	pid_t pid, parent;
};

/* Reads the first size - 1 bytes of a /proc file; false when the process is gone. */
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

/* The parent follows the command's name in parentheses.  The name may contain any
 * character, so the last ")" in the line is the one that ends it. */
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

static size_t read_all(struct process_parent *all)
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

/* Our process ID as /proc shows it; inside a namespace that is not getpid(). */
static pid_t self(void)
{
	char text[32];
	ssize_t length = readlink("/proc/self", text, sizeof(text) - 1);

	if (length <= 0)
		return getpid();
	text[length] = '\0';
	return (pid_t)strtol(text, NULL, 10);
}

/* pids is a queue: the children of each entry are appended. */
static void add_children(struct process_tree *tree, const struct process_parent *all,
			 size_t n, pid_t parent)
{
	for (size_t i = 0; i < n && tree->count < PROCESS_TREE_MAX; i++)
		if (all[i].parent == parent)
			tree->pids[tree->count++] = all[i].pid;
}

void process_tree_read(struct process_tree *tree)
{
	static struct process_parent all[PROCESSES_MAX];
	size_t n = read_all(all);

	tree->count = 0;
	tree->memory = 0;
	add_children(tree, all, n, self());
	for (int i = 0; i < tree->count; i++) {
		add_children(tree, all, n, tree->pids[i]);
		tree->memory += memory_of(tree->pids[i]);
	}
}

static int64_t folder_usage(int fd, int64_t most, int depth)
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
		size += folder_usage(below, most - size, depth + 1);
		close(below);
	}
	closedir(folder);
	return size;
}

int64_t disk_usage(int fd, int64_t most)
{
	return folder_usage(fd, most, 0);
}
