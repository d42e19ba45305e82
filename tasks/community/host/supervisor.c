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
#define LOOK_MS 100   /* at least so much time between two looks at the bounds */
#define LOOK_SHARE 50 /* and so many times what a look takes */
#define GONE_WITHIN_MS 5000
#define MB (1024 * 1024)

struct keeper {
	const struct bounds *bounds;
	pid_t program;
	int folder;  /* the working folder, open */
	int signals; /* SIGCHLD as a descriptor */
	bool frozen, failed, over;
	int status;			   /* of the program, when over */
	int64_t term_at, kill_at, look_at; /* 0: never */
	struct census census;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* An agent that is gone need not be told. */
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
	send(KEEPER_LEASH, line, (size_t)length + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- everything that belongs to the program ---- */

static bool in_namespace(const struct keeper *keeper)
{
	return keeper->bounds->isolation != ISOLATION_NONE;
}

/* In a namespace the kernel reaches all at once.  Outside, those that are started while
 * we count are found by counting again. */
static void signal_all(struct keeper *keeper, int number)
{
	int before = -1;

	if (in_namespace(keeper)) {
		kill(-1, number);
		return;
	}
	for (int round = 0; round < 10; round++) {
		census_take(&keeper->census);
		for (int i = 0; i < keeper->census.count; i++)
			kill(keeper->census.pids[i], number);
		if (keeper->census.count == before)
			return;
		before = keeper->census.count;
	}
}

static void reap(struct keeper *keeper)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != keeper->program)
			continue;
		keeper->over = true;
		keeper->status = status;
	}
}

/* Returns when nothing is left, or nothing more can be done about it. */
static void end_all(struct keeper *keeper)
{
	int64_t until = now_ms() + GONE_WITHIN_MS;

	while (now_ms() < until) {
		const struct timespec pause = {.tv_nsec = 5000000};

		signal_all(keeper, SIGKILL);
		reap(keeper);
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return;
		nanosleep(&pause, NULL);
	}
}

/* ---- bounds ---- */

static void limit(__rlimit_resource_t resource, int64_t most)
{
	struct rlimit now, bound;

	getrlimit(resource, &now);
	bound.rlim_cur = bound.rlim_max = (rlim_t)most;
	if (now.rlim_max < bound.rlim_max)
		bound.rlim_cur = bound.rlim_max = now.rlim_max;
	setrlimit(resource, &bound);
}

/* The number of processes is one of the user's outside of a user namespace, and the
 * agent's own threads are among them: there only the watch counts. */
static void set_limits(const struct bounds *bounds)
{
	limit(RLIMIT_DATA, bounds->memory);
	limit(RLIMIT_FSIZE, bounds->folder);
	limit(RLIMIT_NOFILE, bounds->files);
	limit(RLIMIT_CORE, 0);
	if (bounds->isolation == ISOLATION_USER_PID)
		limit(RLIMIT_NPROC, bounds->processes);
}

static void break_off(struct keeper *keeper)
{
	keeper->failed = true;
	signal_all(keeper, SIGKILL);
}

static void look(struct keeper *keeper)
{
	const struct bounds *bounds = keeper->bounds;
	int64_t began = now_ms(), took;

	census_take(&keeper->census);
	if (keeper->census.count > bounds->processes) {
		report(KEEPER_FAILED
		       " it started more than %d processes (tasks.processes)",
		       bounds->processes);
		break_off(keeper);
	} else if (keeper->census.memory > bounds->memory) {
		report(KEEPER_FAILED
		       " it used more than %lld MB of memory (tasks.memory_mb)",
		       (long long)(bounds->memory / MB));
		break_off(keeper);
	} else if (census_folder(keeper->folder, bounds->folder) > bounds->folder) {
		report(KEEPER_FAILED
		       " it filled its working folder beyond %lld MB (tasks.folder_mb)",
		       (long long)(bounds->folder / MB));
		break_off(keeper);
	}
	took = now_ms() - began;
	keeper->look_at =
		now_ms() + (took * LOOK_SHARE > LOOK_MS ? took * LOOK_SHARE : LOOK_MS);
}

/* ---- orders and time ---- */

static void freeze(struct keeper *keeper, bool frozen)
{
	if (keeper->frozen != frozen)
		signal_all(keeper, frozen ? SIGSTOP : SIGCONT);
	keeper->frozen = frozen;
}

