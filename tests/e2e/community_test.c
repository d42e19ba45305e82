/* Community task types: files in a folder that are found, described and run. */
#include "tests/support/world.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define README OPENSCAN_SOURCE_DIR "/tasks/community/README.md"
#define EXAMPLE OPENSCAN_SOURCE_DIR "/tasks/community/examples"

static const struct world_options later = {.agent_later = true};
static const struct world_options quick_kill = {
	.agent_later = true, .settings = "{'tasks':{'kill_after_s':2}}"};
static const struct world_options overriding = {
	.agent_later = true,
	.settings = "{'task_autodiscovery_override_on_conflict':true}"};
static const struct world_options ignoring = {
	.agent_later = true,
	.settings = "{'task_autodiscovery_ignore_modules':['left','named_task'],"
		    "'task_autodiscovery_include_subpackages':false}"};
static const struct world_options core_only = {
	.agent_later = true,
	.settings = "{'task_autodiscovery_namespaces':['core','examples']}"};
static const struct world_options slow_rig = {.agent_later = true, .sim_speed = "0.3"};

/* ---- files ---- */

static const char *place_of(struct world *w, const char *name)
{
	const char *folder = quoted(w, "%s/community", w->device.state_dir);

	mkdir(folder, 0755);
	return quoted(w, "%s/%s", folder, name);
}

/* Writes a file in the community folder; text is written unchanged. */
static const char *put(struct world *w, const char *name, mode_t mode, const char *text)
{
	const char *path = place_of(w, name);

	unlink(path); /* a shell that runs it keeps reading the old one */
	assert_int_equal(file_write(path, text, strlen(text)), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

/* A program that runs these lines of shell. */
static const char *put_script(struct world *w, const char *name, const char *description,
			      const char *lines)
{
	const char *path;
	char *text;

	/* Not quoted(), because ' has a meaning in shell. */
	assert_true(asprintf(&text,
			     "#!/bin/sh\n[ \"$1\" = describe ] && { cat "
			     "<<'END'\n%s\nEND\nexit\n}\n"
			     "read -r start\n%s\n",
			     description, lines) > 0);
	path = put(w, name, 0755, text);
	free(text);
	return path;
}

static void start(struct world *w)
{
	world_start_agent(w);
}

static bool mentions(const cJSON *list, const char *part)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
		if (strstr(item->valuestring, part))
			return true;
	return false;
}

static void assert_problem(struct world *w, const char *part)
{
	const cJSON *info = parsed(w, retained(w, BASE "/info"));

	if (!mentions(at(info, "problems"), part))
		fail_msg("no problem with '%s' in: %s", part,
			 cJSON_PrintUnformatted(at(info, "problems")));
}

static const char *source_of(struct world *w, const char *type)
{
	const char *text = retained(w, quoted(w, BASE "/types/%s", type));

	return text ? text_at(parsed(w, text), "source") : NULL;
}

/* The process with part in its command line, or 0. */
static int process_with(const char *part)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	int found = 0;

	while (!found && (entry = readdir(proc))) {
		char path[300], text[4096];
		FILE *file;
		size_t size;

		snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
		if (strtol(entry->d_name, NULL, 10) <= 0 || !(file = fopen(path, "re")))
			continue;
		size = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
		for (size_t i = 0; i < size; i++)
			if (!text[i])
				text[i] = ' ';
		text[size] = '\0';
		if (strstr(text, part))
			found = (int)strtol(entry->d_name, NULL, 10);
	}
	closedir(proc);
	return found;
}

/* ---- the life of a program ---- */

static char *first_example(struct world *w)
{
	char *text = file_read(README, NULL), *begin, *end, *kept;

	assert_non_null(text);
	begin = strstr(text, "```sh\n#!");
	assert_non_null(begin);
	begin += strlen("```sh\n");
	end = strstr(begin, "```");
	*end = '\0';
	kept = quoted(w, "%*s", (int)strlen(begin), "");
	memcpy(kept, begin, strlen(begin));
	free(text);
	return kept;
}

static void the_example_of_the_page_runs(struct world *w)
{
	char *example = first_example(w);
	size_t count = 0;

	put(w, "counting", 0755, example);
	for (const char *c = example; *c; c++)
		count += *c == '\n';
	assert_int_equal(count, 15);
	start(w);

	create(w, "c1", "counting_task", "{'to':3}");

	wait_step(w, "c1", 1);
	const cJSON *task = wait_status(w, "c1", "completed");
	assert_string_equal(text_at(task, "result"), "Counted to 3.");
	assert_string_equal(text_at(task, "progress.message"), "Counted to 3.");
	assert_true(number_at(task, "progress.current") == 3);
	assert_string_equal(source_of(w, "counting_task"), place_of(w, "counting"));
}

