/* Tests projects on disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/json.h"
#include "agent/base/log.h"
#include "tasks/project/folder.h"
#include "tasks/project/project.h"

/* A root folder per test, beside a folder that must not be touched. */
struct place {
	char top[64], root[80], outside[80];
	struct projects *projects;
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	char secret[128];
	FILE *file;

	snprintf(place->top, sizeof(place->top), "%s/openscan-project-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(place->top));
	snprintf(place->root, sizeof(place->root), "%s/root", place->top);
	snprintf(place->outside, sizeof(place->outside), "%s/outside", place->top);
	assert_int_equal(mkdir(place->outside, 0777), 0);
	snprintf(secret, sizeof(secret), "%s/openscan_project.json", place->outside);
	file = fopen(secret, "w");
	assert_non_null(file);
	fputs("{\"name\":\"secret\"}", file);
	fclose(file);
	assert_int_equal(projects_open(&place->projects, place->root, NULL), 0);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;
	struct folder *folder;
	const char *name = strrchr(place->top, '/') + 1;
	char parent[64];

	projects_close(place->projects);
	snprintf(parent, sizeof(parent), "%.*s", (int)(name - place->top), place->top);
	assert_int_equal(folder_open(&folder, parent, NULL), 0);
	assert_int_equal(folder_remove(folder, name, NULL), 0);
	folder_close(folder);
	free(place);
	return 0;
}

static void link_into_root(const struct place *place, const char *name,
			   const char *target)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", place->root, name);
	assert_int_equal(symlink(target, path), 0);
}

static void write_file(const struct place *place, const char *path, const char *text)
{
	assert_int_equal(folder_write(projects_folder(place->projects), path, text,
				      strlen(text), NULL),
			 0);
}

static void make_project(const struct place *place, const char *name)
{
	cJSON *data = NULL;

	assert_int_equal(projects_create(place->projects, name, "a cup", &data, NULL), 0);
	cJSON_Delete(data);
}

static cJSON *get(const struct place *place, const char *name)
{
	cJSON *data = NULL;

	assert_int_equal(projects_get(place->projects, name, &data, NULL), 0);
	return data;
}

static void assert_name_refused(const char *name)
{
	struct err err = {0};

	assert_true(project_name_check(name, &err) < 0);
	assert_string_equal(err.code, "invalid_args");
	assert_non_null(strstr(err.text, "project"));
}

static void names_of_any_script_are_allowed(void **state)
{
	static const char *const names[] = {
		"cup",	 "Größe 3", "тест",    "カップ",    "हिन्दी", "o'neill_v1.2-b",
		"A B C", "2026",    "console", "COM10.txt",
	};

	(void)state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(project_name_check(names[i], NULL), 0);
}

static void forbidden_names_are_refused_with_a_sentence(void **state)
{
	static const char *const names[] = {
		"",	"..",	"../etc", "/etc/passwd", "a/b",	 "a\\b",     "a:b",
		"a*b",	"a?b",	"a\"b",	  "a<b",	 "a>b",	 "a|b",	     ".hidden",
		"end.", " a",	"a ",	  "CON",	 "nul",	 "com1.txt", "LPT9",
		"a\nb", "\x7f", "a\xff",  "😀",		 "a\tb",
	};
	char longest[151 + 1];

	(void)state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_name_refused(names[i]);
	memset(longest, 'a', 151);
	longest[151] = '\0';
	assert_name_refused(longest);
	longest[150] = '\0';
	assert_int_equal(project_name_check(longest, NULL), 0);
}

static void a_project_is_made_read_and_deleted(void **state)
{
	struct place *place = *state;
	struct err err = {0};
	cJSON *data;

	make_project(place, "Tasse ä");
	data = get(place, "Tasse ä");
	assert_string_equal(json_string(data, "project"), "Tasse ä");
	assert_string_equal(json_string(data, "description"), "a cup");
	cJSON_Delete(data);

	assert_int_equal(projects_create(place->projects, "Tasse ä", NULL, &data, &err),
			 -EEXIST);
	assert_string_equal(err.code, "id_conflict");
	assert_int_equal(projects_delete(place->projects, "Tasse ä", &data, NULL), 0);
	cJSON_Delete(data);
	assert_int_equal(projects_get(place->projects, "Tasse ä", &data, &err), -ENOENT);
	assert_string_equal(err.code, "not_found");
	assert_string_equal(err.text, "there is no project 'Tasse ä'");
}

