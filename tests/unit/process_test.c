/* Tests a process and its supervisor, under each kind of isolation that this machine
 * allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/build_dir.h"
#include "tasks/community/process.h"
#include "tests/support/deadline.h"

#define MIB (1024 * 1024)

static char host[4096], folder[] = "/tmp/openscan-process-XXXXXX";
static char mark[64];	      /* an environment variable of this test's processes */
static const char *isolation; /* of the current round */

/* The output of a program. */
struct outcome {
	char output[4096], stderr_text[256];
};

static struct process *start(const char *lines)
{
	const char *const command[] = {"/bin/sh", "-c", lines, NULL};
	const char *const environment[] = {"PATH=/usr/bin:/bin", mark, NULL};
	struct process_options options = {
		.host = host,
		.isolation = isolation,
		.command = command,
		.environment = environment,
		.folder = folder,
		.memory = 64 * MIB,
		.folder_bytes = 4 * MIB,
		.processes = 20,
		.files = 32,
		.kill_after_ms = 1500,
	};
	struct process *process;
	struct err err;

	if (process_start(&process, &options, &err) < 0)
		fail_msg("%s", err.text);
	return process;
}

static void until_ended(struct process *process, struct outcome *outcome)
{
	int64_t until = clock_monotonic_ms() + deadline_patient(20000);
	size_t used = 0, size;
	const char *line;

	memset(outcome, 0, sizeof(*outcome));
	for (;;) {
		enum process_event event =
			process_wait(process, NULL, until, &line, &size);

		if (event == PROCESS_EXITED)
			return;
		if (event == PROCESS_TIMEOUT)
			fail_msg("it does not end");
		if (event == PROCESS_STDOUT_LINE &&
		    used + size < sizeof(outcome->output) - 1) {
			memcpy(outcome->output + used, line, size);
			used += size;
			outcome->output[used++] = '\n';
		}
		if (event == PROCESS_STDERR_LINE)
			snprintf(outcome->stderr_text, sizeof(outcome->stderr_text), "%s",
				 line);
	}
}

static void until_line(struct process *process)
{
	const char *line;
	size_t size;

	assert_int_equal(process_wait(process, NULL,
				      clock_monotonic_ms() + deadline_patient(20000),
				      &line, &size),
			 PROCESS_STDOUT_LINE);
}

/* Counts the processes with the test's mark in their environment; zombies have none. */
static int alive(void)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	int count = 0;

	while ((entry = readdir(proc))) {
		char path[300], text[4096];
		FILE *file;
		size_t size;

		snprintf(path, sizeof(path), "/proc/%s/environ", entry->d_name);
		if (strtol(entry->d_name, NULL, 10) <= 0 || !(file = fopen(path, "re")))
			continue;
		size = fread(text, 1, sizeof(text), file);
		fclose(file);
		count += memmem(text, size, mark, strlen(mark) + 1) != NULL;
	}
	closedir(proc);
	return count;
}

static void output_lines_and_the_exit_code_are_reported(void **state)
{
	struct process *process = start("echo one; echo two >&2; echo three; exit 7");
	struct outcome outcome;

	(void)state;

	until_ended(process, &outcome);

	assert_string_equal(outcome.output, "one\nthree\n");
	assert_string_equal(outcome.stderr_text, "two");
	assert_int_equal(process_exit_code(process), 7);
	assert_int_equal(process_signal(process), 0);
	assert_null(process_fault(process));
	process_free(process);
}

static void lines_reach_standard_input(void **state)
{
	struct process *process = start("read -r line; echo \"got $line\"");
	struct outcome outcome;

	(void)state;

	assert_true(process_send(process, "hello there"));
	until_ended(process, &outcome);

	assert_string_equal(outcome.output, "got hello there\n");
	process_free(process);
}

static void a_program_that_never_reads_loses_lines_in_the_end(void **state)
{
	struct process *process = start("echo up; sleep 100");
	static char line[100000];
	int sent = 0;

	(void)state;

	memset(line, 'x', sizeof(line) - 1);
	until_line(process);
	while (sent < 100 && process_send(process, line))
		sent++;
	assert_true(sent > 5 && sent < 20);
	process_free(process);
}

static void a_program_starts_with_three_descriptors_only(void **state)
{
	int extra = open("/dev/null", O_RDONLY); /* inheritable */
	struct process *process = start("for f in /proc/self/fd/*; do echo $f; done");
	struct outcome outcome;

	(void)state;

	until_ended(process, &outcome);

	assert_non_null(strstr(outcome.output, "/fd/2\n"));
	/* 3 is the folder that the shell reads. */
	assert_null(strstr(outcome.output, "/fd/4\n"));
	assert_null(strstr(outcome.output, "/fd/5\n"));
	close(extra);
	process_free(process);
}

static void the_signal_that_ended_a_program_is_reported(void **state)
{
	struct process *process = start("kill -SEGV $$");
	struct outcome outcome;

	(void)state;

	until_ended(process, &outcome);

	assert_int_equal(process_signal(process), 11);
	process_free(process);
}

static void a_program_that_does_not_exist_is_reported_in_a_sentence(void **state)
{
	const char *const command[] = {"/nowhere/at/all", NULL}, *const environment[] = {
									 NULL};
	struct process_options options = {
		.host = host,
		.isolation = isolation,
		.command = command,
		.environment = environment,
		.folder = folder,
		.memory = MIB,
		.folder_bytes = MIB,
		.processes = 5,
		.files = 32,
		.kill_after_ms = 1000,
	};
	struct process *process;
	struct outcome outcome;
	struct err err;

	(void)state;

	assert_int_equal(process_start(&process, &options, &err), 0);
	until_ended(process, &outcome);
	assert_non_null(strstr(process_fault(process), "No such file"));
	process_free(process);
}

