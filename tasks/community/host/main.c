/* openscan-task-host: lives around one run of a community task type, or inside of one.
 *
 *   openscan-task-host probe
 *       prints how far a program can be shut in here.
 *   openscan-task-host keep ISOLATION MEMORY FOLDER PROCESSES FILES NICE KILL_AFTER_MS
 * COMMAND... runs COMMAND in the current folder within these bounds (bytes, numbers, ms).
 *   openscan-task-host object describe|run FILE
 *       speaks for a shared object, as any other program would for itself. */
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

static int cannot(const char *what, int number)
{
	char line[256];
	int length = snprintf(line, sizeof(line), KEEPER_FAILED " %s: %s\n", what,
			      strerror(number));

	send(KEEPER_LEASH, line, (size_t)length, MSG_NOSIGNAL);
	return EXIT_FAILURE;
}

/* The first process of the namespace is our child; we stay outside and are gone with it.
 */
static int keep_inside(const struct bounds *bounds, char *const command[])
{
	int ret = isolation_enter(bounds->isolation);
	pid_t inside;

	if (ret < 0)
		return cannot("the namespaces cannot be made", -ret);
	inside = fork();
	if (inside < 0)
		return cannot("the namespace cannot be begun", errno);
	if (inside == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		keeper_run(bounds, command);
		_exit(EXIT_SUCCESS);
	}
	for (int fd = 0; fd <= KEEPER_LEASH; fd++)
		close(fd);
	while (waitpid(inside, NULL, 0) < 0 && errno == EINTR)
		;
	return EXIT_SUCCESS;
}

static int keep(int argc, char *argv[])
{
	struct bounds bounds;
	int isolation = argc > KEEP_ARGUMENTS ? isolation_parse(argv[0]) : -1;

	if (isolation < 0 || argv[KEEP_ARGUMENTS][0] != '/')
		return usage();
	bounds = (struct bounds){
		.isolation = (enum isolation)isolation,
		.memory = strtoll(argv[1], NULL, 10),
		.folder = strtoll(argv[2], NULL, 10),
		.processes = (int)strtol(argv[3], NULL, 10),
		.files = (int)strtol(argv[4], NULL, 10),
		.nice = (int)strtol(argv[5], NULL, 10),
		.kill_after_ms = strtoll(argv[6], NULL, 10),
	};
	setsid();
	if (bounds.isolation != ISOLATION_NONE)
		return keep_inside(&bounds, argv + KEEP_ARGUMENTS);
	keeper_run(&bounds, argv + KEEP_ARGUMENTS);
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	if (argc >= 2 && !strcmp(argv[1], "probe"))
		return puts(isolation_name(isolation_probe())) < 0;
	if (argc >= 3 && !strcmp(argv[1], "keep"))
		return keep(argc - 2, argv + 2);
	if (argc == 4 && !strcmp(argv[1], "object"))
		return object_main(argv[2], argv[3]);
	return usage();
}
