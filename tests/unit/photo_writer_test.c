/* Tests the thread that writes photos. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/json.h"
#include "hal/frame.h"
#include "tasks/project/folder.h"
#include "tasks/capture/photo.h"
#include "tasks/capture/contact_sheet.h"
#include "tasks/project/photo_writer.h"

struct place {
	char path[64];
	struct folder *folder;
	struct photo_writer *writer;
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	snprintf(place->path, sizeof(place->path), "%s/openscan-writer-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(place->path));
	assert_int_equal(folder_open(&place->folder, place->path, NULL), 0);
	assert_int_equal(photo_writer_open(&place->writer, place->folder, NULL), 0);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;
	cJSON *names = NULL;
	const cJSON *name;

	photo_writer_close(place->writer);
	assert_int_equal(folder_names(place->folder, ".", false, &names, NULL), 0);
	cJSON_ArrayForEach(name, names)
		folder_remove(place->folder, name->valuestring, NULL);
	cJSON_Delete(names);
	folder_close(place->folder);
	assert_int_equal(rmdir(place->path), 0);
	free(place);
	return 0;
}

static struct frame *make_frame(uint8_t grey)
{
	struct frame *frame = frame_new(164, 123);

	assert_non_null(frame);
	memset(frame->rgb, grey, 164 * 123 * 3);
	frame->orientation = 1;
	frame->jpeg_quality = 90;
	return frame;
}

static void put(struct photo_writer *writer, int place, const char *folder)
{
	struct photo_writer_job job = {.place = place};

	snprintf(job.photo, sizeof(job.photo), "%sp%03d.jpg", folder, place);
	snprintf(job.metadata, sizeof(job.metadata), "%sp%03d.json", folder, place);
	job.frame = make_frame(100);
	job.details = cJSON_CreateObject();
	json_put_string(job.details, "format", "jpeg");
	assert_int_equal(photo_writer_put(writer, &job, NULL), 0);
}

static void a_reported_photo_is_on_disk(void **state)
{
	struct place *place = *state;
	struct photo_writer_report report;
	cJSON *metadata;

	put(place->writer, 7, "");
	assert_true(photo_writer_take(place->writer, true, &report));

	assert_int_equal(report.err.number, 0);
	assert_int_equal(report.place, 7);
	assert_true(report.bytes > 100);
	assert_int_equal(folder_file_size(place->folder, "p007.jpg"), report.bytes);
	assert_int_equal(folder_read_json(place->folder, "p007.json", &metadata, NULL),
			 0);
	assert_int_equal(json_number(metadata, "bytes", 0), report.bytes);
	assert_string_equal(json_string(metadata, "format"), "jpeg");
	assert_non_null(report.preview);
	cJSON_Delete(metadata);
	free(report.preview);
}

static void reports_come_in_order_and_none_is_lost(void **state)
{
	struct place *place = *state;
	struct photo_writer_report report;

	for (int i = 0; i < 20; i++)
		put(place->writer, i, "");
	for (int i = 0; i < 20; i++) {
		assert_true(photo_writer_take(place->writer, true, &report));
		assert_int_equal(report.place, i);
		free(report.preview);
	}
	assert_false(photo_writer_take(place->writer, true, &report));
}

static void a_photo_that_cannot_be_written_says_why(void **state)
{
	struct place *place = *state;
	struct photo_writer_report report;

	put(place->writer, 1, "missing/");
	assert_true(photo_writer_take(place->writer, true, &report));

	assert_true(report.err.number < 0);
	assert_non_null(strstr(report.err.text, "missing/p001.json"));
	assert_null(report.preview);
}

static void closing_finishes_queued_photos(void **state)
{
	struct place *place = *state;

	put(place->writer, 3, "");
	photo_writer_close(place->writer);
	assert_int_equal(photo_writer_open(&place->writer, place->folder, NULL), 0);

	assert_true(folder_file_size(place->folder, "p003.jpg") > 0);
}

static void a_contact_sheet_has_a_bounded_size(void **state)
{
	struct frame *frame = make_frame(250), *page;
	struct contact_sheet *sheet;
	void *jpeg;
	size_t size;

	(void)state;

	assert_int_equal(photo_encode(frame, &jpeg, &size, NULL), 0);
	assert_int_equal(contact_sheet_open(&sheet, 999, NULL), 0);
	assert_int_equal(contact_sheet_put(sheet, 0, jpeg, size, NULL), 0);
	assert_int_equal(contact_sheet_put(sheet, 998, jpeg, size, NULL), 0);
	assert_true(contact_sheet_put(sheet, 1, jpeg, size / 2, NULL) < 0);
	assert_true(contact_sheet_has(sheet, 998));
	assert_false(contact_sheet_has(sheet, 1));
	free(jpeg);
	assert_int_equal(contact_sheet_encode(sheet, &jpeg, &size, NULL), 0);
	assert_int_equal(photo_decode(jpeg, size, CONTACT_SHEET_SIDE, &page, NULL), 0);

	assert_true(page->width <= CONTACT_SHEET_SIDE &&
		    page->height <= CONTACT_SHEET_SIDE);
	assert_true(page->height <
		    page->width); /* no bands between photos that are wider than high */
	assert_true(page->rgb[(32 * page->width + 32) * 3] > 230);
	assert_true(page->rgb[(32 * page->width + 96) * 3] < 80);
	frame_free(page);
	frame_free(frame);
	contact_sheet_close(sheet);
	free(jpeg);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_reported_photo_is_on_disk),
		TEST(reports_come_in_order_and_none_is_lost),
		TEST(a_photo_that_cannot_be_written_says_why),
		TEST(closing_finishes_queued_photos),
		cmocka_unit_test(a_contact_sheet_has_a_bounded_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