static void arguments_are_checked_before_the_program_sees_them(struct world *w)
{
	put(w, "counting", 0755, first_example(w));
	start(w);

	const cJSON *reply = ask_refused(w, "task/create", "invalid_args",
					 "{'type':'counting_task','args':{'to':'many'}}");

	assert_non_null(strstr(text_at(reply, "message"), "to must be"));
}

static void
a_program_continues_from_its_checkpoint_after_a_crash_of_the_agent(struct world *w)
{
	put(w, "counting", 0755, first_example(w));
	start(w);
	create(w, "c1", "counting_task", "{'to':20}");
	wait_step(w, "c1", 3);

	world_restart_agent(w);

	const cJSON *task = wait_status(w, "c1", "completed");
	assert_true(number_at(task, "resumed") == 1);
	assert_string_equal(text_at(task, "result"), "Counted to 20.");
}

static void a_program_without_pause_support_can_be_paused(struct world *w)
{
	put_script(w, "tick", "{\"name\":\"tick_task\"}",
		   "while :; do sleep 0.02; date >>ticks; done");
	start(w);
	create(w, "t1", "tick_task", NULL);
	wait_status(w, "t1", "running");
	const char *ticks = quoted(w, "%s/community-runs/t1/ticks", w->device.state_dir);
	wait_file(w, ticks, ":");

	ask_ok(w, "task/pause", "t1");
	wait_status(w, "t1", "paused");

	size_t before = lines_of(ticks);
	deadline_let_pass(300);
	assert_int_equal(lines_of(ticks), before);
	ask_ok(w, "task/resume", "t1");
	wait_status(w, "t1", "running");
	int64_t end = deadline_now() + deadline_patient(5000);
	while (lines_of(ticks) <= before && deadline_now() < end)
		deadline_let_pass(20);
	assert_true(lines_of(ticks) > before);
	ask_ok(w, "task/cancel", "t1");
	wait_status(w, "t1", "cancelled");
}

static void a_program_that_refuses_to_end_leaves_nothing(struct world *w)
{
	put_script(w, "unending", "{\"name\":\"unending_task\"}",
		   "trap '' TERM; (trap '' TERM; setsid sleep 71077 & setsid sleep 71077 "
		   "&)\n"
		   "echo '{\"type\":\"progress\",\"current\":1,\"total\":2}'\n"
		   "while :; do sleep 71077; done");
	start(w);
	create(w, "s1", "unending_task", NULL);
	wait_step(w, "s1", 1);
	int64_t end = deadline_now() + deadline_patient(5000);
	while (!process_with("sleep 71077") && deadline_now() < end)
		deadline_let_pass(20);
	assert_int_not_equal(process_with("sleep 71077"), 0);

	ask_ok(w, "task/cancel", "s1");

	wait_status(w, "s1", "cancelled");
	assert_int_equal(process_with("sleep 71077"), 0);
	assert_false(file_exists(quoted(w, "%s/community-runs/s1", w->device.state_dir)));
}

static void a_killed_agent_leaves_no_programs(struct world *w)
{
	put_script(w, "sleeper", "{\"name\":\"sleeper_task\"}",
		   "echo '{\"type\":\"progress\",\"current\":1,\"total\":2}'\nsetsid "
		   "sleep 72077");
	start(w);
	create(w, "s1", "sleeper_task", NULL);
	wait_step(w, "s1", 1);

	world_kill_agent(w);

	int64_t end = deadline_now() + deadline_patient(5000);
	while (process_with("sleep 72077") && deadline_now() < end)
		deadline_let_pass(20);
	assert_int_equal(process_with("sleep 72077"), 0);
}

