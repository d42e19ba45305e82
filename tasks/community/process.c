/* Starts openscan-task-host and talks to its supervisor and the program inside. */
#include "tasks/community/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "tasks/community/host/supervisor.h"

#define UNSENT_MAX (1024 * 1024)
#define READ_BYTES (64 * 1024)
#define FREEZE_MS 2000 /* how long to wait for the supervisor's report */
#define DRAIN_MS 2000  /* how long to read the pipes after the supervisor has exited */
#define ARGUMENTS_MAX 32

/* Bytes read from a descriptor, of which the first consumed were returned as lines. */
struct stream {
	int fd;
	char *bytes;
	size_t size, consumed, capacity;
};

struct process {
	pid_t host;
	int input;	/* our ends of the pipes, non-blocking; -1: closed */
	int supervisor; /* the socket */
	struct stream output, errors, reports;
	char *unsent; /* lines that its standard input has no room for yet */
	size_t unsent_size;
	int64_t drain_until; /* 0: the supervisor is running */
	char fault[512];
	int signal, exit;
	bool frozen;
};

/* ---- starting ---- */

/* Both ends of what becomes descriptors 0 to 3 of the host. */
struct ends {
	int theirs[4], ours[4];
};

static void ends_close(int ends[4])
{
	for (int i = 0; i < 4; i++)
		if (ends[i] >= 0)
			close(ends[i]);
}

/* Moves a descriptor to 10 or above, out of the way of the targets of dup2(). */
static int move_up(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, 10);

	close(fd);
	return moved;
}

static int ends_open(struct ends *ends)
{
	for (int i = 0; i < 4; i++)
		ends->ours[i] = ends->theirs[i] = -1;
	for (int i = 0; i < 4; i++) {
		int pair[2];
		int ret =
			i == SUPERVISOR_SOCKET
				? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)
				: pipe2(pair, O_CLOEXEC);

		if (ret < 0)
			return -errno;
		ends->ours[i] = move_up(pair[i == 0]);
		ends->theirs[i] = move_up(pair[i != 0]);
		if (ends->ours[i] < 0 || ends->theirs[i] < 0)
			return -EMFILE;
		fcntl(ends->ours[i], F_SETFL, O_NONBLOCK);
	}
	return 0;
}

/* The program gets descriptors 0 to count - 1 and no others; no signal is blocked or
 * ignored. */
static int spawn(pid_t *pid, const char *const *argv, const char *const *environment,
		 const char *folder, const int *fds, int count)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int ret;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes,
				 POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawn_file_actions_init(&actions);
	for (int i = 0; i < count; i++)
		posix_spawn_file_actions_adddup2(&actions, fds[i], i);
	posix_spawn_file_actions_addclosefrom_np(&actions, count);
	posix_spawn_file_actions_addchdir_np(&actions, folder);
	ret = posix_spawn(pid, argv[0], &actions, &attributes,
			  (char *const *)(uintptr_t)argv,
			  (char *const *)(uintptr_t)environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return -ret;
}

static int spawn_supervisor(struct process *process,
			    const struct process_options *options,
			    const struct ends *ends)
{
	char memory[32], folder[32], processes[32], files[32], nice[32], kill_after[32];
	const char *argv[ARGUMENTS_MAX] = {options->host, "keep", options->isolation,
					   memory,	  folder, processes,
					   files,	  nice,	  kill_after};
	size_t n = 9;

	snprintf(memory, sizeof(memory), "%lld", (long long)options->memory);
	snprintf(folder, sizeof(folder), "%lld", (long long)options->folder_bytes);
	snprintf(processes, sizeof(processes), "%d", options->processes);
	snprintf(files, sizeof(files), "%d", options->files);
	snprintf(nice, sizeof(nice), "%d", options->nice);
	snprintf(kill_after, sizeof(kill_after), "%lld",
		 (long long)options->kill_after_ms);
	for (size_t i = 0; options->command[i] && n < ARGUMENTS_MAX - 1; i++)
		argv[n++] = options->command[i];
	return spawn(&process->host, argv, options->environment, options->folder,
		     ends->theirs, 4);
}

int process_start(struct process **out, const struct process_options *options,
		  struct err *err)
{
	struct process *process = calloc(1, sizeof(*process));
	struct ends ends;
	int ret;

