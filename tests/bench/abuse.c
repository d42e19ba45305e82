/* Measures commands beside the tasks of tests/e2e/community/abuse_tasks. */
#include "tests/bench/abuse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/broker.h"
#include "tests/support/deadline.h"
#include "tests/support/device.h"
#include "tests/bench/bench_client.h"
#include "tests/bench/sample.h"

#define BASE "openscan/v1/" DEVICE_ID
#define REPLY BASE "/reply/abuse"
#define FILE_NAME "abuse_tasks"
#define ASKS 150
#define GAP_MS 10      /* between two commands */
#define AGAIN_NS 500e6 /* before a task that has ended is started again */
#define SOON_MS 10000
#define SETTINGS "{'tasks':{'kill_after_s':1,'folder_mb':100},'agent':{'keep_tasks':50}}"

struct abuse {
	struct folder folder;
	struct broker broker;
	struct device device;
	struct bench_client *client;
	bool known;    /* the types have been published */
	bool accepted; /* the latest command was accepted */
	bool running;  /* the misbehaving task */
	int64_t begun; /* when it was started last */
	char id[64];   /* of its task */
};

static const struct {
	const char *type, *figure;
} abuses[] = {
	{"crash_task", "accepted beside crashes, p95"},
	{"deaf_task", "accepted beside a task that ignores everything, p95"},
	{"garbage_task", "accepted beside garbage, p95"},
	{"flood_task", "accepted beside 10,000 lines a second, p95"},
	{"swarm_task", "accepted beside a thousand children, p95"},
	{"hungry_task", "accepted beside 1 GiB of memory, p95"},
	{"fill_task", "accepted beside a filled folder, p95"},
};

static void see(void *context, const char *topic, const char *payload, size_t size)
{
	struct abuse *abuse = context;

	(void)size;
	if (strcmp(topic, BASE "/types/crash_task") == 0)
		abuse->known = true;
	else if (strcmp(topic, REPLY) == 0)
		abuse->accepted = true;
	else if (strstr(payload, "\"abuse-") && !strstr(payload, "\"task.created\"") &&
		 !strstr(payload, "\"task.started\""))
		abuse->running = false;
}

/* ---- broker and agent ---- */

static int bring_types(struct abuse *abuse)
{
	size_t size = 0;
	char *text =
		file_read(OPENSCAN_SOURCE_DIR "/tests/e2e/community/" FILE_NAME, &size);
	int ret = text ? device_community(&abuse->device, FILE_NAME, text, size) : -1;

	free(text);
	return ret;
}

static int open_world(struct abuse *abuse, const char *agent)
{
	static const char *const filters[] = {BASE "/types/crash_task", BASE "/event",
					      REPLY, NULL};

	if (folder_make(&abuse->folder) < 0 ||
	    broker_start(&abuse->broker, abuse->folder.path, false) < 0 ||
	    device_init(&abuse->device, &abuse->folder, DEVICE_ID, abuse->broker.port,
			NULL, SETTINGS) < 0 ||
	    bring_types(abuse) < 0 ||
	    bench_client_open(&abuse->client, abuse->broker.port, filters, see, abuse) <
		    0)
		return -1;
	abuse->device.program = agent;
	abuse->device.log_level = "info";
	if (device_start(&abuse->device) < 0 ||
	    !bench_client_until(abuse->client, &abuse->known, SOON_MS)) {
		fprintf(stderr, "the agent did not publish the types of %s\n", FILE_NAME);
		return -1;
	}
	return 0;
}

static void close_world(struct abuse *abuse)
{
	bench_client_close(abuse->client);
	child_kill(&abuse->device.child);
	broker_kill(&abuse->broker);
	folder_remove(&abuse->folder);
}

/* ---- measuring ---- */

static void keep_abusing(struct abuse *abuse, const char *type, int number)
{
	char payload[160];

	if (!type || abuse->running || (double)(now_ns() - abuse->begun) < AGAIN_NS)
		return;
	snprintf(abuse->id, sizeof(abuse->id), "abuse-%s-%d", type, number);
	snprintf(payload, sizeof(payload), "{\"id\":\"%s\",\"type\":\"%s\"}", abuse->id,
		 type);
	bench_client_send(abuse->client, BASE "/cmd/task/create", payload, false);
	abuse->running = true;
	abuse->begun = now_ns();
}

static void rest(struct abuse *abuse, int ms)
{
	int64_t until = deadline_now() + ms;

	while (deadline_now() < until)
		bench_client_turn(abuse->client, (int)(until - deadline_now()));
}

/* type NULL: without a misbehaving task. */
static int ask_beside(struct abuse *abuse, const char *type, struct sample *sample)
{
	for (int i = 0; i < ASKS; i++) {
		int64_t since;

		keep_abusing(abuse, type, i);
		rest(abuse, GAP_MS);
		abuse->accepted = false;
		since = now_ns();
		bench_client_send(
			abuse->client, BASE "/cmd/task/create",
			"{\"type\":\"hello_world_async_task\",\"args\":{\"total_"
			"steps\":1,"
			"\"delay\":0},\"reply_to\":\"" REPLY "\"}",
			false);
		if (!bench_client_until(abuse->client, &abuse->accepted, SOON_MS)) {
			fprintf(stderr, "beside %s a command was not answered\n",
				type ? type : "nothing");
			return -1;
		}
		sample_since(sample, since);
	}
	return 0;
}

/* Otherwise the next one would run beside it. */
static void end_abuse(struct abuse *abuse)
{
	if (abuse->running)
		bench_client_send(abuse->client, BASE "/cmd/task/cancel", abuse->id,
				  false);
	for (int i = 0; i < SOON_MS / 100 && abuse->running; i++)
		rest(abuse, 100);
}

/* The baseline is measured just before, because the machine may have other work. */
static int measure_one(struct abuse *abuse, const char *type, const char *name,
		       struct figures *figures)
{
	struct sample quiet = {0}, beside = {0};
	int ret = ask_beside(abuse, NULL, &quiet);

	if (ret == 0)
		ret = ask_beside(abuse, type, &beside);
	end_abuse(abuse);
	figures_add(figures, &(struct figure){name, "ms", sample_at(&beside, 0.95),
					      AIM_AT_MOST, 2 * sample_at(&quiet, 0.95),
					      "in quiet", sample_at(&quiet, 0.95)});
	sample_free(&quiet);
	sample_free(&beside);
	return ret;
}

static int measure(struct abuse *abuse, struct figures *figures)
{
	int ret = 0;

	for (size_t i = 0; i < sizeof(abuses) / sizeof(abuses[0]) && ret == 0; i++)
		ret = measure_one(abuse, abuses[i].type, abuses[i].figure, figures);
	return ret;
}

int abuse_measure(struct figures *figures, const char *agent)
{
	static struct abuse abuse;
	int ret = open_world(&abuse, agent);

	if (ret == 0)
		ret = measure(&abuse, figures);
	if (ret < 0)
		device_print_log(&abuse.device);
	close_world(&abuse);
	return ret;
}