static void the_last_output_of_a_program_is_the_error(struct world *w)
{
	put_script(w, "fails", "{\"name\":\"fails_task\"}",
		   "echo first >&2; echo 'there is no film in it' >&2; exit 3");
	put_script(w, "explains", "{\"name\":\"explains_task\"}",
		   "echo "
		   "'{\"type\":\"error\",\"code\":\"hardware_fault\",\"message\":\"it is "
		   "dark\"}'; exit 1");
	put_script(w, "killed", "{\"name\":\"killed_task\"}", "kill -SEGV $$");
	start(w);

	create(w, "f1", "fails_task", NULL);
	create(w, "e1", "explains_task", NULL);
	create(w, "k1", "killed_task", NULL);

	const cJSON *task = wait_status(w, "f1", "error");
	assert_string_equal(text_at(task, "error.code"), "task_failed");
	assert_string_equal(text_at(task, "error.message"), "there is no film in it");
	task = wait_status(w, "e1", "error");
	assert_string_equal(text_at(task, "error.code"), "hardware_fault");
	assert_string_equal(text_at(task, "error.message"), "it is dark");
	task = wait_status(w, "k1", "error");
	assert_non_null(strstr(text_at(task, "error.message"), "signal 11"));
}

static void a_program_sees_little_of_the_agent(struct world *w)
{
	put_script(w, "looks", "{\"name\":\"looks_task\"}",
		   "v=$(env | grep -c OPENSCAN_MQTT); f=$(ls /proc/self/fd | wc -l)\n"
		   "[ \"$(pwd)\" = \"$HOME\" ] && here=true || here=false\n"
		   "echo "
		   "'{\"type\":\"result\",\"value\":{\"secrets\":'$v',\"files\":'$f',"
		   "\"here\":"
		   "'$here'}}'");
	start(w);

	create(w, "l1", "looks_task", NULL);

	const cJSON *task = wait_status(w, "l1", "completed");
	assert_true(number_at(task, "result.secrets") == 0);
	assert_true(number_at(task, "result.files") <=
		    4); /* three, and the folder that ls reads */
	assert_true(bool_at(task, "result.here"));
}

/* ---- which files are used ---- */

static void a_bad_file_is_reported_and_does_not_stop_others(struct world *w)
{
	put_script(w, "good", "{\"name\":\"good_task\"}", "true");
	put_script(w, "bad_name", "{\"name\":\"Bad-Name\"}", "true");
	put_script(
		w, "bad_schema",
		"{\"name\":\"schema_task\",\"args\":{\"type\":\"object\",\"oddity\":1}}",
		"true");
	put_script(w, "no_json", "hello", "true");
	put(w, "fails", 0755, "#!/bin/sh\necho 'my library is missing' >&2\nexit 1\n");
	put(w, "hangs", 0755, "#!/bin/sh\nexec sleep 73077\n");
	put(w, "talks", 0755, "#!/bin/sh\nyes\n");
	put(w, "open", 0777, "#!/bin/sh\necho '{\"name\":\"open_task\"}'\n");
	put(w, "forgot", 0644, "#!/bin/sh\n");
	put(w, "broken.so", 0644, "no object");
	put(w, "notes.txt", 0644, "of no concern");
	start(w);

	assert_non_null(source_of(w, "good_task"));
	assert_null(source_of(w, "open_task"));
	assert_problem(w, "bad_name: 'Bad-Name' is no name");
	assert_problem(w, "bad_schema: the arguments of schema_task");
	assert_problem(w, "no_json: what it describes is no JSON");
	assert_problem(w, "fails: my library is missing");
	assert_problem(w, "hangs: describe took longer than 2 s");
	assert_problem(w, "talks: its description is longer than 64 KiB");
	assert_problem(w, "open: others may write to it");
	assert_problem(w, "forgot: it is a script but not executable");
	assert_problem(w, "broken.so: ");
	assert_false(mentions(at(parsed(w, retained(w, BASE "/info")), "problems"),
			      "notes.txt"));
	assert_int_equal(process_with("sleep 73077"), 0);
	create(w, "g1", "good_task", NULL);
	wait_status(w, "g1", "completed");
}

static void a_file_of_another_user_is_ignored(struct world *w)
{
	const char *path =
		put_script(w, "foreign", "{\"name\":\"foreign_task\"}", "true");

	if (chown(path, 65534, 65534) < 0)
		world_skip(w, "only root can give files away");
	start(w);

	assert_null(source_of(w, "foreign_task"));
	assert_problem(w, "foreign: it belongs neither to root nor to the agent's user");
}

static void the_ignore_list_names_files_folders_and_types(struct world *w)
{
	put_script(w, "left", "{\"name\":\"left_out_task\"}", "true");
	put_script(w, "other", "[{\"name\":\"named_task\"},{\"name\":\"stays_task\"}]",
		   "true");
	put_script(w, "_hidden", "{\"name\":\"hidden_task\"}", "true");
	put_script(w, "out", "{\"name\":\"out_task\",\"discover\":false}", "true");
	mkdir(place_of(w, "deep"), 0755);
	put_script(w, "deep/below", "{\"name\":\"below_task\"}", "true");
	start(w);

	assert_non_null(source_of(w, "stays_task"));
	assert_null(source_of(w, "left_out_task"));
	assert_null(source_of(w, "named_task"));
	assert_null(source_of(w, "hidden_task"));
	assert_null(source_of(w, "out_task"));
	assert_null(source_of(w, "below_task"));
}

