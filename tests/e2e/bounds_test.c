/* The bounds of section 8 of the contract: what is just within is accepted, what is
 * beyond is answered, and nothing that was accepted is lost.  Bounds that need a month or
 * a thousand tasks are in the unit tests of the core, the store and the outbox. */
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HELLO "hello_world_async_task"
#define SHORT_HELLO "{'total_steps':1,'delay':0.01}"
#define KIB 1024

static const struct world_options keep_five = {.settings = "{'agent':{'keep_tasks':5}}"};
static const struct world_options later = {.agent_later = true};

/* ["t0","t1",…] */
static char *ids(struct world *w, int count)
{
	char *list = quoted(w, "%*s", 16 * count + 3, "");
	size_t used = 0;

	list[used++] = '[';
	for (int i = 0; i < count; i++)
		used += (size_t)sprintf(list + used, "%s\"t%d\"", i ? "," : "", i);
	strcpy(list + used, "]");
	return list;
}

/* text repeated count times, separated by commas. */
static char *repeated(struct world *w, const char *text, int count)
{
	char *all = quoted(w, "%*s", (int)(strlen(text) + 1) * count + 1, "");
	size_t used = 0;

	for (int i = 0; i < count; i++)
		used += (size_t)sprintf(all + used, "%s%s", i ? "," : "", text);
	return all;
}

static void a_payload_has_at_most_128_kib(struct world *w)
{
	size_t size = 128 * KIB + 1;
	char *big = quoted(w, "%*s", (int)size, "");

	memcpy(big, "{}", 2);

	const cJSON *beyond = ask_topic(w, BASE "/cmd/agent/ping", big, size);
	const cJSON *within = ask_topic(w, BASE "/cmd/agent/ping", big, size - 1);

	assert_string_equal(text_at(beyond, "code"), "payload_too_large");
	assert_true(bool_at(within, "ok"));
}

static void json_has_at_most_sixteen_levels(struct world *w)
{
	/* The object itself is the first level. */
	const cJSON *within = ask_refused(w, "agent/ping", "invalid_args",
					  "{'x':[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}");
	const cJSON *beyond = ask_refused(w, "agent/ping", "bad_json",
					  "{'x':[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}");

	assert_non_null(strstr(text_at(within, "message"), "x"));
	assert_non_null(strstr(text_at(beyond, "message"), "16"));
}

static void after_names_at_most_32_tasks(struct world *w)
{
	ask_ok(w, "queue/pause", "{}");
	for (int i = 0; i < 33; i++)
		create(w, quoted(w, "t%d", i), HELLO, SHORT_HELLO);

	ask_refused(w, "task/create", "invalid_args", "{'type':'" HELLO "','after':%s}",
		    ids(w, 33));
	ask_ok(w, "task/create", "{'id':'last','type':'" HELLO "','args':%s,'after':%s}",
	       SHORT_HELLO, ids(w, 32));

	assert_int_equal(count_at(task_now(w, "last"), "after"), 32);
}

static void then_has_at_most_32_creates(struct world *w)
{
	const char *one = quoted(w, "{'type':'" HELLO "','args':%s}", SHORT_HELLO);

	ask_ok(w, "queue/pause", "{}");

	ask_refused(w, "task/create", "invalid_args", "{'type':'" HELLO "','then':[%s]}",
		    repeated(w, one, 33));
	ask_ok(w, "task/create", "{'id':'c','type':'" HELLO "','then':[%s]}",
	       repeated(w, one, 32));

	wait_value(w, BASE "/queue", "depth", "33");
	assert_status(w, "c-32", "pending");
}

/* All or none: six do not fit where there is room for five. */
static void chained_tasks_count_among_the_256_live_tasks(struct world *w)
{
	const char *one = quoted(w, "{'type':'" HELLO "','args':%s}", SHORT_HELLO);

	ask_ok(w, "queue/pause", "{}");
	for (int i = 0; i < 251; i++)
		tell(w, "task/create", "{'id':'t%d','type':'" HELLO "','args':%s}", i,
		     SHORT_HELLO);

	const cJSON *beyond = ask_refused(w, "task/create", "queue_full",
					  "{'id':'c','type':'" HELLO "','then':[%s]}",
					  repeated(w, one, 5));

	assert_true(number_at(beyond, "retry_after_s") > 0);
	ask_refused(w, "task/get", "not_found", "c");
	ask_refused(w, "task/get", "not_found", "c-1");
	ask_ok(w, "task/create", "{'id':'c','type':'" HELLO "','then':[%s]}",
	       repeated(w, one, 4));
	wait_value(w, BASE "/queue", "depth", "256");
	assert_int_equal(count_at(ask_ok(w, "queue/clear", "{}"), "data.cancelled"), 256);
}