static void background_processes_end_with_their_program(void **state)
{
	struct process *process = start("setsid sleep 100 & (sleep 100 &) ; sleep 0.1");
	struct outcome outcome;

	(void)state;

	until_ended(process, &outcome);
	process_free(process);

	assert_int_equal(alive(), 0);
}

static void freeing_a_process_ends_all_that_it_started(void **state)
{
	struct process *process =
		start("trap '' TERM HUP; setsid sleep 100 & echo up; sleep 100");

	(void)state;

	until_line(process);
	process_free(process);

	assert_int_equal(alive(), 0);
}

static void a_program_that_ignores_sigterm_is_killed(void **state)
{
	struct process *process =
		start("trap '' TERM; echo up; while :; do sleep 1; done");
	struct outcome outcome;

	(void)state;

	until_line(process);
	process_terminate(process);
	until_ended(process, &outcome);

	assert_int_equal(process_signal(process), 9);
	process_free(process);
	assert_int_equal(alive(), 0);
}

static void a_program_that_handles_sigterm_exits_by_itself(void **state)
{
	struct process *process = start(
		"trap 'echo bye; exit 4' TERM; echo up; while :; do sleep 0.05; done");
	struct outcome outcome;

	(void)state;

	until_line(process);
	process_terminate(process);
	until_ended(process, &outcome);

	assert_string_equal(outcome.output, "bye\n");
	assert_int_equal(process_exit_code(process), 4);
	process_free(process);
}

/* Waits until the file is longer than size and returns its size. */
static off_t wait_until_longer(const char *path, off_t size)
{
	int64_t end = clock_monotonic_ms() + deadline_patient(10000);
	struct stat now = {.st_size = 0};

	while ((stat(path, &now) < 0 || now.st_size <= size) &&
	       clock_monotonic_ms() < end)
		usleep(5000);
	assert_true(now.st_size > size);
	return now.st_size;
}

static void freezing_stops_a_program_and_all_that_it_started(void **state)
{
	struct process *process =
		start("echo up; (while :; do echo . >>ticks; sleep 0.01; done) & wait");
	struct stat before, after;
	char path[64];

	(void)state;

	snprintf(path, sizeof(path), "%s/ticks", folder);
	until_line(process);
	wait_until_longer(path, 4);
	process_freeze(process);
	assert_int_equal(stat(path, &before), 0);
	usleep(200000);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	process_thaw(process);
	wait_until_longer(path, after.st_size);
	process_free(process);
	unlink(path);
}

static void assert_fault(const char *lines, const char *part)
{
	struct process *process = start(lines);
	struct outcome outcome;

	until_ended(process, &outcome);
	if (!process_fault(process) || !strstr(process_fault(process), part))
		fail_msg("no '%s' in: %s", part,
			 process_fault(process) ? process_fault(process) : "(no fault)");
	process_free(process);
	assert_int_equal(alive(), 0);
}

static void an_exceeded_limit_is_reported_in_a_sentence(void **state)
{
	(void)state;

	assert_fault("i=0; while [ $i -lt 100 ]; do sleep 100 & i=$((i + 1)); done "
		     "2>/dev/null; wait",
		     "more than 20 processes");
	assert_fault("for i in 1 2 3; do dd if=/dev/zero of=/dev/null bs=40M 2>/dev/null "
		     "& done; wait",
		     "more than 64 MB of memory");
	assert_fault("for i in 1 2 3; do head -c 2000000 /dev/zero >f$i; done; sleep 100",
		     "beyond 4 MB");
	for (int i = 1; i <= 3; i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/f%d", folder, i);
		unlink(path);
	}
}

static void a_line_that_is_too_long_is_not_kept(void **state)
{
	struct process *process = start("exec head -c 1000000 /dev/zero");
	const char *line;
	size_t size;

	(void)state;

	assert_int_equal(process_wait(process, NULL, -1, &line, &size),
			 PROCESS_LINE_TOO_LONG);
	process_free(process);
}

static int run_round(const char *name)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_lines_and_the_exit_code_are_reported),
		cmocka_unit_test(lines_reach_standard_input),
		cmocka_unit_test(a_program_that_never_reads_loses_lines_in_the_end),
		cmocka_unit_test(a_program_starts_with_three_descriptors_only),
		cmocka_unit_test(the_signal_that_ended_a_program_is_reported),
		cmocka_unit_test(a_program_that_does_not_exist_is_reported_in_a_sentence),
		cmocka_unit_test(background_processes_end_with_their_program),
		cmocka_unit_test(freeing_a_process_ends_all_that_it_started),
		cmocka_unit_test(a_program_that_ignores_sigterm_is_killed),
		cmocka_unit_test(a_program_that_handles_sigterm_exits_by_itself),
		cmocka_unit_test(freezing_stops_a_program_and_all_that_it_started),
		cmocka_unit_test(an_exceeded_limit_is_reported_in_a_sentence),
		cmocka_unit_test(a_line_that_is_too_long_is_not_kept),
	};

	isolation = name;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
	char best[16], command[64];
	struct err err;
	int failed;

	snprintf(host, sizeof(host), "%s/openscan-task-host", build_dir_path());
	snprintf(mark, sizeof(mark), "MARK=openscan-process-test-%d", (int)getpid());
	if (!mkdtemp(folder) || process_probe(host, best, &err) < 0)
		return EXIT_FAILURE;
	failed = run_round("none");
	if (strcmp(best, "none") != 0)
		failed += run_round(best);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) != 0 || failed; /* NOLINT: a path of this test */
}