	if (!process)
		return err_set(err, -ENOMEM, "out of memory");
	ret = ends_open(&ends);
	if (ret == 0)
		ret = spawn_supervisor(process, options, &ends);
	ends_close(ends.theirs);
	if (ret < 0) {
		ends_close(ends.ours);
		free(process);
		return err_code(err, ret, "task_failed", "%s cannot be started: %s",
				options->host, strerror(-ret));
	}
	process->input = ends.ours[0];
	process->output.fd = ends.ours[1];
	process->errors.fd = ends.ours[2];
	process->supervisor = process->reports.fd = ends.ours[SUPERVISOR_SOCKET];
	*out = process;
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Closing the socket makes the supervisor end the program. */
void process_free(struct process *process)
{
	if (!process)
		return;
	close_fd(&process->input);
	close_fd(&process->supervisor);
	close_fd(&process->output.fd);
	close_fd(&process->errors.fd);
	while (waitpid(process->host, NULL, 0) < 0 && errno == EINTR)
		;
	free(process->output.bytes);
	free(process->errors.bytes);
	free(process->reports.bytes);
	free(process->unsent);
	free(process);
}

int process_probe(const char *host, char isolation[16], struct err *err)
{
	const char *const argv[] = {host, "probe", NULL};
	const char *const environment[] = {NULL};
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC), pair[2], ret;
	ssize_t got = -1;
	pid_t pid;

	if (nothing < 0 || pipe2(pair, O_CLOEXEC) < 0) {
		ret = -errno;
		close_fd(&nothing);
		return err_set(err, ret, "no pipe: %s", strerror(-ret));
	}
	nothing = move_up(nothing);
	pair[1] = move_up(pair[1]);
	ret = spawn(&pid, argv, environment, "/",
		    (const int[]){nothing, pair[1], nothing}, 3);
	close(pair[1]);
	close(nothing);
	if (ret == 0) {
		got = read(pair[0], isolation, 15);
		waitpid(pid, NULL, 0);
	}
	close(pair[0]);
	if (got <= 0)
		return err_set(err, ret < 0 ? ret : -EIO, "%s cannot be started: %s",
			       host, strerror(ret < 0 ? -ret : EIO));
	isolation[got] = '\0';
	isolation[strcspn(isolation, "\n")] = '\0';
	return 0;
}

/* ---- reading ---- */

/* The next complete line, or the rest after EOF. */
static bool stream_line(struct stream *stream, const char **line, size_t *size)
{
	char *begin = stream->bytes ? stream->bytes + stream->consumed : NULL;
	size_t left = stream->size - stream->consumed;
	char *end = begin && left ? memchr(begin, '\n', left) : NULL;

	if (!begin || (!end && (stream->fd >= 0 || !left)))
		return false;
	*size = end ? (size_t)(end - begin) : left;
	stream->consumed += *size + (end != NULL);
	begin[*size] = '\0'; /* capacity does not count this byte */
	*line = begin;
	return true;
}

static bool stream_full(const struct stream *stream)
{
	return stream->size - stream->consumed > PROCESS_LINE_MAX;
}

/* Reads what is available now. */
static void stream_read(struct stream *stream)
{
	ssize_t got;

	if (stream->bytes && stream->consumed) {
		memmove(stream->bytes, stream->bytes + stream->consumed,
			stream->size - stream->consumed);
		stream->size -= stream->consumed;
		stream->consumed = 0;
	}
	if (stream->capacity - stream->size < READ_BYTES) {
		stream->capacity = stream->size + READ_BYTES;
		stream->bytes = realloc(stream->bytes, stream->capacity + 1);
		if (!stream->bytes)
			abort(); /* out of memory */
	}
	got = read(stream->fd, stream->bytes + stream->size, READ_BYTES);
	if (got > 0)
		stream->size += (size_t)got;
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		close_fd(&stream->fd);
}

