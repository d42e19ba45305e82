/* Checks mqtt/README.md: its examples are sent, its documents are compared. */
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTRACT OPENSCAN_SOURCE_DIR "/mqtt/README.md"

/* A scan that is still running when the next example refers to it. */
static const struct world_options slow = {.sim_speed = "5"};

/* Returns the text of the next block of ```kind from *from on, or NULL. */
static char *next_block(struct world *w, const char **from, const char *kind)
{
	const char *fence = quoted(w, "\n```%s\n", kind);
	const char *begin = strstr(*from, fence), *end;

	if (!begin)
		return NULL;
	begin += strlen(fence);
	end = strstr(begin, "\n```");
	assert_non_null(end);
	*from = end;
	char *text = quoted(w, "%*s", (int)(end - begin), "");
	memcpy(text, begin, (size_t)(end - begin));
	return text;
}

/* The word after -x in a line of shell, without its quotes; NULL when there is none. */
static char *option(struct world *w, const char *line, const char *name)
{
	const char *begin = strstr(line, quoted(w, " %s ", name));
	size_t length;
	char *text;

	if (!begin)
		return NULL;
	begin += strlen(name) + 2;
	begin += strspn(begin, " ");
	if (*begin == '\'')
		length = strcspn(++begin, "'");
	else
		length = strcspn(begin, " ");
	text = quoted(w, "%*s", (int)length, "");
	memcpy(text, begin, length);
	return text;
}

static void try_line(struct world *w, const char *line)
{
	char *topic = option(w, line, "-t"), *payload = option(w, line, "-m");

	if (strncmp(line, "mosquitto_sub", 13) == 0)
		return;
	if (!topic || !payload)
		fail_msg("an example without -t or -m: %s", line);
	const cJSON *reply = ask_topic(w, topic, payload, strlen(payload));
	if (!bool_at(reply, "ok"))
		fail_msg("the example is refused: %s: %s", line,
			 text_at(reply, "message"));
}

static void every_line_of_the_contract_does_what_it_says(struct world *w)
{
	const char *from = wait_file(w, CONTRACT, "# The MQTT contract");
	int lines = 0;
	char *block;

	while ((block = next_block(w, &from, "sh"))) {
		for (char *line = strtok(block, "\n"); line; line = strtok(NULL, "\n")) {
			if (strncmp(line, "mosquitto_", 10) != 0)
				continue;
			try_line(w, line);
			lines++;
		}
	}

	assert_true(lines >= 4);
}

/* The command that must get the reply of the contract. */
static const struct fixture {
	const char *verb;
	bool ok;
	const char *payload;
} fixtures[] = {
	{"light/set", true,
	 "{'name':'ringlight','state':'ON','brightness':60,'request':'lamp-7'}"},
	{"task/create", false,
	 "{'type':'scan_task','args':{'project':'cup','settings':{'points':0}}}"},
};

static const struct fixture *fixture_of(const cJSON *example)
{
	for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++)
		if (strcmp(fixtures[i].verb, text_at(example, "verb")) == 0 &&
		    fixtures[i].ok == bool_at(example, "ok"))
			return &fixtures[i];
	fail_msg("no fixture for the contract's reply of %s", text_at(example, "verb"));
	return NULL;
}

/* Values that differ in each run; only their type is compared. */
static bool varies(const char *key)
{
	static const char *const keys[] = {"ts",	   "rev",	 "store",
					   "boot",	   "created_at", "started_at",
					   "completed_at", "elapsed_s"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

/* The same members, with equal values. */
static void compare(const cJSON *example, const cJSON *real)
{
	const cJSON *member, *other;

	cJSON_ArrayForEach(member, real)
		if (!cJSON_HasObjectItem(example, member->string))
			fail_msg("the contract does not show %s", member->string);
	cJSON_ArrayForEach(member, example) {
		other = cJSON_GetObjectItemCaseSensitive(real, member->string);
		if (!other) {
			fail_msg("there is no %s", member->string);
			return;
		}
		if (varies(member->string)) {
			assert_int_equal(member->type & 0xff, other->type & 0xff);
			continue;
		}
		if (!cJSON_Compare(member, other, true))
			fail_msg("%s is not as the contract shows it: %s", member->string,
				 cJSON_PrintUnformatted(other));
	}
}

static void compare_reply(struct world *w, const cJSON *example)
{
	const struct fixture *fixture = fixture_of(example);

	compare(example, ask(w, fixture->verb, "%s", fixture->payload));
}

static void compare_task(struct world *w, const cJSON *example)
{
	const char *id = text_at(example, "id");
	char *args = cJSON_PrintUnformatted(at(example, "args"));

	create(w, id, text_at(example, "type"), args);
	cJSON_free(args);
	compare(example, wait_status(w, id, text_at(example, "status")));
}

static void every_document_of_the_contract_is_the_real_one(struct world *w)
{
	const char *from = wait_file(w, CONTRACT, "# The MQTT contract");
	int documents = 0;
	char *block;

	while ((block = next_block(w, &from, "json"))) {
		const cJSON *example = parsed(w, block);

		if (at(example, "ok"))
			compare_reply(w, example);
		else
			compare_task(w, example);
		documents++;
	}

	assert_true(documents >= 3);
}

static const struct test tests[] = {
	TEST_WITH(every_line_of_the_contract_does_what_it_says, slow),
	TEST(every_document_of_the_contract_is_the_real_one),
};

int main(int argc, char **argv)
{
	return world_run("contract", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
