/* Tests the order in which files are written, synced and renamed.  No test can cut the
 * power, so these watch the system calls whose order matters then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/file.h"
#include "hal/frame.h"
#include "tasks/project/folder.h"
#include "tasks/project/photo_writer.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what follows */
static char calls[4096];				 /* "sync a.txt, name b.txt, " */

static void note(const char *what, const char *name)
{
	size_t used;

	/* Its number does not matter. */
	if (!strncmp(name, ".new-", 5))
		name = "temporary";
	pthread_mutex_lock(&lock);
	used = strlen(calls);
	snprintf(calls + used, sizeof(calls) - used, "%s %s, ", what, name);
	pthread_mutex_unlock(&lock);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* These replace those of the C library. */
int fsync(int fd)
{
	char link[64], path[512];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	assert_true(n > 0);
	path[n] = '\0';
	note("sync", base_name(path));
	return (int)syscall(SYS_fsync, fd);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	note("name", to);
	return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
}

int mkdirat(int fd, const char *name, mode_t mode)
{
	note("make", name);
	return (int)syscall(SYS_mkdirat, fd, name, mode);
}

/* ---- tests ---- */

struct place {
	char path[64];
	struct folder *folder;
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	const char *tmp = getenv("TMPDIR");

	snprintf(place->path, sizeof(place->path), "%s/durable-XXXXXX",
		 tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(place->path));
	assert_int_equal(folder_open(&place->folder, place->path, NULL), 0);
	assert_int_equal(folder_make(place->folder, "scan", NULL), 0);
	calls[0] = '\0';
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	folder_remove(place->folder, "scan", NULL);
	folder_close(place->folder);
	assert_int_equal(rmdir(place->path), 0);
	free(place);
	return 0;
}

static void a_file_is_synced_before_it_has_its_name_and_its_folder_after(void **state)
{
	struct place *place = *state;

	assert_int_equal(folder_write(place->folder, "scan/a.txt", "a", 1, NULL), 0);

	assert_string_equal(calls, "sync temporary, name a.txt, sync scan, ");
}

static void a_file_replaced_by_its_path_is_synced_like_one_in_a_folder(void **state)
{
	struct place *place = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/scan/a.txt", place->path);
	assert_int_equal(file_replace(path, "a", 1, 0644), 0);

	assert_string_equal(calls, "sync a.txt.new, name a.txt, sync scan, ");
}

static void a_new_folder_is_synced_by_its_parent(void **state)
{
	struct place *place = *state;

	assert_int_equal(folder_make(place->folder, "scan/more", NULL), 0);

	assert_string_equal(calls, "make more, sync scan, ");
}

static void a_removed_folder_is_gone_from_its_parent_for_good(void **state)
{
	struct place *place = *state;

	folder_make(place->folder, "scan/more", NULL);
	calls[0] = '\0';
	assert_int_equal(folder_remove(place->folder, "scan/more", NULL), 0);

	assert_string_equal(calls, "sync scan, ");
}

static void put_photo(struct photo_writer *writer)
{
	struct photo_writer_job job = {.photo = "scan/p.jpg", .metadata = "scan/p.json"};

	job.frame = frame_new(164, 123);
	assert_non_null(job.frame);
	memset(job.frame->rgb, 100, 164 * 123 * 3);
	job.frame->orientation = 1;
	job.frame->jpeg_quality = 90;
	job.details = cJSON_CreateObject();
	assert_int_equal(photo_writer_put(writer, &job, NULL), 0);
}

/* A checkpoint counts only photos that were reported. */
static void a_photo_is_reported_when_it_and_its_metadata_are_synced(void **state)
{
	struct place *place = *state;
	struct photo_writer_report report;
	struct photo_writer *writer;

	assert_int_equal(photo_writer_open(&writer, place->folder, NULL), 0);
	put_photo(writer);
	assert_true(photo_writer_take(writer, true, &report));

	pthread_mutex_lock(&lock);
	assert_string_equal(calls, "sync temporary, name p.json, sync scan, "
				   "sync temporary, name p.jpg, sync scan, ");
	pthread_mutex_unlock(&lock);
	free(report.preview);
	photo_writer_close(writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_file_is_synced_before_it_has_its_name_and_its_folder_after,
			make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			a_file_replaced_by_its_path_is_synced_like_one_in_a_folder,
			make_place, remove_place),
		cmocka_unit_test_setup_teardown(a_new_folder_is_synced_by_its_parent,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			a_removed_folder_is_gone_from_its_parent_for_good, make_place,
			remove_place),
		cmocka_unit_test_setup_teardown(
			a_photo_is_reported_when_it_and_its_metadata_are_synced,
			make_place, remove_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
