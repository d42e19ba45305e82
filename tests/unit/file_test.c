/* Tests the atomic replacement of files.  The order of its syncs is in durable_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/file.h"

#define BLOCK 65536 /* bytes that each thread writes */

struct place {
	char path[64];
	int fd;
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	const char *tmp = getenv("TMPDIR");

	assert_non_null(place);
	snprintf(place->path, sizeof(place->path), "%s/file-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(place->path));
	place->fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->fd >= 0);
	*state = place;
	return 0;
}

/* Counts what is in the folder; removes it when asked to. */
static int entries(const struct place *place, bool removing)
{
	DIR *dir = opendir(place->path);
	struct dirent *entry;
	int n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		n++;
		if (removing && unlinkat(place->fd, entry->d_name, 0) < 0)
			unlinkat(place->fd, entry->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
	return n;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	entries(place, true);
	close(place->fd);
	assert_int_equal(rmdir(place->path), 0);
	free(place);
	return 0;
}

static const char *in(const struct place *place, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", place->path, name);
	return path;
}

static void assert_content(const struct place *place, const char *name, const char *text)
{
	char bytes[64] = "";
	int fd = openat(place->fd, name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, bytes, sizeof(bytes) - 1), strlen(text));
	close(fd);
	assert_string_equal(bytes, text);
}

static mode_t mode_of(const struct place *place, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(place->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 0777;
}

static void a_file_has_its_new_content_and_nothing_else_is_left(void **state)
{
	struct place *place = *state;

	assert_int_equal(file_replace(in(place, "a"), "a long text", 11, 0644), 0);
	assert_int_equal(file_replace(in(place, "a"), "short", 5, 0644), 0);
	assert_content(place, "a", "short");
	assert_int_equal(file_replace_at(place->fd, "a", "by folder", 9, 0644), 0);
	assert_content(place, "a", "by folder");

	assert_int_equal(entries(place, false), 1);
}

static void an_empty_file_can_be_written(void **state)
{
	struct place *place = *state;

	assert_int_equal(file_replace(in(place, "a"), "", 0, 0644), 0);

	assert_content(place, "a", "");
}

static void a_path_without_a_folder_is_in_the_working_folder(void **state)
{
	struct place *place = *state;
	int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fchdir(place->fd), 0);
	assert_int_equal(file_replace("a", "here", 4, 0644), 0);
	assert_int_equal(fchdir(before), 0);
	close(before);

	assert_content(place, "a", "here");
}

static void a_file_has_the_mode_it_was_given(void **state)
{
	struct place *place = *state;

	file_replace(in(place, "secret"), "a", 1, 0600);
	file_replace_at(place->fd, "public", "a", 1, 0444);

	assert_int_equal(mode_of(place, "secret"), 0600);
	assert_int_equal(mode_of(place, "public"), 0444);
}

static void leftovers_of_a_crash_affect_neither_bytes_nor_mode(void **state)
{
	struct place *place = *state;
	int fd = openat(place->fd, "a.new", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	assert_int_equal(write(fd, "half a file", 11), 11);
	close(fd);
	assert_int_equal(file_replace(in(place, "a"), "whole", 5, 0600), 0);

	assert_content(place, "a", "whole");
	assert_int_equal(mode_of(place, "a"), 0600);
	assert_int_equal(entries(place, false), 1);
}

static void a_link_in_place_of_the_temporary_file_is_not_followed(void **state)
{
	struct place *place = *state;

	file_replace(in(place, "other"), "untouched", 9, 0644);
	assert_int_equal(symlinkat("other", place->fd, "a.new"), 0);
	assert_int_equal(file_replace(in(place, "a"), "whole", 5, 0644), 0);

	assert_content(place, "other", "untouched");
	assert_content(place, "a", "whole");
}

static void a_file_that_could_not_be_filled_leaves_the_old_one(void **state)
{
	struct place *place = *state;

	file_replace(in(place, "a"), "old", 3, 0644);
	file_replace(in(place, "temp"), "ne", 2, 0644);
	assert_int_equal(file_put_in_place(place->fd, "temp", "a", -ENOSPC), -ENOSPC);

	assert_content(place, "a", "old");
	assert_int_equal(entries(place, false), 1);
}

static void a_name_that_is_taken_by_a_folder_leaves_no_temporary_file(void **state)
{
	struct place *place = *state;

	assert_int_equal(mkdirat(place->fd, "a", 0777), 0);
	assert_int_equal(file_replace(in(place, "a"), "x", 1, 0644), -EISDIR);
	assert_int_equal(file_replace_at(place->fd, "a", "x", 1, 0644), -EISDIR);

	assert_int_equal(entries(place, false), 1);
}

static void a_folder_that_does_not_exist_is_not_made(void **state)
{
	struct place *place = *state;

	assert_int_equal(file_replace(in(place, "b/a"), "x", 1, 0644), -ENOENT);

	assert_int_equal(entries(place, false), 0);
}

static void a_name_that_is_too_long_is_refused(void **state)
{
	char path[8192];

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(file_replace(path, "x", 1, 0644), -ENAMETOOLONG);
	path[253] = '\0'; /* ".new" does not fit behind it */
	assert_int_equal(file_replace(path, "x", 1, 0644), -ENAMETOOLONG);
}

struct letters {
	const struct place *place;
	char letter;
};

static void *write_letters(void *arg)
{
	const struct letters *letters = arg;
	static char bytes[2][BLOCK];
	char *block = bytes[letters->letter - 'a'];

	memset(block, letters->letter, BLOCK);
	for (int i = 0; i < 20; i++)
		file_replace_at(letters->place->fd, "a", block, BLOCK, 0644);
	return NULL;
}

static void two_threads_that_replace_one_file_never_mix_it(void **state)
{
	struct place *place = *state;
	struct letters letters[] = {{place, 'a'}, {place, 'b'}};
	pthread_t threads[2];
	char *bytes = malloc(BLOCK + 1);
	int fd;

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, write_letters, &letters[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);

	fd = openat(place->fd, "a", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, bytes, BLOCK + 1), BLOCK);
	close(fd);
	for (int i = 1; i < BLOCK; i++)
		assert_int_equal(bytes[i], bytes[0]);
	assert_int_equal(entries(place, false), 1);
	free(bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_has_its_new_content_and_nothing_else_is_left),
		TEST(an_empty_file_can_be_written),
		TEST(a_path_without_a_folder_is_in_the_working_folder),
		TEST(a_file_has_the_mode_it_was_given),
		TEST(leftovers_of_a_crash_affect_neither_bytes_nor_mode),
		TEST(a_link_in_place_of_the_temporary_file_is_not_followed),
		TEST(a_file_that_could_not_be_filled_leaves_the_old_one),
		TEST(a_name_that_is_taken_by_a_folder_leaves_no_temporary_file),
		TEST(a_folder_that_does_not_exist_is_not_made),
		cmocka_unit_test(a_name_that_is_too_long_is_refused),
		TEST(two_threads_that_replace_one_file_never_mix_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