static void obey(struct keeper *keeper, char order)
{
	switch (order) {
	case KEEPER_FREEZE:
		freeze(keeper, true);
		report(KEEPER_FROZEN);
		break;
	case KEEPER_WAKE:
		freeze(keeper, false);
		break;
	case KEEPER_END:
		freeze(keeper, false);
		keeper->term_at = now_ms() + TERM_AFTER_MS;
		keeper->kill_at = now_ms() + keeper->bounds->kill_after_ms;
		break;
	default:
		signal_all(keeper, SIGKILL);
		break;
	}
}

static void hear(struct keeper *keeper)
{
	char orders[16];
	ssize_t got = recv(KEEPER_LEASH, orders, sizeof(orders), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
		break_off(keeper);
	for (ssize_t i = 0; i < got; i++)
		obey(keeper, orders[i]);
}

static bool is_due(int64_t *at)
{
	if (!*at || now_ms() < *at)
		return false;
	*at = 0;
	return true;
}

static void keep_time(struct keeper *keeper)
{
	if (is_due(&keeper->term_at))
		kill(-keeper->program, SIGTERM);
	if (is_due(&keeper->kill_at))
		signal_all(keeper, SIGKILL);
	if (is_due(&keeper->look_at))
		look(keeper);
}

static int time_left(const struct keeper *keeper)
{
	int64_t next = keeper->look_at, left;

	if (keeper->term_at && keeper->term_at < next)
		next = keeper->term_at;
	if (keeper->kill_at && keeper->kill_at < next)
		next = keeper->kill_at;
	left = next - now_ms();
	return left < 0 ? 0 : (int)left;
}

static void watch(struct keeper *keeper)
{
	struct pollfd fds[] = {
		{.fd = KEEPER_LEASH, .events = POLLIN},
		{.fd = keeper->signals, .events = POLLIN},
	};
	struct signalfd_siginfo info;

	while (!keeper->over && !keeper->failed) {
		poll(fds, 2, time_left(keeper));
		if (fds[0].revents)
			hear(keeper);
		if (fds[1].revents && read(keeper->signals, &info, sizeof(info)) > 0)
			reap(keeper);
		keep_time(keeper);
	}
}

/* ---- beginning ---- */

/* When the machine's memory runs out, this one goes first. */
static void offer_to_go_first(void)
{
	FILE *score = fopen("/proc/self/oom_score_adj", "we");

	if (!score)
		return;
	fputs("1000", score);
	fclose(score);
}

/* In the child: becomes the program, or tells why not on told. */
static void become(const struct bounds *bounds, char *const command[], int told)
{
	sigset_t none;
	int why;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close(KEEPER_LEASH);
	offer_to_go_first();
	setpriority(PRIO_PROCESS, 0, bounds->nice);
	set_limits(bounds);
	isolation_drop_capabilities();
	execv(command[0], command);
	why = errno;
	_exit(write(told, &why, sizeof(why)) == (ssize_t)sizeof(why) ? 126 : 127);
}

static int begin(struct keeper *keeper, char *const command[])
{
	int told[2], why = 0;

	if (pipe2(told, O_CLOEXEC) < 0)
		return -errno;
	keeper->program = fork();
	if (keeper->program < 0)
		return -errno;
	if (keeper->program == 0)
		become(keeper->bounds, command, told[1]);
	close(told[1]);
	if (read(told[0], &why, sizeof(why)) != (ssize_t)sizeof(why))
		why = 0;
	close(told[0]);
	return -why;
}

/* The program alone holds its pipes, so that their end is its own. */
static void let_go_of_pipes(void)
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

void keeper_run(const struct bounds *bounds, char *const command[])
{
	static struct keeper keeper;
	int ret;

	keeper.bounds = bounds;
	keeper.look_at = now_ms() + LOOK_MS;
	keeper.folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	keeper.signals = open_signals();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ret = begin(&keeper, command);
	let_go_of_pipes();
	if (ret < 0) {
		report(KEEPER_FAILED " it cannot be started: %s", strerror(-ret));
		return;
	}
	isolation_drop_capabilities();
	watch(&keeper);
	end_all(&keeper);
	if (keeper.failed)
		return;
	if (WIFSIGNALED(keeper.status))
		report(KEEPER_SIGNAL " %d", WTERMSIG(keeper.status));
	else
		report(KEEPER_EXIT " %d", WEXITSTATUS(keeper.status));
}