static void no_call_leaves_the_root_folder(void **state)
{
	static const char *const names[] = {"../outside", "link", "/etc", ".."};
	struct place *place = *state;
	char secret[128];
	cJSON *data;

	link_into_root(place, "link", "../outside");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_true(projects_get(place->projects, names[i], &data, NULL) < 0);
		assert_true(projects_delete(place->projects, names[i], &data, NULL) < 0);
		assert_true(projects_ensure(place->projects, names[i], NULL, NULL) < 0);
	}

	snprintf(secret, sizeof(secret), "%s/openscan_project.json", place->outside);
	assert_int_equal(access(secret, F_OK), 0);
}

static void no_file_is_read_or_written_outside(void **state)
{
	static const char *const paths[] = {
		"../outside/x", "link/x",   "/tmp/x", "cup/../../x",
		"cup/..",	"cup/loop", "",	      "."};
	struct place *place = *state;
	const struct folder *folder = projects_folder(place->projects);
	char *bytes;
	size_t size;

	make_project(place, "cup");
	link_into_root(place, "link", "../outside");
	link_into_root(place, "cup/loop", "../../outside/openscan_project.json");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_true(folder_read(folder, paths[i], 100, &bytes, &size, NULL) < 0);
	for (size_t i = 0; i < 5; i++)
		assert_true(folder_write(folder, paths[i], "x", 1, NULL) < 0);

	assert_int_equal(folder_write(folder, "cup/loop", "mine", 4, NULL), 0);
	assert_int_equal(folder_file_size(folder, "cup/loop"), 4);
}

static void deleting_a_project_keeps_what_its_links_point_to(void **state)
{
	struct place *place = *state;
	char secret[128];
	cJSON *data;

	make_project(place, "cup");
	link_into_root(place, "cup/scan01", "../../outside");
	assert_int_equal(projects_delete(place->projects, "cup", &data, NULL), 0);
	cJSON_Delete(data);

	snprintf(secret, sizeof(secret), "%s/openscan_project.json", place->outside);
	assert_int_equal(access(secret, F_OK), 0);
	assert_false(folder_has(projects_folder(place->projects), "cup"));
}

static void a_file_appears_complete_and_without_leftovers(void **state)
{
	struct place *place = *state;
	const struct folder *folder = projects_folder(place->projects);
	cJSON *names;

	make_project(place, "cup");
	write_file(place, "cup/a.jpg", "first");
	write_file(place, "cup/a.jpg", "second one");

	assert_int_equal(folder_file_size(folder, "cup/a.jpg"), 10);
	assert_int_equal(folder_names(folder, "cup", false, &names, NULL), 0);
	assert_int_equal(cJSON_GetArraySize(names), 2);
	cJSON_Delete(names);
}

static void a_damaged_document_is_moved_aside(void **state)
{
	static const char *const documents[] = {"{\"name\":", "[]", "", "\xff", "7"};
	struct place *place = *state;
	const struct folder *folder = projects_folder(place->projects);

	make_project(place, "cup");
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		char aside[64];

		write_file(place, "cup/openscan_project.json", documents[i]);
		cJSON_Delete(get(place, "cup"));

		snprintf(aside, sizeof(aside), "cup/openscan_project.json.damaged-%zu",
			 i + 1);
		assert_int_equal(folder_file_size(folder, aside), strlen(documents[i]));
	}
}

static void malformed_documents_are_tolerated(void **state)
{
	struct place *place = *state;
	cJSON *data;

	make_project(place, "cup");
	write_file(place, "cup/openscan_project.json",
		   "{\"name\":7,\"scans\":[1],\"created\":{},\"uploaded\":\"yes\"}");
	assert_int_equal(
		folder_make(projects_folder(place->projects), "cup/scan01", NULL), 0);
	write_file(place, "cup/scan01/scan.json",
		   "{\"photos\":{},\"status\":[],\"settings\":3,\"total_size_bytes\":"
		   "\"x\"}");
	assert_int_equal(
		folder_make(projects_folder(place->projects), "cup/scan02", NULL), 0);
	write_file(place, "cup/scan02/scan.json", "no json");
	write_file(place, "cup/scan02/scan02_000.jpg", "photo");
	assert_int_equal(projects_note_scan(place->projects, "cup", 1, "now", 5, NULL),
			 0);

	data = get(place, "cup");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(data, "scans")), 2);
	assert_int_equal(json_number(data, "photos", -1), 1);
	cJSON_Delete(data);
}

