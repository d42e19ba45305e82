/* A network that breaks the connection in the middle of a packet, falls silent without
 * closing, or is slow.  Nothing that was accepted is lost or done twice, and messages
 * arrive in order. */
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/relay.h"

#define TASKS 24

/* The relay between the agent and the broker of the current test. */
static struct relay *wire;

static const struct world_options later = {.agent_later = true, .persistence = true};

static void start_behind_wire(struct world *w)
{
	relay_close(wire);
	wire = NULL;
	if (relay_open(&wire, w->broker.port, RELAY_NO_MORE) < 0)
		fail_msg("the relay could not be started");
	w->device.port = relay_port(wire);
	world_start_agent(w);
}

static void order(struct world *w, int i)
{
	tell(w, "task/create", "{'id':'t%d','type':'count_task','args':%s}", i,
	     quoted(w, "{'file':'%s','steps':1,'delay':0.01}", below(w, "count")));
}

static void assert_line_once(struct world *w, int i)
{
	const char *text = wait_file(w, below(w, "count"), "");
	const char *line = quoted(w, "t%d 1\n", i);
	const char *found = strstr(text, line);

	assert_non_null(found);
	assert_null(strstr(found + 1, quoted(w, "\n%s", line)));
}

/* Every number at least once, in order, up to the last. */
static void assert_events_whole(struct world *w)
{
	int most = 0;

	for (size_t i = 0; i < client_mark(w->client); i++) {
		const struct message *m = client_at(w->client, i);
		int seq;

		if (strcmp(m->topic, BASE "/event") != 0)
			continue;
		seq = (int)number_at(document(w, m), "seq");
		assert_true(seq <= most + 1);
		if (seq > most)
			most = seq;
	}
}

static void assert_all_done(struct world *w)
{
	for (int i = 0; i < TASKS; i++) {
		wait_status(w, quoted(w, "t%d", i), "completed");
		wait_event(w, 0, "task.completed", quoted(w, "t%d", i));
		assert_line_once(w, i);
	}
	assert_revs_grow(w);
	assert_events_whole(w);
}

/* The cuts are at different places of different packets each time. */
static void cut_again_and_again(struct world *w, enum relay_way way)
{
	start_behind_wire(w);

	for (int i = 0; i < TASKS; i++) {
		if (i % 3 == 0)
			relay_cut_after(wire, way, 40 + 331L * i);
		order(w, i);
	}

	assert_all_done(w);
	assert_true(client_count(w->client, 0, BASE "/reply/_barrier") > 1);
}

static void cuts_in_the_middle_of_a_packet_to_the_broker_lose_nothing(struct world *w)
{
	cut_again_and_again(w, RELAY_UP);
}

static void cuts_in_the_middle_of_a_packet_to_the_agent_lose_nothing(struct world *w)
{
	cut_again_and_again(w, RELAY_DOWN);
}

/* Messages sent before the silence are in transit, later ones wait in the outbox. */
static void a_short_silence_has_no_effect(struct world *w)
{
	start_behind_wire(w);
	for (int i = 0; i < TASKS / 2; i++)
		order(w, i);
	relay_freeze(wire, true);
	for (int i = TASKS / 2; i < TASKS; i++)
		order(w, i);
	deadline_let_pass(1500);
	size_t barriers = client_count(w->client, 0, BASE "/reply/_barrier");

	relay_freeze(wire, false);

	assert_all_done(w);
	assert_int_equal(client_count(w->client, 0, BASE "/reply/_barrier"), barriers);
}

static void a_half_open_connection_that_breaks_is_reconnected(struct world *w)
{
	start_behind_wire(w);
	relay_freeze(wire, true);
	for (int i = 0; i < TASKS; i++)
		order(w, i);
	deadline_let_pass(500);

	relay_cut(wire);
	/* The next connection is accepted, but never answered. */
	deadline_let_pass(1500);
	relay_freeze(wire, false);

	assert_all_done(w);
}

/* The broker still has the old connection when the agent opens a new one. */
static void an_agent_that_reconnects_takes_over_its_session(struct world *w)
{
	start_behind_wire(w);
	order(w, 0);
	wait_status(w, "t0", "completed");
	relay_freeze(wire, true);
	for (int i = 1; i < TASKS; i++)
		order(w, i);
	world_kill_agent(w);
	w->device.port = w->broker.port; /* not through the relay */

	world_start_agent(w);

	assert_all_done(w);
}

/* Takes two minutes: the keep alive is 60 s. */
static void the_keep_alive_detects_a_half_open_connection(struct world *w)
{
	if (!getenv("TEST_LONG"))
		world_skip(w, "it takes two minutes: set TEST_LONG");
	start_behind_wire(w);
	relay_freeze(wire, true);
	int64_t begun = deadline_now();

	wait_file(w, w->device.log, "connected");
	while (!strstr(wait_file(w, w->device.log, ""), "disconnected")) {
		assert_true(deadline_now() - begun < 150000);
		deadline_let_pass(500);
	}

	printf("a half-open connection was given up after %lld s\n",
	       (long long)(deadline_now() - begun) / 1000);
	relay_freeze(wire, false);
	for (int i = 0; i < TASKS; i++)
		order(w, i);
	assert_all_done(w);
}

/* 20 kB/s in pieces that end anywhere. */
static void a_slow_network_breaks_nothing(struct world *w)
{
	start_behind_wire(w);
	relay_slow_down(wire, 211, 10);
	int64_t begun = deadline_now();

	for (int i = 0; i < TASKS; i++)
		order(w, i);

	assert_all_done(w);
	printf("%d tasks over a wire of 20 kB/s: %lld ms\n", TASKS,
	       (long long)(deadline_now() - begun));
	ask_ok(w, "agent/ping", "{}");
	relay_slow_down(wire, 0, 0);
}

static const struct test tests[] = {
	TEST_WITH(cuts_in_the_middle_of_a_packet_to_the_broker_lose_nothing, later),
	TEST_WITH(cuts_in_the_middle_of_a_packet_to_the_agent_lose_nothing, later),
	TEST_WITH(a_short_silence_has_no_effect, later),
	TEST_WITH(a_half_open_connection_that_breaks_is_reconnected, later),
	TEST_WITH(an_agent_that_reconnects_takes_over_its_session, later),
	TEST_WITH(the_keep_alive_detects_a_half_open_connection, later),
	TEST_WITH(a_slow_network_breaks_nothing, later),
};

int main(int argc, char **argv)
{
	int ret = world_run("wire", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);

	relay_close(wire);
	return ret;
}