static void files_in_subfolders_are_found(struct world *w)
{
	mkdir(place_of(w, "deep"), 0755);
	put_script(w, "deep/below", "{\"name\":\"below_task\"}", "true");
	start(w);

	assert_string_equal(source_of(w, "below_task"), place_of(w, "deep/below"));
}

static void without_the_namespace_no_program_is_started(struct world *w)
{
	put(w, "asked", 0755,
	    "#!/bin/sh\ntouch \"$0.asked\"\necho '{\"name\":\"asked_task\"}'\n");
	start(w);

	assert_null(source_of(w, "asked_task"));
	assert_false(file_exists(place_of(w, "asked.asked")));
	assert_non_null(source_of(w, "scan_task"));
}

static void the_first_of_two_types_with_one_name_is_used(struct world *w)
{
	put_script(w, "a", "{\"name\":\"twice_task\"}",
		   "echo '{\"type\":\"result\",\"value\":\"a\"}'");
	put_script(w, "b", "{\"name\":\"twice_task\"}",
		   "echo '{\"type\":\"result\",\"value\":\"b\"}'");
	put_script(w, "c", "{\"name\":\"generator_task\"}", "true");
	start(w);

	create(w, "t1", "twice_task", NULL);

	assert_string_equal(text_at(wait_status(w, "t1", "completed"), "result"), "a");
	assert_problem(w, "there are two task types 'twice_task'");
	assert_problem(w, "there are two task types 'generator_task'");
	assert_string_equal(source_of(w, "generator_task"), "built-in");
}

static void with_override_the_later_one_replaces_even_a_core_type(struct world *w)
{
	const char *path =
		put_script(w, "c", "{\"name\":\"scan_task\",\"resumable\":true}",
			   "echo '{\"type\":\"result\",\"value\":\"mine\"}'");

	start(w);
	assert_string_equal(source_of(w, "scan_task"), path);
	create(w, "s1", "scan_task", NULL);
	assert_string_equal(text_at(wait_status(w, "s1", "completed"), "result"), "mine");

	unlink(path);
	ask_ok(w, "agent/sync", "{}");

	assert_string_equal(
		text_at(wait_value(w, BASE "/types/scan_task", "source", "built-in"),
			"category"),
		"core");
}

/* ---- without a restart ---- */

static void a_sync_finds_new_changed_and_removed_files(struct world *w)
{
	put_script(w, "a", "{\"name\":\"a_task\"}", "true");
	start(w);
	assert_non_null(source_of(w, "a_task"));

	put_script(w, "b", "{\"name\":\"b_task\",\"title\":\"First\"}",
		   "echo '{\"type\":\"result\",\"value\":1}'");
	ask_ok(w, "agent/sync", "{}");
	create(w, "b1", "b_task", NULL);
	wait_status(w, "b1", "completed");

	unlink(place_of(w, "a"));
	put_script(w, "b", "{\"name\":\"b_task\",\"title\":\"Second one\"}",
		   "echo '{\"type\":\"result\",\"value\":2}'");
	ask_ok(w, "agent/sync", "{}");
	ask_refused(w, "task/create", "unknown_type", "{'type':'a_task'}");
	create(w, "b2", "b_task", NULL);
	assert_true(number_at(wait_status(w, "b2", "completed"), "result") == 2);
	wait_value(w, BASE "/types/b_task", "title", "Second one");
	assert_null(retained(w, BASE "/types/a_task"));
}

static void a_sync_reports_problems(struct world *w)
{
	const char *path = put_script(w, "a", "{\"name\":\"BadName\"}", "true");

	start(w);
	const cJSON *wrong = ask_ok(w, "agent/sync", "{}");
	const cJSON *problem = cJSON_GetArrayItem(at(wrong, "data.problems"), 0);
	assert_non_null(strstr(cJSON_GetStringValue(problem), "'BadName' is no name"));

	unlink(path);
	assert_int_equal(count_at(ask_ok(w, "agent/sync", "{}"), "data.problems"), 0);
}

