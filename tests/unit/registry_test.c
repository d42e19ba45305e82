/* Tests the registry of task types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "agent/base/log.h"
#include "tasks/registry.h"

static const char *const all[] = {"core", "examples", "community", NULL};
static const struct registry_options everything = {.enabled = true, .namespaces = all};

static int no_run(const struct task_type *type, const struct task_host *host,
		  struct task_run *run, const char *args)
{
	(void)type;
	(void)host;
	(void)run;
	(void)args;
	return 0;
}

static const struct task_type mine = {.name = "mine_task", .args = "{}", .run = no_run};
static const struct task_type other_generator = {
	.name = "generator_task", .args = "{}", .run = no_run};

static struct registry *open_with(const struct registry_options *options,
				  const struct type_offer *extra)
{
	struct registry *registry = NULL;
	struct err err = {0};

	if (registry_open(&registry, options, extra, &err) < 0)
		fail_msg("%s", err.text);
	return registry;
}

static void assert_refused(const struct registry_options *options,
			   const struct task_type *type, const char *word)
{
	const struct type_offer extra[] = {{"community", type}, {NULL, NULL}};
	struct registry *registry = NULL;
	struct err err = {0};

	assert_true(registry_open(&registry, options, extra, &err) < 0);
	assert_null(registry);
	if (!strstr(err.text, word))
		fail_msg("no '%s' in: %s", word, err.text);
}

static void the_builtin_types_are_registered(void **state)
{
	static const char *const names[] = {"scan_task",
					    "hello_world_async_task",
					    "hello_world_blocking_task",
					    "exclusive_demo_task",
					    "generator_task",
					    "failing_task"};
	struct registry *registry = open_with(&everything, NULL);

	(void)state;

	for (size_t i = 0; i < 6; i++) {
		const struct registered_type *type = registry_find(registry, names[i]);

		assert_non_null(type);
		assert_non_null(type->schema);
		assert_string_equal(type->source, "built-in");
	}
	assert_null(registry_find(registry, "nobody_task"));
	assert_true(registry_count(registry) >= 6);
	assert_string_equal(registry_at(registry, 0)->type->name, "scan_task");
	registry_close(registry);
}

static void a_type_can_be_added(void **state)
{
	const struct type_offer extra[] = {{"community", &mine}, {NULL, NULL}};
	struct registry *registry = open_with(&everything, extra);

	(void)state;

	assert_ptr_equal(registry_find(registry, "mine_task")->type, &mine);
	registry_close(registry);
}

static void the_first_type_of_a_name_wins_without_override(void **state)
{
	const struct type_offer extra[] = {{"community", &other_generator}, {NULL, NULL}};
	struct registry_options options = everything;
	struct registry *registry = open_with(&options, extra);
	size_t count = registry_count(registry);

	(void)state;

	assert_ptr_not_equal(registry_find(registry, "generator_task")->type,
			     &other_generator);
	registry_close(registry);

	options.override_on_conflict = true;
	registry = open_with(&options, extra);
	assert_ptr_equal(registry_find(registry, "generator_task")->type,
			 &other_generator);
	assert_int_equal(registry_count(registry), count);
	registry_close(registry);
}

static void without_discovery_only_the_core_is_there(void **state)
{
	const struct type_offer extra[] = {{"community", &mine}, {NULL, NULL}};
	struct registry_options options = everything;
	struct registry *registry;

	(void)state;

	options.enabled = false;
	registry = open_with(&options, extra);
	assert_non_null(registry_find(registry, "scan_task"));
	assert_null(registry_find(registry, "failing_task"));
	assert_null(registry_find(registry, "mine_task"));
	registry_close(registry);
}

static void namespaces_and_modules_can_be_left_out(void **state)
{
	static const char *const core[] = {"core", NULL};
	static const char *const ignored[] = {"failing_task", NULL};
	struct registry_options options = everything;
	struct registry *registry;

	(void)state;

	options.ignore_modules = ignored;
	registry = open_with(&options, NULL);
	assert_null(registry_find(registry, "failing_task"));
	assert_non_null(registry_find(registry, "generator_task"));
	registry_close(registry);

	options.namespaces = core;
	registry = open_with(&options, NULL);
	assert_null(registry_find(registry, "generator_task"));
	registry_close(registry);
}

static void a_missing_core_type_is_named(void **state)
{
	static const char *const ignored[] = {"scan_task", NULL};
	struct registry_options options = everything;

	(void)state;

	options.ignore_modules = ignored;
	assert_refused(&options, &mine, "scan_task");
}

static void a_bad_name_is_named(void **state)
{
	static const char *const names[] = {"Scan_task", "scan", "_task",  "1_task",
					    "a-b_task",	 "",	 "a_task "};

	(void)state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct task_type type = mine;

		type.name = names[i];
		assert_refused(&everything, &type, names[i]);
	}
}

static void a_type_with_an_unsupported_schema_is_named(void **state)
{
	struct task_type type = mine;

	(void)state;

	type.args = "{\"type\":\"object\",\"patternProperties\":{}}";
	assert_refused(&everything, &type, "mine_task");
	assert_refused(&everything, &type, "patternProperties");
}

/* ---- guests ---- */

struct fake_owner {
	struct type_owner owner;
	int held;
};

static void acquire(struct type_owner *owner)
{
	((struct fake_owner *)owner)->held++;
}

static void release(struct type_owner *owner)
{
	((struct fake_owner *)owner)->held--;
}

static bool used; /* it is in use */

