/* Two agents with one id: each reports the other, and neither fights. */
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELLO "hello_world_async_task"
#define SHORT_HELLO "{'total_steps':1,'delay':0.01}"

/* Another agent with the same id and its own state: each disconnects the other from the
 * broker. */
static void start_rival(struct world *w, struct device *rival)
{
	assert_int_equal(
		device_init(rival, &w->folder, "rival", w->broker.port, NULL, NULL), 0);
	rival->id = DEVICE_ID;
	assert_int_equal(device_start(rival), 0);
}

static size_t lines_with(struct world *w, const char *path, const char *text)
{
	const char *found = wait_file(w, path, "");
	size_t count = 0;

	while ((found = strstr(found, text)) != NULL) {
		count++;
		found += strlen(text);
	}
	return count;
}

static void two_agents_with_one_id_report_it_and_do_not_fight(struct world *w)
{
	struct device rival;

	create(w, "mine", HELLO, SHORT_HELLO);
	wait_status(w, "mine", "completed");
	start_rival(w, &rival);

	/* An agent that is disconnected while it reports this reports it after its back-
	 * off, of two minutes at most. */
	int64_t until = deadline_now() + 120000 + deadline_patient(SOON_MS);
	while (!event_seen(w, 0, "duplicate_device", NULL)) {
		assert_true(deadline_now() < until);
		deadline_let_pass(100);
	}
	deadline_let_pass(5000);
	size_t ours = lines_with(w, w->device.log, "connected to ");
	size_t theirs = lines_with(w, rival.log, "connected to ");
	bool said = lines_with(w, w->device.log, "another agent") +
			    lines_with(w, rival.log, "another agent") >
		    0;
	device_kill(&rival);
	assert_true(said);
	assert_in_range(ours + theirs, 2, 8);
	/* neither has swept the other's tasks */
	assert_non_null(retained(w, BASE "/task/mine"));
}

static const struct test tests[] = {
	TEST(two_agents_with_one_id_report_it_and_do_not_fight),
};

int main(int argc, char **argv)
{
	return world_run("rival", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