static void a_list_comes_in_pages(void **state)
{
	struct place *place = *state;
	cJSON *data, *projects;

	make_project(place, "a");
	make_project(place, "b");
	make_project(place, "c");
	write_file(place, "stray.txt", "x");
	assert_int_equal(
		folder_make(projects_folder(place->projects), "lost+found", NULL), 0);
	assert_int_equal(projects_list(place->projects, 2, NULL, &data, NULL), 0);
	assert_string_equal(json_string(data, "next"), "b");
	cJSON_Delete(data);

	assert_int_equal(projects_list(place->projects, 2, "b", &data, NULL), 0);
	projects = cJSON_GetObjectItem(data, "projects");
	assert_int_equal(cJSON_GetArraySize(projects), 1);
	assert_string_equal(json_string(cJSON_GetArrayItem(projects, 0), "project"), "c");
	assert_null(json_string(data, "next"));
	cJSON_Delete(data);
}

static void a_new_scan_gets_the_number_after_the_highest(void **state)
{
	struct place *place = *state;
	const struct folder *folder = projects_folder(place->projects);
	int index = 0;

	make_project(place, "cup");
	assert_int_equal(projects_next_scan(place->projects, "cup", &index, NULL), 0);
	assert_int_equal(index, 1);

	assert_int_equal(folder_make(folder, "cup/scan07", NULL), 0);
	assert_int_equal(folder_make(folder, "cup/scanner", NULL), 0);
	assert_int_equal(projects_next_scan(place->projects, "cup", &index, NULL), 0);
	assert_int_equal(index, 8);
}

static void scans_of_a_process_that_is_gone_are_interrupted(void **state)
{
	static const char *const before[] = {"running", "pending", "paused", "completed"};
	static const char *const after[] = {"interrupted", "interrupted", "interrupted",
					    "completed"};
	struct place *place = *state;
	cJSON *data;

	make_project(place, "cup");
	for (int i = 0; i < 4; i++) {
		char path[64], text[64];

		snprintf(path, sizeof(path), "cup/scan%02d", i + 1);
		assert_int_equal(
			folder_make(projects_folder(place->projects), path, NULL), 0);
		snprintf(path, sizeof(path), "cup/scan%02d/scan.json", i + 1);
		snprintf(text, sizeof(text), "{\"status\":\"%s\"}", before[i]);
		write_file(place, path, text);
	}
	projects_close(place->projects);
	assert_int_equal(projects_open(&place->projects, place->root, NULL), 0);

	data = get(place, "cup");
	for (int i = 0; i < 4; i++)
		assert_string_equal(
			json_string(
				cJSON_GetArrayItem(cJSON_GetObjectItem(data, "scans"), i),
				"status"),
			after[i]);
	cJSON_Delete(data);
}

static void a_patch_changes_only_what_it_names(void **state)
{
	struct place *place = *state;
	cJSON *patch = cJSON_Parse("{\"uploaded\":true}"), *data;

	make_project(place, "cup");
	assert_int_equal(projects_patch(place->projects, "cup", patch, NULL), 0);
	cJSON_Delete(patch);

	data = get(place, "cup");
	assert_true(json_bool(data, "uploaded", false));
	assert_string_equal(json_string(data, "description"), "a cup");
	cJSON_Delete(data);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_any_script_are_allowed),
		cmocka_unit_test(forbidden_names_are_refused_with_a_sentence),
		TEST(a_project_is_made_read_and_deleted),
		TEST(no_call_leaves_the_root_folder),
		TEST(no_file_is_read_or_written_outside),
		TEST(deleting_a_project_keeps_what_its_links_point_to),
		TEST(a_file_appears_complete_and_without_leftovers),
		TEST(a_damaged_document_is_moved_aside),
		TEST(malformed_documents_are_tolerated),
		TEST(a_list_comes_in_pages),
		TEST(a_new_scan_gets_the_number_after_the_highest),
		TEST(scans_of_a_process_that_is_gone_are_interrupted),
		TEST(a_patch_changes_only_what_it_names),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
