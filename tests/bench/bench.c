/* Measures what the agent costs, beside the least that it could cost; started by
 * tests/bench/run.
 *
 *     bench [--json FILE]
 *
 * Figures are not assertions: a missed target is marked, and the exit code is 0.  It is 1
 * only when something could not be measured. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/broker.h"
#include "tests/support/deadline.h"
#include "tests/support/device.h"
#include "tests/bench/abuse.h"
#include "tests/bench/figure.h"
#include "tests/bench/fill.h"
#include "tests/bench/baseline.h"
#include "tests/bench/bench_client.h"
#include "tests/bench/probe.h"
#include "tests/bench/proxy.h"

#define BASE "openscan/v1/" DEVICE_ID
#define HELLO                                                                            \
	"{\"type\":\"hello_world_async_task\",\"args\":{\"total_steps\":1,\"delay\":0}"

#define ACCEPTS 1000
#define TASKS 1000
#define IN_FLIGHT 200
#define IDLE_MS 12000
#define STARTS 7
#define RETAINED 300

struct bench {
	struct folder folder;
	struct broker broker;
	struct device device;
	struct figures figures;
	struct sample echo, commit;
	double empty_mb, empty_ms; /* of an agent that only prints its version */
};

/* ---- starting and stopping ---- */

static void see_online(void *context, const char *topic, const char *payload, size_t size)
{
	bool *online = context;

	(void)size;
	if (strcmp(topic, BASE "/status") == 0 && strcmp(payload, "online") == 0)
		*online = true;
}

/* Returns when it is online, with the ms that the start took. */
static int start(struct bench *bench, double *ms)
{
	static const char *const filters[] = {BASE "/status", NULL};
	bool online = false;
	struct bench_client *client;
	int64_t since;

	if (bench_client_open(&client, bench->broker.port, filters, see_online, &online) <
	    0)
		return -1;
	since = now_ns();
	if (device_start(&bench->device) == 0)
		bench_client_until(client, &online, SOON_MS);
	*ms = (double)(now_ns() - since) / 1e6;
	bench_client_close(client);
	if (!online)
		fprintf(stderr, "the agent did not come online\n");
	return online ? 0 : -1;
}

static int stop(struct bench *bench)
{
	int code = device_stop(&bench->device);

	if (code != 0)
		fprintf(stderr, "the agent ended with code %d\n", code);
	return code == 0 ? 0 : -1;
}

static int refill(struct bench *bench, const struct fill *fill)
{
	return stop(bench) < 0 ? -1 : fill_database(bench->device.state_dir, fill);
}

/* ---- published, accepted ---- */

struct ask {
	bool accepted, completed;
};

static void see_answer(void *context, const char *topic, const char *payload, size_t size)
{
	struct ask *ask = context;

	(void)size;
	if (strcmp(topic, BASE "/reply/bench") == 0)
		ask->accepted = true;
	else if (strstr(payload, "\"task.completed\""))
		ask->completed = true;
}

/* With a baseline each command finds an idle agent and follows a round of the baseline,
 * so that both are measured in the same minute.  NULL: one command right after the
 * other. */
static int ask_often(struct bench *bench, struct sample *sample,
		     struct baseline *baseline)
{
	static const char *const filters[] = {BASE "/reply/bench", BASE "/event", NULL};
	struct ask ask = {.accepted = true, .completed = true};
	struct bench_client *client;

	if (bench_client_open(&client, bench->broker.port, filters, see_answer, &ask) < 0)
		return -1;
	for (int i = 0; i < ACCEPTS && ask.accepted && ask.completed; i++) {
		int64_t since;

		if (baseline &&
		    baseline_round(baseline, &bench->echo, &bench->commit) < 0) {
			ask.accepted = false;
			break;
		}
		since = now_ns();
		ask = (struct ask){.completed = !baseline};
		bench_client_send(client, BASE "/cmd/task/create",
				  HELLO ",\"reply_to\":\"" BASE "/reply/bench\"}", false);
		if (bench_client_until(client, &ask.accepted, SOON_MS))
			sample_since(sample, since);
		bench_client_until(client, &ask.completed, SOON_MS);
	}
	bench_client_close(client);
	if (!ask.accepted || !ask.completed)
		fprintf(stderr,
			"a command was not answered, or its task not completed\n");
	return ask.accepted && ask.completed ? 0 : -1;
}

static void add_accept(struct bench *bench, struct sample *rest, struct sample *busy)
{
	double median = sample_at(&bench->echo, 0.5) + sample_at(&bench->commit, 0.5);
	double rare = sample_at(&bench->echo, 0.99) + sample_at(&bench->commit, 0.99);

	figures_add(&bench->figures,
		    &(struct figure){"published to accepted, median", "ms",
				     sample_at(rest, 0.5), AIM_AT_MOST, 1.5 * median,
				     "echo by the broker + commit", median});
	figures_add(&bench->figures,
		    &(struct figure){"published to accepted, p99", "ms",
				     sample_at(rest, 0.99), AIM_NONE, 0,
				     "echo by the broker + commit", rare});
	figures_add(&bench->figures,
		    &(struct figure){"the same, one after the other, median", "ms",
				     sample_at(busy, 0.5), AIM_NONE, 0,
				     "echo by the broker + commit", median});
}

