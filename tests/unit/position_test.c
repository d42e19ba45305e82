#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <dirent.h>

#include "hal/position.h"

#define TURN 3200

static char folder[] = "/tmp/position_testXXXXXX";
static char path[PATH_MAX];

static void remove_files(void)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/positions", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	remove_files();
	return rmdir(folder);
}

static int empty_folder(void **state)
{
	(void)state;
	remove_files();
	return 0;
}

/* How many files were moved aside. */
static int aside(void)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int count = 0;

	while ((entry = readdir(dir)))
		count += strncmp(entry->d_name, "positions.damaged-", 18) == 0;
	closedir(dir);
	return count;
}

static struct position_file *open_in_boot(const char *boot_id, bool assume)
{
	struct position_file *file;
	struct err err;

	assert_int_equal(position_open(&file, path, boot_id, assume, &err), 0);
	return file;
}

static struct position *find(struct position_file *file, const char *name)
{
	struct position *position;
	struct err err;

	assert_int_equal(position_find(file, name, TURN, &position, &err), 0);
	return position;
}

/* A file that says: rotor stands at count, found at the endstop. */
static void leave_count(int64_t count, const char *boot_id)
{
	struct position_file *file = open_in_boot(boot_id, false);

	position_declare(find(file, "rotor"), count, true);
	position_close(file);
}

static void spoil_byte(long at)
{
	FILE *file = fopen(path, "r+b");
	int byte;

	assert_non_null(file);
	fseek(file, at, SEEK_SET);
	byte = fgetc(file);
	fseek(file, at, SEEK_SET);
	fputc(byte ^ 0x10, file);
	fclose(file);
}

static void a_new_axis_has_no_position(void **state)
{
	struct position_file *file;

	(void)state;

	file = open_in_boot("one", false);

	assert_false(position_known(find(file, "rotor")));
	position_close(file);
}

static void a_count_is_there_after_a_restart_of_the_program(void **state)
{
	struct position_file *file;

	(void)state;
	leave_count(-12345678901, "one");

	file = open_in_boot("one", false);

	assert_true(position_known(find(file, "rotor")));
	assert_true(position_calibrated(find(file, "rotor")));
	assert_int_equal(position_count(find(file, "rotor")), -12345678901);
	position_close(file);
}

static void any_count_comes_back(void **state)
{
	struct position_file *file = open_in_boot("one", false);
	struct position *rotor = find(file, "rotor");

	(void)state;

	for (int64_t count = 1; count < INT64_C(1) << 46; count *= 3) {
		position_write(rotor, count);
		assert_int_equal(position_count(rotor), count);
		position_write(rotor, -count);
		assert_int_equal(position_count(rotor), -count);
	}
	position_close(file);
}

static void axes_have_records_of_their_own(void **state)
{
	struct position_file *file = open_in_boot("one", false);

	(void)state;

	position_declare(find(file, "rotor"), 5, false);
	position_declare(find(file, "turntable"), 7, false);
	position_write(find(file, "rotor"), 6);

	assert_int_equal(position_count(find(file, "rotor")), 6);
	assert_int_equal(position_count(find(file, "turntable")), 7);
	position_close(file);
}

static void another_boot_knows_nothing(void **state)
{
	struct position_file *file;

	(void)state;
	leave_count(100, "one");

	file = open_in_boot("two", false);

	assert_false(position_known(find(file, "rotor")));
	position_close(file);
}

static void another_boot_is_trusted_when_told_to(void **state)
{
	struct position_file *file;

	(void)state;
	leave_count(100, "one");

	file = open_in_boot("two", true);

	assert_true(position_known(find(file, "rotor")));
	assert_int_equal(position_count(find(file, "rotor")), 100);
	position_close(file);
}

static void an_axis_that_moved_when_the_power_went_is_never_trusted(void **state)
{
	struct position_file *file;

	(void)state;
	leave_count(100, "one");
	file = open_in_boot("one", true);
	position_moving(file, find(file, "rotor"), true);
	position_close(file);

	file = open_in_boot("two", true);

	assert_false(position_known(find(file, "rotor")));
	position_close(file);
}

