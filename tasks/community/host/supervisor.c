/* Starts, watches and ends a community program. */
#include "tasks/community/host/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tasks/community/host/process_tree.h"

#define TERM_AFTER_MS 1000
/* The time between two checks of the limits: at least this, and at least this many times
 * the duration of a check. */
#define CHECK_MS 100
#define CHECK_FACTOR 50
#define END_TIMEOUT_MS 5000
#define MB (1024 * 1024)

struct supervisor {
	const struct limits *limits;
	pid_t program;
	int folder;  /* the working folder's descriptor */
	int signals; /* SIGCHLD as a descriptor */
	bool frozen, failed, over;
	int status;			    /* of the program, once it is over */
	int64_t term_at, kill_at, check_at; /* 0: never */
	struct process_tree tree;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Errors are ignored: an agent that is gone needs no report. */
static void report(const char *fmt, ...)
{
	char line[512];
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	if (length > (int)sizeof(line) - 2)
		length = (int)sizeof(line) - 2;
	line[length] = '\n';
	send(SUPERVISOR_SOCKET, line, (size_t)length + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- all processes of the program ---- */

static bool in_namespace(const struct supervisor *supervisor)
{
	return supervisor->limits->isolation != ISOLATION_NONE;
}

/* In a namespace one kill() reaches all processes.  Without one, the process tree is read
 * again until it stops growing, to find processes that were started in between. */
static void signal_all(struct supervisor *supervisor, int number)
{
	int before = -1;

	if (in_namespace(supervisor)) {
		kill(-1, number);
		return;
	}
	for (int round = 0; round < 10; round++) {
		process_tree_read(&supervisor->tree);
		for (int i = 0; i < supervisor->tree.count; i++)
			kill(supervisor->tree.pids[i], number);
		if (supervisor->tree.count == before)
			return;
		before = supervisor->tree.count;
	}
}

static void reap(struct supervisor *supervisor)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != supervisor->program)
			continue;
		supervisor->over = true;
		supervisor->status = status;
	}
}

/* Kills everything; returns when no process is left, or after END_TIMEOUT_MS. */
static void end_all(struct supervisor *supervisor)
{
	int64_t until = now_ms() + END_TIMEOUT_MS;

	while (now_ms() < until) {
		const struct timespec pause = {.tv_nsec = 5000000};

		signal_all(supervisor, SIGKILL);
		reap(supervisor);
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return;
		nanosleep(&pause, NULL);
	}
}

/* ---- limits ---- */

static void limit(__rlimit_resource_t resource, int64_t most)
{
	struct rlimit now, rlimit;

	getrlimit(resource, &now);
	rlimit.rlim_cur = rlimit.rlim_max = (rlim_t)most;
	if (now.rlim_max < rlimit.rlim_max)
		rlimit.rlim_cur = rlimit.rlim_max = now.rlim_max;
	setrlimit(resource, &rlimit);
}

/* Outside a user namespace RLIMIT_NPROC counts all processes of the user, the agent's
 * threads included, so there the number of processes is only checked periodically. */
static void set_limits(const struct limits *limits)
{
	limit(RLIMIT_DATA, limits->memory);
	limit(RLIMIT_FSIZE, limits->folder);
	limit(RLIMIT_NOFILE, limits->files);
	limit(RLIMIT_CORE, 0);
	if (limits->isolation == ISOLATION_USER_PID)
		limit(RLIMIT_NPROC, limits->processes);
}

static void fail(struct supervisor *supervisor)
{
	supervisor->failed = true;
	signal_all(supervisor, SIGKILL);
}

static void check_limits(struct supervisor *supervisor)
{
	const struct limits *limits = supervisor->limits;
	int64_t began = now_ms(), took;

	process_tree_read(&supervisor->tree);
	if (supervisor->tree.count > limits->processes) {
		report(SUPERVISOR_FAILED
		       " it started more than %d processes (tasks.processes)",
		       limits->processes);
		fail(supervisor);
	} else if (supervisor->tree.memory > limits->memory) {
		report(SUPERVISOR_FAILED
		       " it used more than %lld MB of memory (tasks.memory_mb)",
		       (long long)(limits->memory / MB));
		fail(supervisor);
	} else if (disk_usage(supervisor->folder, limits->folder) > limits->folder) {
		report(SUPERVISOR_FAILED
		       " it filled its working folder beyond %lld MB (tasks.folder_mb)",
		       (long long)(limits->folder / MB));
		fail(supervisor);
	}
	took = now_ms() - began;
	supervisor->check_at =
		now_ms() +
		(took * CHECK_FACTOR > CHECK_MS ? took * CHECK_FACTOR : CHECK_MS);
}

/* ---- orders and timers ---- */

static void freeze(struct supervisor *supervisor, bool frozen)
{
	if (supervisor->frozen != frozen)
		signal_all(supervisor, frozen ? SIGSTOP : SIGCONT);
	supervisor->frozen = frozen;
}