static int measure_accept(struct bench *bench)
{
	struct sample rest = {0}, busy = {0};
	struct baseline *baseline = NULL;
	int ret = baseline_open(&baseline, bench->broker.port, bench->folder.path);

	if (ret == 0)
		ret = ask_often(bench, &rest, baseline);
	baseline_close(baseline);
	if (ret == 0)
		ret = ask_often(bench, &busy, NULL);
	add_accept(bench, &rest, &busy);
	sample_free(&rest);
	sample_free(&busy);
	return ret;
}

/* ---- many tasks ---- */

struct rush {
	struct bench_client *client;
	int sent, completed;
	bool done;
};

static void rush_fill(struct rush *rush)
{
	while (rush->sent < TASKS && rush->sent - rush->completed < IN_FLIGHT) {
		bench_client_send(rush->client, BASE "/cmd/task/create", HELLO "}",
				  false);
		rush->sent++;
	}
}

static void see_event(void *context, const char *topic, const char *payload, size_t size)
{
	struct rush *rush = context;

	(void)topic;
	(void)size;
	if (!strstr(payload, "\"task.completed\""))
		return;
	rush->completed++;
	rush->done = rush->completed == TASKS;
	rush_fill(rush);
}

static int measure_rush(struct bench *bench)
{
	static const char *const filters[] = {BASE "/event", NULL};
	struct rush rush = {.client = NULL};
	struct sample sync = {0};
	struct probe probe;
	int64_t since;
	double rate;

	if (baseline_sync(&sync, bench->folder.path, 200) < 0 ||
	    bench_client_open(&rush.client, bench->broker.port, filters, see_event,
			      &rush) < 0)
		return -1;
	since = now_ns();
	rush_fill(&rush);
	bench_client_until(rush.client, &rush.done, 6 * SOON_MS);
	rate = rush.completed / ((double)(now_ns() - since) / 1e9);
	bench_client_close(rush.client);
	probe_take(&probe, bench->device.child.pid);
	figures_add(&bench->figures,
		    &(struct figure){"tasks created to completed", "a second", rate,
				     AIM_AT_LEAST, 1000, "commits one by one",
				     1000 / sample_at(&bench->commit, 0.5)});
	figures_add(&bench->figures,
		    &(struct figure){"fdatasync of 1 kB, median", "ms",
				     sample_at(&sync, 0.5), AIM_NONE, 0,
				     "commit of SQLite", sample_at(&bench->commit, 0.5)});
	figures_add(&bench->figures,
		    &(struct figure){"resident after all these tasks", "MB", probe.rss_mb,
				     AIM_NONE, 0, "the program doing nothing",
				     bench->empty_mb});
	sample_free(&sync);
	if (!rush.done)
		fprintf(stderr, "%d of %d tasks completed\n", rush.completed, TASKS);
	return rush.done ? 0 : -1;
}

/* ---- doing nothing ---- */

static void add_idle(struct bench *bench, const struct probe *agent,
		     const struct probe *broker)
{
	double seconds = IDLE_MS / 1000.0;

	figures_add(&bench->figures,
		    &(struct figure){"idle, 200 finished tasks: resident", "MB",
				     agent->rss_mb, AIM_AT_MOST, 12,
				     "the program doing nothing", bench->empty_mb});
	figures_add(&bench->figures,
		    &(struct figure){"idle: CPU", "%", agent->cpu_ms / IDLE_MS * 100,
				     AIM_AT_MOST, 0.2, "the broker in that time",
				     broker->cpu_ms / IDLE_MS * 100});
	figures_add(&bench->figures,
		    &(struct figure){"idle: wake-ups of all threads", "a second",
				     (double)agent->wakes / seconds, AIM_AT_MOST, 5,
				     "the broker in that time",
				     (double)broker->wakes / seconds});
}

static void probe_between(struct probe *result, const struct probe *before, pid_t pid)
{
	probe_take(result, pid);
	result->cpu_ms -= before->cpu_ms;
	result->wakes -= before->wakes;
}

static int measure_idle(struct bench *bench)
{
	pid_t agent_pid, broker_pid = bench->broker.child.pid;
	struct probe before[2], after[2];
	double ms;

	if (refill(bench, &(struct fill){.ended = 200, .requests = 200, .events = 800}) <
		    0 ||
	    start(bench, &ms) < 0)
		return -1;
	agent_pid = bench->device.child.pid;
	/* Everything that a start publishes is out by then. */
	deadline_let_pass(3000);
	probe_take(&before[0], agent_pid);
	probe_take(&before[1], broker_pid);
	deadline_let_pass(IDLE_MS);
	probe_between(&after[0], &before[0], agent_pid);
	probe_between(&after[1], &before[1], broker_pid);
	add_idle(bench, &after[0], &after[1]);
	return 0;
}

/* ---- starting ---- */

