/* Starts programs that die with the test. */
#include "tests/support/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* environ without OPENSCAN_*, plus extra; the strings are not copied. */
static const char **environment(const char *const extra[])
{
	size_t n = 0, used = 0;
	const char **env;

	while (environ[n])
		n++;
	for (size_t i = 0; extra && extra[i]; i++)
		n++;
	env = calloc(n + 1, sizeof(*env));
	if (!env)
		return NULL;
	for (size_t i = 0; environ[i]; i++)
		if (strncmp(environ[i], "OPENSCAN_", 9) != 0)
			env[used++] = environ[i];
	for (size_t i = 0; extra && extra[i]; i++)
		env[used++] = extra[i];
	return env;
}

/* Runs in the child, where only async-signal-safe calls are allowed. */
static void become(const char *const argv[], const char *const env[], int log,
		   pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	execve(argv[0], (char *const *)argv, (char *const *)env);
	_exit(127);
}

int child_start(struct child *child, const char *const argv[], const char *const extra[],
		const char *log)
{
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	const char **env = environment(extra);
	pid_t parent = getpid();
	int ret = 0;

	if (fd < 0 || !env) {
		ret = -EIO;
		goto out;
	}
	child->status = 0;
	child->pid = fork();
	if (child->pid == 0)
		become(argv, env, fd, parent);
	if (child->pid < 0) {
		ret = -errno;
		child->pid = 0;
	}
out:
	if (fd >= 0)
		close(fd);
	free(env);
	return ret;
}

void child_signal(struct child *child, int signal)
{
	if (child->pid > 0)
		kill(child->pid, signal);
}

bool child_wait(struct child *child, int64_t timeout_ms)
{
	struct pollfd ended = {.events = POLLIN};
	bool gone;

	if (child->pid <= 0)
		return true;
	ended.fd = pidfd_open(child->pid, 0);
	if (ended.fd < 0)
		return false;
	gone = poll(&ended, 1, (int)timeout_ms) == 1;
	close(ended.fd);
	if (gone) {
		waitpid(child->pid, &child->status, 0);
		child->pid = 0;
	}
	return gone;
}

void child_kill(struct child *child)
{
	if (child->pid <= 0)
		return;
	kill(child->pid, SIGKILL);
	waitpid(child->pid, &child->status, 0);
	child->pid = 0;
}
