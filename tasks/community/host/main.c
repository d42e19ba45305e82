/* openscan-task-host: supervises the process of a community task type, or runs a shared
 * object in one.
 *
 *   openscan-task-host probe
 *       prints how well this kernel can isolate a program.
 *   openscan-task-host keep LIMITS COMMAND...
 *       runs COMMAND in the current folder.  LIMITS are seven arguments: isolation, bytes
 *       of memory, bytes in the folder, processes, open files, nice value, and ms from
 * the order to terminate to SIGKILL. openscan-task-host object describe|run FILE
 *       describes or runs the task types of a shared object. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tasks/community/host/supervisor.h"
#include "tasks/community/host/shared_object.h"

#define KEEP_ARGUMENTS 7

static int usage(void)
{
	fprintf(stderr,
		"openscan-task-host is started by openscan-agent, not by people\n");
	return EXIT_FAILURE;
}

static int fail(const char *what, int number)
{
	char line[256];
	int length = snprintf(line, sizeof(line), SUPERVISOR_FAILED " %s: %s\n", what,
			      strerror(number));

	send(SUPERVISOR_SOCKET, line, (size_t)length, MSG_NOSIGNAL);
	return EXIT_FAILURE;
}

/* Our child is the first process of the new PID namespace; we wait outside for its end.
 */
static int supervise_inside(const struct limits *limits, char *const command[])
{
	int ret = isolation_enter(limits->isolation);
	pid_t inside;

	if (ret < 0)
		return fail("the namespaces cannot be made", -ret);
	inside = fork();
	if (inside < 0)
		return fail("the namespace cannot be begun", errno);
	if (inside == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		supervisor_run(limits, command);
		_exit(EXIT_SUCCESS);
	}
	for (int fd = 0; fd <= SUPERVISOR_SOCKET; fd++)
		close(fd);
	while (waitpid(inside, NULL, 0) < 0 && errno == EINTR)
		;
	return EXIT_SUCCESS;
}

static int supervise(int argc, char *argv[])
{
	struct limits limits;
	int isolation = argc > KEEP_ARGUMENTS ? isolation_parse(argv[0]) : -1;

	if (isolation < 0 || argv[KEEP_ARGUMENTS][0] != '/')
		return usage();
	limits = (struct limits){
		.isolation = (enum isolation)isolation,
		.memory = strtoll(argv[1], NULL, 10),
		.folder = strtoll(argv[2], NULL, 10),
		.processes = (int)strtol(argv[3], NULL, 10),
		.files = (int)strtol(argv[4], NULL, 10),
		.nice = (int)strtol(argv[5], NULL, 10),
		.kill_after_ms = strtoll(argv[6], NULL, 10),
	};
	setsid();
	if (limits.isolation != ISOLATION_NONE)
		return supervise_inside(&limits, argv + KEEP_ARGUMENTS);
	supervisor_run(&limits, argv + KEEP_ARGUMENTS);
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	if (argc >= 2 && !strcmp(argv[1], "probe"))
		return puts(isolation_name(isolation_probe())) < 0;
	if (argc >= 3 && !strcmp(argv[1], "keep"))
		return supervise(argc - 2, argv + 2);
	if (argc == 4 && !strcmp(argv[1], "object"))
		return shared_object_main(argv[2], argv[3]);
	return usage();
}