static int measure_start(struct bench *bench)
{
	const struct fill months = {
		.ended = 200, .live = 256, .requests = 10000, .events = 20000};
	struct sample starts = {0}, opens = {0};
	char database[PATH_MAX + 16];
	struct probe probe;
	double ms = 0;
	int ret = refill(bench, &months);

	snprintf(database, sizeof(database), "%s/agent.sqlite", bench->device.state_dir);
	for (int i = 0; i < STARTS && ret == 0; i++) {
		int64_t since;

		ret = baseline_start(&opens, database);
		since = now_ns();
		if (ret == 0)
			ret = start(bench, &ms);
		/* The time that the client needs to connect does not count. */
		sample_since(&starts, since);
		starts.values[starts.count - 1] = ms;
		if (ret == 0 && i + 1 < STARTS)
			ret = stop(bench);
	}
	probe_take(&probe, bench->device.child.pid);
	figures_add(&bench->figures,
		    &(struct figure){"start to online, 456 tasks, 10,000 requests", "ms",
				     sample_at(&starts, 0.5), AIM_AT_MOST, 150,
				     "the program and quick_check",
				     bench->empty_ms + sample_at(&opens, 0.5)});
	figures_add(&bench->figures,
		    &(struct figure){"resident with 256 live tasks", "MB", probe.rss_mb,
				     AIM_NONE, 0, "the program doing nothing",
				     bench->empty_mb});
	sample_free(&starts);
	sample_free(&opens);
	return ret;
}

/* ---- reconnecting ---- */

/* Waits until count retained topics were acknowledged; false when it takes too long. */
static bool wait_retained(struct proxy *proxy, size_t count)
{
	int64_t until = deadline_now() + deadline_patient(7 * SOON_MS);

	while (proxy_count(proxy) < count && deadline_now() < until)
		deadline_let_pass(5);
	return proxy_count(proxy) >= count;
}

static int reconnect(struct bench *bench, struct proxy *proxy)
{
	double ms, baseline;

	bench->device.port = proxy_port(proxy);
	if (start(bench, &ms) < 0 || !wait_retained(proxy, RETAINED))
		return -1;
	broker_kill(&bench->broker);
	proxy_reset(proxy);
	if (broker_restart(&bench->broker) < 0 || !wait_retained(proxy, RETAINED) ||
	    baseline_retained(&baseline, bench->broker.port, RETAINED) < 0)
		return -1;
	figures_add(&bench->figures,
		    &(struct figure){"reconnected to 300 retained topics published", "ms",
				     proxy_retained(proxy, RETAINED), AIM_AT_MOST, 1000,
				     "the same by a plain client", baseline});
	return 0;
}

static int measure_reconnect(struct bench *bench)
{
	struct proxy *proxy = NULL;
	int ret = refill(bench, &(struct fill){.ended = RETAINED, .events = 1000});

	if (ret == 0)
		ret = proxy_open(&proxy, bench->broker.port);
	if (ret == 0)
		ret = reconnect(bench, proxy);
	if (ret < 0)
		fprintf(stderr, "%zu of %d retained topics were published\n",
			proxy ? proxy_count(proxy) : 0, RETAINED);
	child_kill(&bench->device.child);
	proxy_close(proxy);
	return ret;
}

/* ---- all ---- */

static int open_bench(struct bench *bench)
{
	const char *const argv[] = {OPENSCAN_AGENT, "--version", NULL};
	double ms;

	if (folder_make(&bench->folder) < 0 ||
	    broker_start(&bench->broker, bench->folder.path, false) < 0 ||
	    device_init(&bench->device, &bench->folder, DEVICE_ID, bench->broker.port,
			NULL, NULL) < 0)
		return -1;
	bench->device.program = OPENSCAN_AGENT;
	bench->device.log_level = "info";
	bench->device.sim_speed = "1";
	probe_program(argv, &bench->empty_mb, &bench->empty_ms);
	return start(bench, &ms);
}

static int measure_all(struct bench *bench)
{
	int ret = open_bench(bench);

	if (ret == 0)
		ret = measure_accept(bench);
	if (ret == 0)
		ret = measure_rush(bench);
	if (ret == 0)
		ret = measure_idle(bench);
	if (ret == 0)
		ret = measure_start(bench);
	if (ret == 0)
		ret = measure_reconnect(bench);
	if (ret == 0)
		ret = abuse_measure(&bench->figures, OPENSCAN_AGENT);
	if (ret < 0)
		device_print_log(&bench->device);
	child_kill(&bench->device.child);
	broker_kill(&bench->broker);
	folder_remove(&bench->folder);
	sample_free(&bench->echo);
	sample_free(&bench->commit);
	return ret;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", required_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	const char *json = NULL;
	static struct bench bench;
	int option, ret;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'j') {
			fprintf(stderr, "bench [--json FILE]\n");
			return 2;
		}
		json = optarg;
	}
	ret = measure_all(&bench);
	figures_print(&bench.figures);
	if (json && figures_write(&bench.figures, json) < 0) {
		fprintf(stderr, "%s cannot be written\n", json);
		ret = -1;
	}
	return ret == 0 ? 0 : 1;
}
