/* Tests the stored step counts of axes. */
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
#include <sys/mman.h>
#include <sys/ptrace.h>
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

/* A file in which the rotor is at count, found at the endstop. */
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

static void a_step_count_survives_a_restart_of_the_program(void **state)
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

static void any_step_count_is_restored(void **state)
{
	struct position_file *file = open_in_boot("one", false);
	struct position *rotor = find(file, "rotor");

	(void)state;

	for (int64_t count = 1; count < INT64_C(1) << 46; count *= 3) {
		position_declare(rotor, count, true);
		assert_int_equal(position_count(rotor), count);
		position_begin_step(rotor, 1);
		assert_int_equal(position_count(rotor), count + 1);
		position_declare(rotor, -count, true);
		assert_int_equal(position_count(rotor), -count);
		position_begin_step(rotor, -1);
		assert_int_equal(position_count(rotor), -count - 1);
	}
	position_close(file);
}

static void each_axis_has_its_own_record(void **state)
{
	struct position_file *file = open_in_boot("one", false);

	(void)state;

	position_declare(find(file, "rotor"), 5, false);
	position_declare(find(file, "turntable"), 7, false);
	position_begin_step(find(file, "rotor"), 1);
	position_end_step(find(file, "rotor"));

	assert_int_equal(position_count(find(file, "rotor")), 6);
	assert_int_equal(position_count(find(file, "turntable")), 7);
	position_close(file);
}

static void positions_are_unknown_after_a_reboot(void **state)
{
	struct position_file *file;

	(void)state;
	leave_count(100, "one");

	file = open_in_boot("two", false);

	assert_false(position_known(find(file, "rotor")));
	position_close(file);
}

static void positions_are_trusted_after_a_reboot_if_configured(void **state)
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

static void changed_steps_per_rotation_make_a_position_unknown(void **state)
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

static void a_doubtful_position_stays_so_until_it_is_declared(void **state)
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

static void a_damaged_byte_never_gives_a_wrong_position(void **state)
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

/* ---- a kill at any instant ---- */

/* Steps over 0 and back, where all bits of a count change, and what a driver would count.
 */
static void take_steps(struct position *rotor, int64_t *driver)
{
	static const int steps[] = {1, 1, -1, -1, -1, 1};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		position_begin_step(rotor, steps[i]);
		*driver += steps[i];
		position_end_step(rotor);
	}
}

/* A child that is led through take_steps() step by step. */
static pid_t start_steps(int64_t *driver)
{
	pid_t child = fork();

	if (child == 0) {
		struct position_file *file;
		struct position *rotor;

		if (position_open(&file, path, "one", false, NULL) < 0 ||
		    position_find(file, "rotor", TURN, &rotor, NULL) < 0 ||
		    ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(1);
		kill(getpid(), SIGSTOP);
		take_steps(rotor, driver);
		_exit(0);
	}
	return child;
}

/* What a process leaves when it is killed now: the file, and the driver's count. */
struct remains {
	char bytes[4096];
	size_t size;
	int64_t driver;
};

static void look_at_remains(struct remains *remains, const int64_t *driver)
{
	FILE *file = fopen(path, "rb");

	memset(remains, 0, sizeof(*remains));
	remains->size = fread(remains->bytes, 1, sizeof(remains->bytes), file);
	remains->driver = *driver;
	fclose(file);
	assert_true(remains->size > 0 && remains->size < sizeof(remains->bytes));
}

/* Opening the file now gives the driver's position, or by how much it may be off. */
static uint32_t check_kill(const struct remains *remains)
{
	struct position_file *file;
	struct position *rotor;
	char copy[PATH_MAX];
	uint32_t unsure;
	FILE *out;

	snprintf(copy, sizeof(copy), "%s/copy", folder);
	out = fopen(copy, "wb");
	assert_int_equal(fwrite(remains->bytes, 1, remains->size, out), remains->size);
	fclose(out);
	assert_int_equal(position_open(&file, copy, "one", false, NULL), 0);
	rotor = find(file, "rotor");

	unsure = position_uncertainty(rotor);
	assert_true(position_known(rotor));
	assert_true(unsure <= 1);
	assert_true(llabs(position_count(rotor) - remains->driver) <= unsure);
	assert_int_equal(position_doubted(rotor), unsure);
	assert_int_equal(position_calibrated(rotor), !unsure);
	assert_int_equal(aside(), 0);
	position_close(file);
	return unsure;
}

static void
a_kill_at_any_instruction_leaves_a_count_that_is_right_or_in_doubt(void **state)
{
	int64_t *driver = mmap(NULL, sizeof(*driver), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct remains remains, before = {0};
	int instants[2] = {0};
	uint32_t unsure = 0;
	int status;
	pid_t child;

	(void)state;
	leave_count(0, "one");
	child = start_steps(driver);
	waitpid(child, &status, 0);
	if (WIFEXITED(status)) {
		print_message("this machine lets no process trace another\n");
		skip();
	}

	for (;;) {
		look_at_remains(&remains, driver);
		if (memcmp(&remains, &before, sizeof(remains)) != 0)
			unsure = check_kill(&remains);
		before = remains;
		instants[unsure]++;
		ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
		waitpid(child, &status, 0);
		if (WIFEXITED(status))
			break;
	}

	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(instants[0] > 6 && instants[1] > 6);
	look_at_remains(&remains, driver);
	assert_int_equal(check_kill(&remains), 0);
	munmap(driver, sizeof(*driver));
}

static void
each_kill_within_a_pulse_adds_a_doubtful_step_until_it_is_declared(void **state)
{
	struct position_file *file;
	struct position *rotor;

	(void)state;
	leave_count(100, "one");

	for (uint32_t kills = 1; kills < 4; kills++) {
		file = open_in_boot("one", false);
		position_begin_step(find(file, "rotor"), 1);
		position_close(file);
		file = open_in_boot("one", false);
		assert_int_equal(position_uncertainty(find(file, "rotor")), kills);
		position_close(file);
	}

	file = open_in_boot("one", false);
	rotor = find(file, "rotor");
	assert_int_equal(position_count(rotor), 103);
	position_declare(rotor, 90, false);
	assert_int_equal(position_uncertainty(rotor), 0);
	position_close(file);
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
		TEST(a_step_count_survives_a_restart_of_the_program),
		TEST(any_step_count_is_restored),
		TEST(each_axis_has_its_own_record),
		TEST(positions_are_unknown_after_a_reboot),
		TEST(positions_are_trusted_after_a_reboot_if_configured),
		TEST(an_axis_that_moved_when_the_power_went_is_never_trusted),
		TEST(a_moving_axis_is_known_after_a_kill_in_the_same_boot),
		TEST(changed_steps_per_rotation_make_a_position_unknown),
		TEST(a_doubtful_position_stays_so_until_it_is_declared),
		TEST(a_damaged_byte_never_gives_a_wrong_position),
		TEST(a_short_file_is_moved_aside),
		TEST(a_kill_at_any_instruction_leaves_a_count_that_is_right_or_in_doubt),
		TEST(each_kill_within_a_pulse_adds_a_doubtful_step_until_it_is_declared),
		TEST(this_machine_has_a_boot_id),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