static void at_most_four_files_are_described_at_the_same_time(struct world *w)
{
	start(w);
	put(w, "slow", 0755, "#!/bin/sh\nsleep 1\necho '{\"name\":\"slow_task\"}'\n");

	for (int i = 0; i < 4; i++)
		tell(w, "agent/sync", "{}");

	ask_refused(w, "agent/sync", "device_busy", "{}");
	wait_value(w, BASE "/types/slow_task", "type", "slow_task");
}

static void a_waiting_task_whose_type_has_gone_fails_when_its_turn_comes(struct world *w)
{
	put_script(w, "gone", "{\"name\":\"gone_task\"}", "true");
	start(w);
	ask_ok(w, "queue/pause", "{}");
	create(w, "g1", "gone_task", NULL);

	unlink(place_of(w, "gone"));
	ask_ok(w, "agent/sync", "{}");
	ask_ok(w, "queue/resume", "{}");

	const cJSON *task = wait_status(w, "g1", "error");
	assert_string_equal(text_at(task, "error.code"), "unknown_type");
}

static void a_run_keeps_the_version_of_its_type(struct world *w)
{
	put_script(w, "long", "{\"name\":\"long_task\"}",
		   "echo '{\"type\":\"progress\",\"current\":1,\"total\":2}'\n"
		   "while [ ! -e go ]; do sleep 0.02; done; echo "
		   "'{\"type\":\"result\",\"value\":1}'");
	start(w);
	create(w, "l1", "long_task", NULL);
	wait_step(w, "l1", 1);

	put_script(w, "long", "{\"name\":\"long_task\",\"title\":\"Another\"}", "exit 1");
	ask_ok(w, "agent/sync", "{}");
	ask_ok(w, "agent/sync", "{}");
	file_write(quoted(w, "%s/community-runs/l1/go", w->device.state_dir), "", 0);

	assert_true(number_at(wait_status(w, "l1", "completed"), "result") == 1);
}

/* Sleeps during its describe while the file _slow exists. */
static void put_sleeper(struct world *w)
{
	put(w, "sleeper", 0755,
	    "#!/bin/sh\n"
	    "[ \"$1\" = describe ] && {\n"
	    "	[ -e \"${0%/*}/_slow\" ] && sleep 73078\n"
	    "	echo '{\"name\":\"sleeper_task\",\"resumable\":true}'; exit; }\n"
	    "echo '{\"type\":\"progress\",\"current\":1,\"total\":2}'\n"
	    "echo here >here\n"
	    "while [ ! -e go ]; do sleep 0.02; done\n"
	    "echo '{\"type\":\"result\",\"value\":\"rested\"}'\n");
}

static void a_slow_file_keeps_its_tasks_over_a_start(struct world *w)
{
	put_sleeper(w);
	start(w);
	create(w, "s1", "sleeper_task", NULL);
	wait_step(w, "s1", 1);
	create(w, "s2", "sleeper_task", "{}");
	ask_ok(w, "queue/pause", "{}");
	create(w, "s3", "sleeper_task", "{}");
	put(w, "_slow", 0644, "");

	world_restart_agent(w);
	const char *runs = quoted(w, "%s/community-runs", w->device.state_dir);
	ask_ok(w, "queue/resume", "{}");
	for (int i = 1; i <= 3; i++) {
		const char *id = quoted(w, "s%d", i);

		wait_file(w, quoted(w, "%s/%s/here", runs, id), "here");
		file_write(quoted(w, "%s/%s/go", runs, id), "", 0);
		assert_string_equal(text_at(wait_status(w, id, "completed"), "result"),
				    "rested");
	}

	assert_problem(w, "sleeper: describe took longer than 2 s");
	assert_problem(w, "sleeper: until it is heard again");
}

static void a_changed_file_is_not_used_until_it_describes_itself(struct world *w)
{
	put_sleeper(w);
	start(w);
	assert_non_null(source_of(w, "sleeper_task"));
	world_stop_agent(w);
	put(w, "_slow", 0644, "");
	put_sleeper(w);

	start(w);
	assert_problem(w, "sleeper: describe took longer than 2 s");
	ask_refused(w, "task/create", "unknown_type", "{'type':'sleeper_task'}");
	unlink(place_of(w, "_slow"));
	ask_ok(w, "agent/sync", "{}");

	wait_value(w, BASE "/types/sleeper_task", "type", "sleeper_task");
}

