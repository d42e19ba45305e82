/* Tests the streaming ZIP archive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tasks/cloud/zip.h"

#define FILES 3
#define GIB (INT64_C(1) << 30)

static const struct zip_file files[FILES] = {
	{"one.jpg", 700000, 1700000000},
	{"nothing.jpg", 0, 1700000001},
	{"zwei-\xc3\xa4.jpg", 300001, 1700000002},
};

/* Each byte follows from its place. */
static int read_place(void *context, size_t file, int64_t offset, void *bytes,
		      size_t size, struct err *err)
{
	unsigned char *place = bytes;
	int *reads = context;

	(void)err;
	if (reads)
		(*reads)++;
	for (size_t i = 0; i < size; i++) {
		int64_t at = offset + (int64_t)i;

		place[i] = (unsigned char)(at * 7 + (at >> 8) + (int64_t)file * 101);
	}
	return 0;
}

static const struct zip_reader reader = {NULL, read_place};

static struct zip open_zip(const struct zip_file *list, size_t n,
			   const struct zip_reader *from)
{
	struct zip zip;
	struct err err = {0};

	if (zip_open(&zip, list, n, from, &err) < 0)
		fail_msg("%s", err.text);
	return zip;
}

static unsigned char *whole(const struct zip *zip)
{
	unsigned char *bytes = malloc((size_t)zip->size);

	assert_int_equal(zip_read(zip, &reader, 0, bytes, (size_t)zip->size, NULL), 0);
	return bytes;
}

static void the_archives_overhead_is_small_and_each_file_is_read_once(void **state)
{
	int reads = 0;
	const struct zip_reader counting = {&reads, read_place};

	struct zip zip = open_zip(files, FILES, &counting);

	(void)state;
	assert_true(zip.byte_count < 1000);
	assert_true(zip.size == 1000001 + (int64_t)zip.byte_count);
	assert_in_range(reads, 2, 8);
	zip_clear(&zip);
}

static void the_same_files_make_the_same_archive(void **state)
{
	struct zip a = open_zip(files, FILES, &reader),
		   b = open_zip(files, FILES, &reader);
	struct zip_file later[FILES];
	char of_a[SHA256_HEX], of_b[SHA256_HEX], of_c[SHA256_HEX];

	memcpy(later, files, sizeof(files));
	later[0].mtime_s += 2;
	struct zip c = open_zip(later, FILES, &reader);
	zip_fingerprint(&a, of_a);
	zip_fingerprint(&b, of_b);
	zip_fingerprint(&c, of_c);

	(void)state;
	unsigned char *bytes_a = whole(&a), *bytes_b = whole(&b);
	assert_memory_equal(bytes_a, bytes_b, (size_t)a.size);
	assert_string_equal(of_a, of_b);
	assert_string_not_equal(of_a, of_c);
	free(bytes_a);
	free(bytes_b);
	zip_clear(&a);
	zip_clear(&b);
	zip_clear(&c);
}

static void any_part_equals_that_part_of_the_whole(void **state)
{
	struct zip zip = open_zip(files, FILES, &reader);
	unsigned char *all = whole(&zip), part[5000];
	uint32_t prng = 1;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		size_t size = (prng = prng * 1664525 + 1013904223) % sizeof(part);
		int64_t offset =
			(prng = prng * 1664525 + 1013904223) % (zip.size - (int64_t)size);

		assert_int_equal(zip_read(&zip, &reader, offset, part, size, NULL), 0);
		assert_memory_equal(part, all + offset, size);
	}
	assert_true(zip_read(&zip, &reader, zip.size, part, 1, NULL) < 0);
	free(all);
	zip_clear(&zip);
}

/* Without a byte of memory for it, and without a disk. */
static int read_zeros(void *context, size_t file, int64_t offset, void *bytes,
		      size_t size, struct err *err)
{
	(void)context;
	(void)file;
	(void)offset;
	(void)err;
	memset(bytes, 0, size);
	return 0;
}

static void an_archive_above_four_gigabytes_is_zip64(void **state)
{
	const struct zip_file large[] = {
		{"a.jpg", 3 * GIB, 0}, {"b.jpg", 2 * GIB, 0}, {"c.jpg", 100, 0}};
	const struct zip_reader zeros = {NULL, read_zeros};

	struct zip zip = open_zip(large, 3, &zeros);

	(void)state;
	assert_true(zip.size > 5 * GIB);
	assert_true(zip.byte_count < 2000);
	assert_non_null(memmem(zip.bytes, zip.byte_count, "PK\x06\x06", 4));
	assert_non_null(memmem(zip.bytes, zip.byte_count, "PK\x06\x07", 4));
	zip_clear(&zip);
}

static int read_nothing(void *context, size_t file, int64_t offset, void *bytes,
			size_t size, struct err *err)
{
	(void)context;
	(void)offset;
	(void)bytes;
	(void)size;
	return file == 2 ? err_code(err, -EIO, "storage_error", "the card is gone")
			 : read_place(NULL, file, offset, bytes, size, err);
}

static void a_file_that_cannot_be_read_fails_the_archive(void **state)
{
	const struct zip_reader broken = {NULL, read_nothing};
	struct err err = {0};
	struct zip zip;

	int ret = zip_open(&zip, files, FILES, &broken, &err);

	(void)state;
	assert_int_equal(ret, -EIO);
	assert_string_equal(err.text, "the card is gone");
	zip_clear(&zip);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_archives_overhead_is_small_and_each_file_is_read_once),
		cmocka_unit_test(the_same_files_make_the_same_archive),
		cmocka_unit_test(any_part_equals_that_part_of_the_whole),
		cmocka_unit_test(an_archive_above_four_gigabytes_is_zip64),
		cmocka_unit_test(a_file_that_cannot_be_read_fails_the_archive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