static void a_task_has_at_most_sixteen_labels(struct world *w)
{
	char members[17 * 16] = "";

	for (int i = 0; i < 17; i++)
		sprintf(members + strlen(members), "%s'k%d':'v'", i ? "," : "", i);

	ask_refused(w, "task/create", "invalid_args",
		    "{'type':'" HELLO "','labels':{%s}}", members);
	*strrchr(members, ',') = '\0';
	ask_ok(w, "task/create", "{'id':'a','type':'" HELLO "','args':%s,'labels':{%s}}",
	       SHORT_HELLO, members);
	assert_int_equal(count_at(task_now(w, "a"), "labels"), 16);
}

/* Cut between characters, which have three bytes each here. */
static void messages_have_at_most_256_bytes_and_errors_1_kib(struct world *w)
{
	char *text = quoted(w, "%*s", 3 * 1000, "");

	for (int i = 0; i < 1000; i++)
		memcpy(text + (size_t)3 * (size_t)i, "\xe2\x82\xac", 3);
	create(w, "a", "talk_task", quoted(w, "{'text':'%s'}", text));

	const cJSON *task = wait_status(w, "a", "error");

	assert_in_range(strlen(text_at(task, "progress.message")), 250, 256);
	assert_in_range(strlen(text_at(task, "error.message")), 1000, 1024);
	assert_int_equal(strlen(text_at(task, "error.message")) % 3, 0);
}

static void a_log_has_at_most_64_kib(struct world *w)
{
	size_t bytes = 0;

	create(w, "a", "talk_task", quoted(w, "{'text':'%0200d','times':500}", 7));
	wait_status(w, "a", "error");

	const cJSON *log = ask_ok(w, "task/log", "{'id':'a','limit':500}");
	const cJSON *lines = at(log, "data.lines");
	const cJSON *line;

	cJSON_ArrayForEach(line, lines)
		bytes += strlen(text_at(line, "message"));
	assert_in_range(bytes, 32 * KIB, 64 * KIB);
	assert_in_range(cJSON_GetArraySize(lines), 150, 330);
}

/* Every page fits, and all pages together are complete. */
static void a_reply_has_at_most_128_kib_and_lists_are_split_into_pages(struct world *w)
{
	const char *next = "";
	int seen = 0, pages = 0;

	ask_ok(w, "queue/pause", "{}");
	for (int i = 0; i < 60; i++)
		create(w, quoted(w, "t%d", i), "result_task",
		       quoted(w, "{'raw':'%03000d'}", i));
	do {
		const cJSON *list = ask_ok(w, "task/list", "{'limit':200%s}",
					   *next ? quoted(w, ",'next':'%s'", next) : "");
		char *text = cJSON_PrintUnformatted(list);

		assert_true(strlen(text) <= 128 * KIB);
		cJSON_free(text);
		seen += count_at(list, "data.tasks");
		pages++;
		next = cJSON_IsString(at(list, "data.next")) ? text_at(list, "data.next")
							     : "";
	} while (*next && pages < 60);

	assert_int_equal(seen, 60);
	assert_true(pages > 1);
}

/* The newest are kept, and only tasks that ended a minute ago may be deleted. */
static void finished_tasks_are_pruned_down_to_the_newest(struct world *w)
{
	for (int i = 0; i < 9; i++) {
		create(w, quoted(w, "t%d", i), HELLO, SHORT_HELLO);
		wait_status(w, quoted(w, "t%d", i), "completed");
	}

	assert_true(number_at(ask_ok(w, "agent/prune", "{'keep':5}"), "data.pruned") ==
		    0);
	assert_int_equal(count_at(ask_ok(w, "task/list", "{}"), "data.tasks"), 9);
}

static void the_reserve_takes_4_mib_of_disk(struct world *w)
{
	char *path = quoted(w, "%s/reserve", w->device.state_dir);
	struct stat status;

	world_start_agent(w);

	assert_int_equal(stat(path, &status), 0);
	assert_true(status.st_size == 4 * KIB * KIB);
	assert_true(status.st_blocks * 512 >= 4 * KIB * KIB); /* not sparse */
}

static const struct test tests[] = {
	TEST(a_payload_has_at_most_128_kib),
	TEST(json_has_at_most_sixteen_levels),
	TEST(after_names_at_most_32_tasks),
	TEST(then_has_at_most_32_creates),
	TEST(chained_tasks_count_among_the_256_live_tasks),
	TEST(a_task_has_at_most_sixteen_labels),
	TEST(messages_have_at_most_256_bytes_and_errors_1_kib),
	TEST(a_log_has_at_most_64_kib),
	TEST(a_reply_has_at_most_128_kib_and_lists_are_split_into_pages),
	TEST_WITH(finished_tasks_are_pruned_down_to_the_newest, keep_five),
	TEST_WITH(the_reserve_takes_4_mib_of_disk, later),
};

int main(int argc, char **argv)
{
	return world_run("bounds", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