static void types_removed_while_the_agent_was_stopped_are_cleared(struct world *w)
{
	put_script(w, "a", "{\"name\":\"a_task\"}", "true");
	start(w);
	assert_non_null(source_of(w, "a_task"));
	world_stop_agent(w);
	unlink(place_of(w, "a"));

	start(w);

	int64_t end = deadline_now() + deadline_patient(10000);
	while (source_of(w, "a_task") && deadline_now() < end)
		deadline_let_pass(50);
	assert_null(source_of(w, "a_task"));
}

/* ---- limits ---- */

static void assert_breaks(struct world *w, const char *name, const char *part)
{
	const char *type = quoted(w, "%s_task", name);

	create(w, name, type, NULL);
	const cJSON *task = wait_status(w, name, "error");
	assert_string_equal(text_at(task, "error.code"), "task_failed");
	if (!strstr(text_at(task, "error.message"), part))
		fail_msg("no '%s' in: %s", part, text_at(task, "error.message"));
}

static const struct world_options tight = {
	.agent_later = true,
	.settings = "{'tasks':{'processes':20,'memory_mb':64,'folder_mb':8}}"};

static void a_program_that_exceeds_its_limits_fails_with_a_reason(struct world *w)
{
	put_script(w, "garbage", "{\"name\":\"garbage_task\"}", "echo hello");
	put_script(w, "flood", "{\"name\":\"flood_task\"}",
		   "yes '{\"type\":\"progress\",\"current\":1,\"total\":2}'");
	put_script(
		w, "bomb", "{\"name\":\"bomb_task\"}",
		"i=0; while [ $i -lt 200 ]; do sleep 74077 & i=$((i + 1)); done; wait");
	put_script(w, "eater", "{\"name\":\"eater_task\"}",
		   "for i in 1 2 3; do dd if=/dev/zero of=/dev/null bs=40M 2>/dev/null & "
		   "done; wait");
	put_script(w, "filler", "{\"name\":\"filler_task\"}",
		   "for i in 1 2 3 4 5 6; do head -c 4000000 /dev/zero >f$i; sleep 0.2; "
		   "done; sleep 60");
	start(w);

	assert_breaks(w, "garbage", "no message");
	assert_breaks(w, "flood", "1,000 lines a second");
	assert_breaks(w, "bomb", "more than 20 processes");
	assert_breaks(w, "eater", "memory");
	assert_breaks(w, "filler", "working folder");
	assert_int_equal(process_with("sleep 74077"), 0);
}

/* ---- the rig ---- */

/* Sends one request per line and returns the last answer as its result. */
#define ASKS                                                                             \
	"ask() { echo \"$1\"; read -r answer; }\n"                                       \
	"done_with() { echo '{\"type\":\"result\",\"value\":'\"$answer\"'}'; }\n"

/* The state of a motor is published slightly after the end of the task that moved it. */
static bool is_at_150(const struct message *message, const void *context)
{
	cJSON *motor = cJSON_Parse(message->payload);
	double angle = cJSON_GetNumberValue(cJSON_GetObjectItem(motor, "angle"));

	(void)context;
	cJSON_Delete(motor);
	return angle > 149.9 && angle < 150.1;
}

static void a_program_can_move_the_devices_that_it_declares(struct world *w)
{
	put_script(w, "turn",
		   "{\"name\":\"turn_task\",\"uses\":[\"motor/"
		   "turntable\",\"light\",\"camera\"]}",
		   ASKS "ask "
			"'{\"type\":\"rig\",\"request\":1,\"verb\":\"light\","
			"\"brightness\":40}'\n"
			"ask "
			"'{\"type\":\"rig\",\"request\":2,\"verb\":\"move\",\"name\":"
			"\"turntable\","
			"\"degrees\":120}'\n"
			"ask "
			"'{\"type\":\"rig\",\"request\":3,\"verb\":\"move\",\"name\":"
			"\"turntable\","
			"\"degrees\":30,\"relative\":true}'\n"
			"ask "
			"'{\"type\":\"rig\",\"request\":4,\"verb\":\"capture\",\"file\":"
			"\"a.jpg\"}'\n"
			"size=$(wc -c <a.jpg)\ncp a.jpg "
			"\"$OPENSCAN_PROJECT_DIR\"/a.jpg\ndone_with");
	mkdir(w->device.project_dir, 0755);
	start(w);
	ask_ok(w, "motor/override", "{'name':'turntable','degrees':0}");

	create(w, "t1", "turn_task", NULL);

	const cJSON *task = wait_status(w, "t1", "completed");
	assert_true(bool_at(task, "result.ok"));
	assert_true(number_at(task, "result.value.width") > 0);
	wait_value(w, BASE "/light/ringlight", "state", "ON");
	assert_non_null(client_wait(w->client, 0, BASE "/motor/turntable", is_at_150,
				    NULL, deadline_patient(SOON_MS), NULL));
	assert_true(file_exists(quoted(w, "%s/a.jpg", w->device.project_dir)));
	assert_false(file_exists(quoted(w, "%s/community-runs/t1", w->device.state_dir)));
}