static void a_moving_axis_is_known_after_a_kill_in_the_same_boot(void **state)
{
	struct position_file *file;

	(void)state;
	leave_count(100, "one");
	file = open_in_boot("one", false);
	position_moving(file, find(file, "rotor"), true);
	position_close(file);

	file = open_in_boot("one", false);

	assert_true(position_known(find(file, "rotor")));
	position_close(file);
}

static void other_steps_make_a_position_unknown(void **state)
{
	struct position_file *file;
	struct position *rotor;
	struct err err;

	(void)state;
	leave_count(100, "one");

	file = open_in_boot("one", false);
	assert_int_equal(position_find(file, "rotor", TURN * 2, &rotor, &err), 0);

	assert_false(position_known(rotor));
	position_close(file);
}

static void doubt_lasts_until_somebody_declares(void **state)
{
	struct position_file *file;

	(void)state;
	leave_count(100, "one");
	file = open_in_boot("one", false);
	position_doubt(find(file, "rotor"), true);
	position_close(file);

	file = open_in_boot("one", false);
	assert_true(position_doubted(find(file, "rotor")));
	position_declare(find(file, "rotor"), 3, false);

	assert_false(position_doubted(find(file, "rotor")));
	position_close(file);
}

static void no_damaged_byte_makes_a_wrong_position(void **state)
{
	struct position_file *file;
	struct position *rotor;
	int asides = 0;

	(void)state;

	/* The header and all of the first record. */
	for (long at = 0; at < 150; at++) {
		empty_folder(NULL);
		leave_count(100, "one");
		spoil_byte(at);
		file = open_in_boot("one", false);
		rotor = find(file, "rotor");
		if (position_known(rotor))
			assert_int_equal(position_count(rotor), 100);
		asides += aside();
		position_close(file);
	}

	assert_true(asides >= 8 + 4 + 8); /* magic, state and count at least */
}

static void a_short_file_is_moved_aside(void **state)
{
	struct position_file *file;

	(void)state;
	leave_count(100, "one");
	assert_int_equal(truncate(path, 77), 0);

	file = open_in_boot("one", false);

	assert_int_equal(aside(), 1);
	assert_false(position_known(find(file, "rotor")));
	position_close(file);
}

static void a_killed_writer_leaves_a_whole_count(void **state)
{
	struct position_file *file;
	int pipes[2];
	char byte;
	pid_t pid;

	(void)state;
	leave_count(0, "one");
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		struct position *rotor = find(open_in_boot("one", false), "rotor");

		for (int64_t count = 0;; count += 0x10001) {
			position_write(rotor, count);
			if (count == 0x10001 * 1000 && write(pipes[1], "x", 1) != 1)
				_exit(1);
		}
	}
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);

	file = open_in_boot("one", false);

	assert_int_equal(aside(), 0);
	assert_true(position_known(find(file, "rotor")));
	assert_int_equal(position_count(find(file, "rotor")) % 0x10001, 0);
	position_close(file);
	close(pipes[0]);
	close(pipes[1]);
}

static void this_machine_has_a_boot_id(void **state)
{
	char boot_id[POSITION_BOOT_ID];
	struct err err;

	(void)state;

	assert_int_equal(position_boot_id(boot_id, &err), 0);

	assert_int_equal(strlen(boot_id), 36);
}

#define TEST(name) cmocka_unit_test_setup(name, empty_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_axis_has_no_position),
		TEST(a_count_is_there_after_a_restart_of_the_program),
		TEST(any_count_comes_back),
		TEST(axes_have_records_of_their_own),
		TEST(another_boot_knows_nothing),
		TEST(another_boot_is_trusted_when_told_to),
		TEST(an_axis_that_moved_when_the_power_went_is_never_trusted),
		TEST(a_moving_axis_is_known_after_a_kill_in_the_same_boot),
		TEST(other_steps_make_a_position_unknown),
		TEST(doubt_lasts_until_somebody_declares),
		TEST(no_damaged_byte_makes_a_wrong_position),
		TEST(a_short_file_is_moved_aside),
		TEST(a_killed_writer_leaves_a_whole_count),
		TEST(this_machine_has_a_boot_id),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