static void carry_out(struct supervisor *supervisor, char order)
{
	switch (order) {
	case SUPERVISOR_FREEZE:
		freeze(supervisor, true);
		report(SUPERVISOR_FROZEN);
		break;
	case SUPERVISOR_THAW:
		freeze(supervisor, false);
		break;
	case SUPERVISOR_TERMINATE:
		freeze(supervisor, false);
		supervisor->term_at = now_ms() + TERM_AFTER_MS;
		supervisor->kill_at = now_ms() + supervisor->limits->kill_after_ms;
		break;
	default:
		signal_all(supervisor, SIGKILL);
		break;
	}
}

static void read_orders(struct supervisor *supervisor)
{
	char orders[16];
	ssize_t got = recv(SUPERVISOR_SOCKET, orders, sizeof(orders), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
		fail(supervisor);
	for (ssize_t i = 0; i < got; i++)
		carry_out(supervisor, orders[i]);
}

static bool is_due(int64_t *at)
{
	if (!*at || now_ms() < *at)
		return false;
	*at = 0;
	return true;
}

static void run_timers(struct supervisor *supervisor)
{
	if (is_due(&supervisor->term_at))
		kill(-supervisor->program, SIGTERM);
	if (is_due(&supervisor->kill_at))
		signal_all(supervisor, SIGKILL);
	if (is_due(&supervisor->check_at))
		check_limits(supervisor);
}

static int time_left(const struct supervisor *supervisor)
{
	int64_t next = supervisor->check_at, left;

	if (supervisor->term_at && supervisor->term_at < next)
		next = supervisor->term_at;
	if (supervisor->kill_at && supervisor->kill_at < next)
		next = supervisor->kill_at;
	left = next - now_ms();
	return left < 0 ? 0 : (int)left;
}

static void watch(struct supervisor *supervisor)
{
	struct pollfd fds[] = {
		{.fd = SUPERVISOR_SOCKET, .events = POLLIN},
		{.fd = supervisor->signals, .events = POLLIN},
	};
	struct signalfd_siginfo info;

	while (!supervisor->over && !supervisor->failed) {
		poll(fds, 2, time_left(supervisor));
		if (fds[0].revents)
			read_orders(supervisor);
		if (fds[1].revents && read(supervisor->signals, &info, sizeof(info)) > 0)
			reap(supervisor);
		run_timers(supervisor);
	}
}

/* ---- starting the program ---- */

/* Makes the OOM killer choose this process first. */
static void prefer_for_oom_kill(void)
{
	FILE *score = fopen("/proc/self/oom_score_adj", "we");

	if (!score)
		return;
	fputs("1000", score);
	fclose(score);
}

/* In the child: executes the program, or writes errno to error_fd. */
static void exec_program(const struct limits *limits, char *const command[], int error_fd)
{
	sigset_t none;
	int why;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close(SUPERVISOR_SOCKET);
	prefer_for_oom_kill();
	setpriority(PRIO_PROCESS, 0, limits->nice);
	set_limits(limits);
	isolation_drop_capabilities();
	execv(command[0], command);
	why = errno;
	_exit(write(error_fd, &why, sizeof(why)) == (ssize_t)sizeof(why) ? 126 : 127);
}

static int start_program(struct supervisor *supervisor, char *const command[])
{
	int error[2], why = 0;

	if (pipe2(error, O_CLOEXEC) < 0)
		return -errno;
	supervisor->program = fork();
	if (supervisor->program < 0)
		return -errno;
	if (supervisor->program == 0)
		exec_program(supervisor->limits, command, error[1]);
	close(error[1]);
	if (read(error[0], &why, sizeof(why)) != (ssize_t)sizeof(why))
		why = 0;
	close(error[0]);
	return -why;
}

/* Closes our copies of the program's pipes, so that the agent sees EOF when the program
 * closes them. */
static void release_pipes(void)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3; fd++)
		dup2(nothing, fd);
	if (nothing > 2)
		close(nothing);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

void supervisor_run(const struct limits *limits, char *const command[])
{
	static struct supervisor supervisor;
	int ret;

	supervisor.limits = limits;
	supervisor.check_at = now_ms() + CHECK_MS;
	supervisor.folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	supervisor.signals = open_signals();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ret = start_program(&supervisor, command);
	release_pipes();
	if (ret < 0) {
		report(SUPERVISOR_FAILED " it cannot be started: %s", strerror(-ret));
		return;
	}
	isolation_drop_capabilities();
	watch(&supervisor);
	end_all(&supervisor);
	if (supervisor.failed)
		return;
	if (WIFSIGNALED(supervisor.status))
		report(SUPERVISOR_SIGNAL " %d", WTERMSIG(supervisor.status));
	else
		report(SUPERVISOR_EXIT " %d", WEXITSTATUS(supervisor.status));
}