static void a_device_that_is_not_declared_is_refused(struct world *w)
{
	put_script(
		w, "turn", "{\"name\":\"turn_task\",\"uses\":[\"motor/turntable\"]}",
		ASKS
		"ask "
		"'{\"type\":\"rig\",\"request\":1,\"verb\":\"move\",\"name\":\"rotor\","
		"\"degrees\":20}'\ndone_with");
	put_script(
		w, "far", "{\"name\":\"far_task\",\"uses\":[\"motor\"]}",
		ASKS
		"ask "
		"'{\"type\":\"rig\",\"request\":1,\"verb\":\"move\",\"name\":\"rotor\","
		"\"degrees\":500}'\ndone_with");
	start(w);

	create(w, "t1", "turn_task", NULL);
	create(w, "f1", "far_task", NULL);

	const cJSON *task = wait_status(w, "t1", "completed");
	assert_string_equal(text_at(task, "result.code"), "not_supported");
	task = wait_status(w, "f1", "completed");
	assert_string_equal(text_at(task, "result.code"), "invalid_args");
}

static void a_program_has_its_devices_alone_and_sees_an_estop(struct world *w)
{
	put_script(w, "turn", "{\"name\":\"turn_task\",\"uses\":[\"motor\"]}",
		   ASKS "ask '{\"type\":\"begin\",\"request\":1}'\nwhile :; do\n"
			"ask "
			"'{\"type\":\"rig\",\"request\":2,\"verb\":\"move\",\"name\":"
			"\"turntable\","
			"\"degrees\":180}'\n"
			"ask "
			"'{\"type\":\"rig\",\"request\":3,\"verb\":\"move\",\"name\":"
			"\"turntable\","
			"\"degrees\":0}'\ndone");
	start(w);
	ask_ok(w, "motor/override", "{'name':'turntable','degrees':0}");
	create(w, "t1", "turn_task", NULL);
	wait_value(w, BASE "/motor/turntable", "busy", "true");

	ask_refused(w, "motor/move", "device_busy", "{'name':'turntable','degrees':10}");
	ask_ok(w, "estop", "{}");

	const cJSON *task = wait_status(w, "t1", "interrupted");
	assert_string_equal(text_at(task, "error.code"), "estopped");
}

static void a_pause_halts_a_move_and_a_resume_completes_it(struct world *w)
{
	put_script(w, "turn", "{\"name\":\"turn_task\",\"uses\":[\"motor\"]}",
		   ASKS "ask '{\"type\":\"begin\",\"request\":1}'\n"
			"ask "
			"'{\"type\":\"rig\",\"request\":2,\"verb\":\"move\",\"name\":"
			"\"turntable\","
			"\"degrees\":170,\"relative\":true}'\ndone_with");
	start(w);
	ask_ok(w, "motor/override", "{'name':'turntable','degrees':0}");
	create(w, "t1", "turn_task", NULL);
	wait_value(w, BASE "/motor/turntable", "busy", "true");

	ask_ok(w, "task/pause", "t1");
	wait_status(w, "t1", "paused");
	wait_value(w, BASE "/motor/turntable", "busy", "false");
	ask_ok(w, "task/resume", "t1");

	const cJSON *task = wait_status(w, "t1", "completed");
	assert_true(bool_at(task, "result.ok"));
	assert_true(number_at(task, "result.value.angle") > 169.9);
	assert_true(number_at(task, "result.value.angle") < 170.1);
}

/* ---- shared objects ---- */

/* Compiles it as its author would, with a compiler and one header, outside of this
 * tree. */
static void build_object(struct world *w, const char *source, const char *name)
{
	const char *include = below(w, "include");
	const char *command;

	mkdir(include, 0755);
	mkdir(quoted(w, "%s/openscan", include), 0755);
	command = quoted(
		w,
		"cp %s/tasks/task_api.h %s/openscan/ && cc -shared -fPIC -Wall -Wextra "
		"-Werror -I%s -o %s %s",
		OPENSCAN_SOURCE_DIR, include, include, place_of(w, name), source);
	assert_int_equal(system(command), 0); /* NOLINT: a fixed command line */
	assert_int_equal(chmod(place_of(w, name), 0644), 0);
}