static int number_of(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

static void take_report(struct process *process, const char *line)
{
	if (!strncmp(line, SUPERVISOR_FAILED " ", sizeof(SUPERVISOR_FAILED)))
		snprintf(process->fault, sizeof(process->fault), "%s",
			 line + sizeof(SUPERVISOR_FAILED));
	if (!strncmp(line, SUPERVISOR_SIGNAL " ", sizeof(SUPERVISOR_SIGNAL)))
		process->signal = number_of(line + sizeof(SUPERVISOR_SIGNAL));
	if (!strcmp(line, SUPERVISOR_FROZEN))
		process->frozen = true;
	if (!strncmp(line, SUPERVISOR_EXIT " ", sizeof(SUPERVISOR_EXIT)))
		process->exit = number_of(line + sizeof(SUPERVISOR_EXIT));
}

static void read_reports(struct process *process)
{
	const char *line;
	size_t size;

	stream_read(&process->reports);
	while (stream_line(&process->reports, &line, &size))
		take_report(process, line);
	if (process->reports.fd >= 0)
		return;
	process->supervisor = -1;
	process->drain_until = clock_monotonic_ms() + DRAIN_MS;
}

/* ---- writing ---- */

static void write_unsent(struct process *process)
{
	ssize_t put = write(process->input, process->unsent, process->unsent_size);

	if (put < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (put < 0) {
		/* The program has closed its standard input. */
		close_fd(&process->input);
		process->unsent_size = 0;
		return;
	}
	process->unsent_size -= (size_t)put;
	memmove(process->unsent, process->unsent + put, process->unsent_size);
}

bool process_send(struct process *process, const char *line)
{
	size_t size = strlen(line) + 1;

	if (process->input < 0)
		return true;
	if (process->unsent_size + size > UNSENT_MAX)
		return false;
	process->unsent = realloc(process->unsent, process->unsent_size + size);
	if (!process->unsent)
		abort();
	memcpy(process->unsent + process->unsent_size, line, size - 1);
	process->unsent_size += size;
	process->unsent[process->unsent_size - 1] = '\n';
	write_unsent(process);
	return true;
}

static void send_order(struct process *process, char order)
{
	if (process->supervisor >= 0)
		send(process->supervisor, &order, 1, MSG_NOSIGNAL);
}

void process_freeze(struct process *process)
{
	int64_t until = clock_monotonic_ms() + FREEZE_MS, left;

	process->frozen = false;
	send_order(process, SUPERVISOR_FREEZE);
	while (!process->frozen && process->supervisor >= 0 &&
	       (left = until - clock_monotonic_ms()) > 0) {
		struct pollfd fd = {.fd = process->supervisor, .events = POLLIN};

		if (poll(&fd, 1, (int)left) > 0)
			read_reports(process);
	}
}

void process_thaw(struct process *process)
{
	send_order(process, SUPERVISOR_THAW);
}

void process_terminate(struct process *process)
{
	send_order(process, SUPERVISOR_TERMINATE);
}

void process_kill(struct process *process)
{
	send_order(process, SUPERVISOR_KILL);
}

/* ---- waiting ---- */

static bool is_over(const struct process *process)
{
	bool silent = process->output.fd < 0 && process->errors.fd < 0;

	return process->drain_until &&
	       (silent || clock_monotonic_ms() >= process->drain_until);
}

static void wait_for_bytes(struct process *process, struct cancel *cancel, int64_t until)
{
	struct pollfd fds[] = {
		{.fd = process->output.fd, .events = POLLIN},
		{.fd = process->errors.fd, .events = POLLIN},
		{.fd = process->supervisor, .events = POLLIN},
		{.fd = process->unsent_size ? process->input : -1, .events = POLLOUT},
		{.fd = cancel ? cancel_fd(cancel) : -1, .events = POLLIN},
	};
	int64_t left = -1;

	if (process->drain_until && (until < 0 || process->drain_until < until))
		until = process->drain_until;
	if (until >= 0)
		left = until - clock_monotonic_ms();
	poll(fds, 5, until < 0 ? -1 : left < 0 ? 0 : left > 60000 ? 60000 : (int)left);
	if (fds[0].revents)
		stream_read(&process->output);
	if (fds[1].revents)
		stream_read(&process->errors);
	if (fds[2].revents)
		read_reports(process);
	if (fds[3].revents)
		write_unsent(process);
}

enum process_event process_wait(struct process *process, struct cancel *cancel,
				int64_t until, const char **line, size_t *size)
{
	for (;;) {
		if (stream_line(&process->output, line, size))
			return PROCESS_STDOUT_LINE;
		if (stream_line(&process->errors, line, size))
			return PROCESS_STDERR_LINE;
		if (stream_full(&process->output) || stream_full(&process->errors))
			return PROCESS_LINE_TOO_LONG;
		if (is_over(process))
			return PROCESS_EXITED;
		if (cancel_requested(cancel))
			return PROCESS_CANCELLED;
		if (until >= 0 && clock_monotonic_ms() >= until)
			return PROCESS_TIMEOUT;
		wait_for_bytes(process, cancel, until);
	}
}

const char *process_fault(const struct process *process)
{
	return process->fault[0] ? process->fault : NULL;
}

int process_signal(const struct process *process)
{
	return process->signal;
}

int process_exit_code(const struct process *process)
{
	return process->exit;
}
