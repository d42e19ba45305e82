/* Enters PID and user namespaces. */
#include "tasks/community/host/isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[ISOLATION_COUNT] = {"none", "pid", "user-pid"};
static const char *const words[ISOLATION_COUNT] = {
	"without namespaces",
	"in a PID namespace",
	"in a user and a PID namespace",
};

int isolation_parse(const char *name)
{
	for (int i = 0; i < ISOLATION_COUNT; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

const char *isolation_name(enum isolation isolation)
{
	return names[isolation];
}

const char *isolation_words(enum isolation isolation)
{
	return words[isolation];
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		ret = -errno;
	close(fd);
	return ret;
}

/* Maps the user and group to themselves; no others exist inside. */
static int map_user(uid_t uid, gid_t gid)
{
	char line[64];
	int ret = write_text("/proc/self/setgroups", "deny");

	if (ret < 0)
		return ret;
	snprintf(line, sizeof(line), "%u %u 1", uid, uid);
	ret = write_text("/proc/self/uid_map", line);
	if (ret < 0)
		return ret;
	snprintf(line, sizeof(line), "%u %u 1", gid, gid);
	return write_text("/proc/self/gid_map", line);
}

int isolation_enter(enum isolation isolation)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (isolation == ISOLATION_NONE)
		return 0;
	if (isolation == ISOLATION_PID)
		return unshare(CLONE_NEWPID) < 0 ? -errno : 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0)
		return -errno;
	return map_user(uid, gid);
}

/* Tries it in a throw-away process, with a child inside as in real use. */
static int is_available(enum isolation isolation)
{
	pid_t trial = fork();
	int status;

	if (trial == 0) {
		pid_t child;

		if (isolation_enter(isolation) < 0)
			_exit(1);
		child = fork();
		if (child == 0)
			_exit(getpid() == 1 ? 0 : 1);
		if (child < 0 || waitpid(child, &status, 0) != child)
			_exit(1);
		_exit(status ? 1 : 0);
	}
	return trial > 0 && waitpid(trial, &status, 0) == trial && status == 0;
}

enum isolation isolation_probe(void)
{
	for (int i = ISOLATION_USER_PID; i > ISOLATION_NONE; i--)
		if (is_available((enum isolation)i))
			return (enum isolation)i;
	return ISOLATION_NONE;
}

void isolation_drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}, {0}};

	/* Errors are ignored: a call fails where there is nothing to drop. */
	prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED);
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap);
	syscall(SYS_capset, &header, none);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
