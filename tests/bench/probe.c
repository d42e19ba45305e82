/* Reads the costs of a process from /proc. */
#include "tests/bench/probe.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/folder.h"
#include "tests/bench/sample.h"

/* Reads the number after a name in a file of /proc. */
static double number_in(const char *path, const char *name)
{
	char *text = file_read(path, NULL);
	const char *place = text ? strstr(text, name) : NULL;
	double number = place ? strtod(place + strlen(name), NULL) : 0;

	free(text);
	return number;
}

static void add_thread(struct probe *probe, pid_t pid, const char *thread)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/status", (int)pid, thread);
	/* Preceded by a line break, because nonvoluntary ends the same way. */
	probe->wakes += (int64_t)number_in(path, "\nvoluntary_ctxt_switches:");
	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/schedstat", (int)pid, thread);
	probe->cpu_ms += number_in(path, "") / 1e6;
}

void probe_take(struct probe *probe, pid_t pid)
{
	struct dirent *thread;
	char path[64];
	DIR *dir;

	*probe = (struct probe){0};
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	probe->rss_mb = number_in(path, "VmRSS:") * 1024 / 1e6;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (dir && (thread = readdir(dir)))
		if (thread->d_name[0] != '.')
			add_thread(probe, pid, thread->d_name);
	if (dir)
		closedir(dir);
}

void probe_program(const char *const argv[], double *most_mb, double *ms)
{
	int64_t since = now_ns();
	struct rusage usage = {.ru_maxrss = 0};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(null, STDOUT_FILENO);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid > 0)
		wait4(pid, &status, 0, &usage);
	*most_mb = (double)usage.ru_maxrss * 1024 / 1e6;
	*ms = (double)(now_ns() - since) / 1e6;
}