static void a_shared_object_built_outside_of_the_tree_runs(struct world *w)
{
	build_object(w, EXAMPLE "/turn_task.c", "turn.so");
	start(w);
	ask_ok(w, "motor/override", "{'name':'turntable','degrees':0}");

	create(w, "t1", "turn_task", "{'steps':4,'pause':0.01}");

	const cJSON *task = wait_status(w, "t1", "completed");
	assert_true(number_at(task, "result.steps") == 4);
	assert_true(number_at(task, "progress.current") == 4);
	assert_string_equal(text_at(task, "category"), "example");
	ask_refused(w, "task/create", "invalid_args",
		    "{'type':'turn_task','args':{'steps':0}}");
}

static void a_shared_object_pauses_resumes_and_cancels(struct world *w)
{
	build_object(w, EXAMPLE "/turn_task.c", "turn.so");
	start(w);
	ask_ok(w, "motor/override", "{'name':'turntable','degrees':0}");
	create(w, "t1", "turn_task", "{'steps':1000,'pause':0.05}");
	wait_step(w, "t1", 1);

	ask_ok(w, "task/pause", "t1");
	const cJSON *paused = wait_status(w, "t1", "paused");
	world_restart_agent(w);
	assert_status(w, "t1", "paused");
	ask_ok(w, "task/resume", "t1");
	wait_step(w, "t1", number_at(paused, "progress.current") + 1);
	ask_ok(w, "task/cancel", "t1");

	assert_true(number_at(wait_status(w, "t1", "cancelled"), "resumed") == 1);
}

int main(int argc, char **argv)
{
	const struct test tests[] = {
		TEST_WITH(the_example_of_the_page_runs, later),
		TEST_WITH(arguments_are_checked_before_the_program_sees_them, later),
		TEST_WITH(
			a_program_continues_from_its_checkpoint_after_a_crash_of_the_agent,
			later),
		TEST_WITH(a_program_without_pause_support_can_be_paused, later),
		TEST_WITH(a_program_that_refuses_to_end_leaves_nothing, quick_kill),
		TEST_WITH(a_killed_agent_leaves_no_programs, later),
		TEST_WITH(the_last_output_of_a_program_is_the_error, later),
		TEST_WITH(a_program_sees_little_of_the_agent, later),
		TEST_WITH(a_bad_file_is_reported_and_does_not_stop_others, later),
		TEST_WITH(a_file_of_another_user_is_ignored, later),
		TEST_WITH(the_ignore_list_names_files_folders_and_types, ignoring),
		TEST_WITH(files_in_subfolders_are_found, later),
		TEST_WITH(without_the_namespace_no_program_is_started, core_only),
		TEST_WITH(the_first_of_two_types_with_one_name_is_used, later),
		TEST_WITH(with_override_the_later_one_replaces_even_a_core_type,
			  overriding),
		TEST_WITH(a_sync_finds_new_changed_and_removed_files, later),
		TEST_WITH(a_sync_reports_problems, later),
		TEST_WITH(at_most_four_files_are_described_at_the_same_time, later),
		TEST_WITH(a_waiting_task_whose_type_has_gone_fails_when_its_turn_comes,
			  later),
		TEST_WITH(a_run_keeps_the_version_of_its_type, later),
		TEST_WITH(a_slow_file_keeps_its_tasks_over_a_start, later),
		TEST_WITH(a_changed_file_is_not_used_until_it_describes_itself, later),
		TEST_WITH(types_removed_while_the_agent_was_stopped_are_cleared, later),
		TEST_WITH(a_program_that_exceeds_its_limits_fails_with_a_reason, tight),
		TEST_WITH(a_program_can_move_the_devices_that_it_declares, later),
		TEST_WITH(a_device_that_is_not_declared_is_refused, later),
		TEST_WITH(a_program_has_its_devices_alone_and_sees_an_estop, slow_rig),
		TEST_WITH(a_pause_halts_a_move_and_a_resume_completes_it, slow_rig),
		TEST_WITH(a_shared_object_built_outside_of_the_tree_runs, later),
		TEST_WITH(a_shared_object_pauses_resumes_and_cancels, later),
	};

	return world_run("community", tests, sizeof(tests) / sizeof(tests[0]), argc,
			 argv);
}