static bool is_used(void *context, const struct registered_type *type)
{
	(void)context;
	(void)type;
	return used;
}

static void a_guest_type_stays_registered_while_it_is_used(void **state)
{
	struct fake_owner owner = {.owner = {acquire, release}};
	const struct type_guest guests[] = {{&mine, "/c/mine", &owner.owner},
					    {NULL, NULL, NULL}};
	struct registry *registry = open_with(&everything, NULL);
	cJSON *problems = cJSON_CreateArray();
	const struct registered_type *type;
	size_t count = registry_count(registry);

	(void)state;

	registry_renew(registry, guests, problems);
	type = registry_find(registry, "mine_task");
	assert_string_equal(type->source, "/c/mine");
	registry_renew(registry, guests, problems);
	assert_ptr_equal(registry_find(registry, "mine_task"), type);
	assert_int_equal(owner.held, 1);

	registry_renew(registry, NULL, problems);
	used = true;
	registry_sweep(registry, is_used, NULL);
	assert_null(registry_find(registry, "mine_task"));
	assert_ptr_equal(type->type, &mine);
	used = false;
	registry_sweep(registry, is_used, NULL);
	assert_int_equal(owner.held, 0);
	assert_int_equal(registry_count(registry), count);
	assert_int_equal(cJSON_GetArraySize(problems), 0);
	cJSON_Delete(problems);
	registry_close(registry);
}

static void a_guest_type_that_returns_before_the_sweep_is_the_same(void **state)
{
	struct fake_owner owner = {.owner = {acquire, release}};
	const struct type_guest guests[] = {{&mine, "/c/mine", &owner.owner},
					    {NULL, NULL, NULL}};
	struct registry *registry = open_with(&everything, NULL);
	const struct registered_type *type;

	(void)state;

	registry_renew(registry, guests, NULL);
	type = registry_find(registry, "mine_task");
	registry_renew(registry, NULL, NULL);
	registry_renew(registry, guests, NULL);

	assert_ptr_equal(registry_find(registry, "mine_task"), type);
	registry_sweep(registry, is_used, NULL);
	assert_ptr_equal(registry_find(registry, "mine_task"), type);
	registry_close(registry);
	assert_int_equal(owner.held, 0);
}

static void a_bad_guest_type_is_reported_and_the_others_are_registered(void **state)
{
	static const struct task_type bad_name = {
		.name = "Bad", .args = "{}", .run = no_run};
	static const struct task_type bad_args = {
		.name = "bad_task", .args = "{\"oddity\":1}", .run = no_run};
	struct fake_owner owner = {.owner = {acquire, release}};
	const struct type_guest guests[] = {{&bad_name, "/c/a", &owner.owner},
					    {&bad_args, "/c/b", &owner.owner},
					    {&other_generator, "/c/c", &owner.owner},
					    {&mine, "/c/d", &owner.owner},
					    {NULL, NULL, NULL}};
	struct registry *registry = open_with(&everything, NULL);
	cJSON *problems = cJSON_CreateArray();

	(void)state;

	registry_renew(registry, guests, problems);

	assert_int_equal(cJSON_GetArraySize(problems), 3);
	assert_non_null(
		strstr(cJSON_GetArrayItem(problems, 0)->valuestring, "/c/a: 'Bad'"));
	assert_non_null(strstr(cJSON_GetArrayItem(problems, 1)->valuestring, "bad_task"));
	assert_non_null(
		strstr(cJSON_GetArrayItem(problems, 2)->valuestring, "generator_task"));
	assert_non_null(registry_find(registry, "mine_task"));
	cJSON_Delete(problems);
	registry_close(registry);
	assert_int_equal(owner.held, 0);
}

static void a_guest_type_replaces_a_core_type_while_it_is_registered(void **state)
{
	static const struct task_type scan = {
		.name = "scan_task", .args = "{}", .run = no_run};
	struct fake_owner owner = {.owner = {acquire, release}};
	const struct type_guest guests[] = {{&scan, "/c/scan", &owner.owner},
					    {NULL, NULL, NULL}};
	struct registry_options options = everything;
	struct registry *registry;
	cJSON *problems = cJSON_CreateArray();

	(void)state;
	options.override_on_conflict = true;
	registry = open_with(&options, NULL);

	registry_renew(registry, guests, problems);
	assert_ptr_equal(registry_find(registry, "scan_task")->type, &scan);
	registry_renew(registry, NULL, problems);

	assert_string_equal(registry_find(registry, "scan_task")->source, "built-in");
	cJSON_Delete(problems);
	registry_close(registry);
	assert_int_equal(owner.held, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_type_stays_registered_while_it_is_used),
		cmocka_unit_test(a_guest_type_that_returns_before_the_sweep_is_the_same),
		cmocka_unit_test(
			a_bad_guest_type_is_reported_and_the_others_are_registered),
		cmocka_unit_test(
			a_guest_type_replaces_a_core_type_while_it_is_registered),
		cmocka_unit_test(the_builtin_types_are_registered),
		cmocka_unit_test(a_type_can_be_added),
		cmocka_unit_test(the_first_type_of_a_name_wins_without_override),
		cmocka_unit_test(without_discovery_only_the_core_is_there),
		cmocka_unit_test(namespaces_and_modules_can_be_left_out),
		cmocka_unit_test(a_missing_core_type_is_named),
		cmocka_unit_test(a_bad_name_is_named),
		cmocka_unit_test(a_type_with_an_unsupported_schema_is_named),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
