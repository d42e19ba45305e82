/* Tests file operations that stay within a folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tasks/project/folder.h"

struct two {
	char path[64];
	struct folder *top, *from, *to;
};

static int make_two(void **state)
{
	struct two *two = calloc(1, sizeof(*two));
	char path[80];

	snprintf(two->path, sizeof(two->path), "%s/openscan-folder-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(two->path));
	assert_int_equal(folder_open(&two->top, two->path, NULL), 0);
	snprintf(path, sizeof(path), "%s/from", two->path);
	assert_int_equal(folder_open(&two->from, path, NULL), 0);
	snprintf(path, sizeof(path), "%s/to", two->path);
	assert_int_equal(folder_open(&two->to, path, NULL), 0);
	assert_int_equal(folder_write(two->from, "photo", "12345678", 8, NULL), 0);
	*state = two;
	return 0;
}

static int remove_two(void **state)
{
	struct two *two = *state;

	folder_remove(two->top, "from", NULL);
	folder_remove(two->top, "to", NULL);
	folder_close(two->from);
	folder_close(two->to);
	folder_close(two->top);
	assert_int_equal(rmdir(two->path), 0);
	free(two);
	return 0;
}

static void assert_content(const struct folder *folder, const char *path,
			   const char *text)
{
	char *bytes;
	size_t size;

	assert_int_equal(folder_read(folder, path, 1000, &bytes, &size, NULL), 0);
	assert_string_equal(bytes, text);
	free(bytes);
}

static void a_shared_file_is_stored_once(void **state)
{
	struct two *two = *state;

	assert_int_equal(folder_share(two->from, "photo", two->to, "copy", NULL), 1);
	assert_int_equal(folder_share(two->from, "photo", two->to, "copy", NULL), 0);

	assert_content(two->to, "copy", "12345678");
}

static void a_file_that_changed_is_shared_again(void **state)
{
	struct two *two = *state;
	cJSON *names;

	assert_int_equal(folder_share(two->from, "photo", two->to, "copy", NULL), 1);
	assert_int_equal(folder_write(two->from, "photo", "abcdefgh", 8, NULL), 0);
	assert_content(two->to, "copy", "12345678");
	assert_int_equal(folder_share(two->from, "photo", two->to, "copy", NULL), 1);

	assert_content(two->to, "copy", "abcdefgh");
	assert_int_equal(folder_names(two->to, ".", false, &names, NULL), 0);
	assert_int_equal(cJSON_GetArraySize(names), 1);
	cJSON_Delete(names);
}

/* /dev/shm is another disk on most machines: there is no link between two. */
static void without_hard_links_a_shared_file_is_copied(void **state)
{
	struct two *two = *state;
	struct folder *far;
	char path[64] = "/dev/shm/openscan-folder-XXXXXX";

	if (!mkdtemp(path))
		skip();
	assert_int_equal(folder_open(&far, path, NULL), 0);

	assert_int_equal(folder_share(two->from, "photo", far, "copy", NULL), 1);
	assert_int_equal(folder_share(two->from, "photo", far, "copy", NULL), 0);

	assert_content(far, "copy", "12345678");
	assert_int_equal(folder_remove(far, "copy", NULL), 0);
	folder_close(far);
	assert_int_equal(rmdir(path), 0);
}

static void nothing_is_written_outside_of_the_folder(void **state)
{
	struct two *two = *state;
	struct err err = {0};
	char link[80];

	snprintf(link, sizeof(link), "%s/to/out", two->path);
	assert_int_equal(symlink("/tmp", link), 0);

	assert_int_equal(folder_share(two->from, "photo", two->to, "../copy", &err),
			 -EINVAL);
	assert_int_equal(folder_share(two->from, "photo", two->to, "out/copy", &err),
			 -EINVAL);
	assert_int_equal(folder_share(two->from, "photo", two->to, "/tmp/copy", &err),
			 -EINVAL);
	assert_int_equal(folder_make_all(two->to, "a/../../b", &err), -EINVAL);
	assert_int_equal(folder_make_all(two->to, "out/b", &err), -EINVAL);
	assert_int_equal(folder_share(two->from, "nothing", two->to, "copy", &err),
			 -ENOENT);
}

static void a_folder_takes_the_place_of_another(void **state)
{
	struct two *two = *state;

	assert_int_equal(folder_make(two->to, "old", NULL), 0);
	assert_int_equal(folder_write(two->to, "old/file", "old", 3, NULL), 0);
	assert_int_equal(folder_make(two->to, "new", NULL), 0);
	assert_int_equal(folder_write(two->to, "new/file", "new", 3, NULL), 0);

	assert_int_equal(folder_replace(two->to, "new", "old", NULL), 0);

	assert_content(two->to, "old/file", "new");
	assert_false(folder_has(two->to, "new"));
	assert_int_equal(folder_replace(two->to, "old", "nothing-yet", NULL), 0);
	assert_content(two->to, "nothing-yet/file", "new");
}

static void a_missing_folder_replaces_nothing(void **state)
{
	struct two *two = *state;

	assert_int_equal(folder_write(two->to, "old", "old", 3, NULL), 0);

	assert_int_equal(folder_replace(two->to, "new", "old", NULL), -ENOENT);
	assert_int_equal(folder_replace(two->to, "new", "neither", NULL), -ENOENT);

	assert_content(two->to, "old", "old");
}

static void missing_parent_folders_are_created(void **state)
{
	struct two *two = *state;

	assert_int_equal(folder_make_all(two->to, "a/b/c", NULL), 0);
	assert_int_equal(folder_make_all(two->to, "a/b/d", NULL), 0);

	assert_true(folder_has(two->to, "a/b/c"));
	assert_true(folder_has(two->to, "a/b/d"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_two, remove_two)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_shared_file_is_stored_once),
		TEST(a_file_that_changed_is_shared_again),
		TEST(without_hard_links_a_shared_file_is_copied),
		TEST(nothing_is_written_outside_of_the_folder),
		TEST(a_folder_takes_the_place_of_another),
		TEST(a_missing_folder_replaces_nothing),
		TEST(missing_parent_folders_are_created),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
