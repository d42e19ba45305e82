/* Starts, stops and restarts the agent and the broker of one run. */
#include "tests/faults/fault_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/faults/command.h"

#define ONLINE_MS 15000
#define ASK_MS 3000
#define DRY_MS 15 /* until the last bytes of a killed broker have been read */

char *quote_list(const char *fmt, va_list list)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, list) < 0)
		abort();
	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	return text;
}

char *quote(const char *fmt, ...)
{
	va_list list;
	char *text;

	va_start(list, fmt);
	text = quote_list(fmt, list);
	va_end(list);
	return text;
}

const char *text_of(const cJSON *json, const char *key)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(json, key);

	return cJSON_IsString(member) ? member->valuestring : "";
}

double number_of(const cJSON *json, const char *key, double otherwise)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(json, key);

	return cJSON_IsNumber(member) ? member->valuedouble : otherwise;
}

void fault_run_violation(struct fault_run *run, const char *fmt, ...)
{
	va_list list;

	run->violations++;
	printf("run %u, seed %llu%s: ", run->number, (unsigned long long)run->seed,
	       run->with_broker ? ", broker" : "");
	va_start(list, fmt);
	vprintf(fmt, list);
	va_end(list);
	printf("\n");
	fflush(stdout);
}

/* ---- stopping and starting ---- */

static int64_t wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void note_stop(struct fault_run *run, enum stop_kind kind)
{
	if (run->stop_count == STOPS_MAX)
		abort(); /* a run makes far fewer */
	run->stops[run->stop_count++] = (struct stop){
		.kind = kind,
		.wall_ms = wall_ms(),
		.mark = client_mark(run->client),
	};
}

size_t fault_run_stops(const struct fault_run *run, enum stop_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < run->stop_count; i++)
		count += run->stops[i].kind == kind;
	return count;
}

/* It is a violation when the agent ended without being stopped. */
static void must_run(struct fault_run *run)
{
	int status;

	if (run->device.child.pid > 0 && !child_wait(&run->device.child, 0))
		return;
	status = run->device.child.status;
	if (WIFSIGNALED(status))
		fault_run_violation(run, "the agent ended by signal %d",
				    WTERMSIG(status));
	else
		fault_run_violation(run, "the agent ended by itself with code %d",
				    WEXITSTATUS(status));
}

void fault_run_kill_agent(struct fault_run *run)
{
	must_run(run);
	device_kill(&run->device);
	note_stop(run, STOP_KILL);
}

void fault_run_terminate_agent(struct fault_run *run)
{
	int64_t since = deadline_now();
	int code;

	must_run(run);
	code = device_stop(&run->device);
	if (code != 0)
		fault_run_violation(run,
				    "SIGTERM: exit code %d after %lld ms instead of 0",
				    code, (long long)(deadline_now() - since));
	note_stop(run, STOP_TERM);
}

void fault_run_launch_agent(struct fault_run *run)
{
	if (device_start(&run->device) < 0)
		fault_run_violation(run, "the agent could not be started");
}

static bool is_online(const struct message *message, const void *context)
{
	(void)context;
	return strcmp(message->payload, "online") == 0;
}

void fault_run_start_agent(struct fault_run *run)
{
	size_t mark = client_mark(run->client);

	fault_run_launch_agent(run);
	if (!client_wait(run->client, mark, BASE "/status", is_online, NULL,
			 deadline_patient(ONLINE_MS), NULL)) {
		fault_run_violation(run, "the agent did not come online within %d s",
				    ONLINE_MS / 1000);
		must_run(run);
	}
}

void fault_run_save_broker(struct fault_run *run)
{
	child_signal(&run->broker.child, SIGUSR1);
}

void fault_run_restart_broker(struct fault_run *run)
{
	char file[PATH_MAX];

	if (prng_chance(&run->prng, 30))
		broker_stop(&run->broker);
	else
		broker_kill(&run->broker);
	if (prng_chance(&run->prng, 50))
		unlink(folder_path(&run->folder, file, "mosquitto.db"));
	deadline_let_pass(DRY_MS);
	note_stop(run, STOP_BROKER);
	if (broker_restart(&run->broker) < 0)
		fault_run_violation(run, "the broker could not be started again");
}

/* ---- asking ---- */

static bool has_correlation(const struct message *message, const void *context)
{
	return message->correlation && strcmp(message->correlation, context) == 0;
}

cJSON *fault_run_ask(struct fault_run *run, const char *verb, const char *fmt, ...)
{
	char topic[128], number[32];
	struct publish publish = {
		.qos = 1,
		.response_topic = BASE "/reply/question",
		.correlation = number,
	};
	size_t mark = client_mark(run->client);
	const struct message *reply = NULL;
	va_list list;
	char *payload;

	va_start(list, fmt);
	payload = quote_list(fmt, list);
	va_end(list);
	snprintf(topic, sizeof(topic), BASE "/cmd/%s", verb);
	snprintf(number, sizeof(number), "q%u", ++run->questions);
	if (client_publish(run->client, topic, payload, strlen(payload), &publish) == 0)
		reply = client_wait(run->client, mark, BASE "/reply/question",
				    has_correlation, number, deadline_patient(ASK_MS),
				    NULL);
	free(payload);
	return reply ? cJSON_Parse(reply->payload) : NULL;
}

/* ---- opening and closing ---- */

/* From a rig that moves nearly all the time to one that hardly does. */
static const char *const speeds[] = {"30", "100", "300", "1000"};

/* Half of the rigs trust their step counters after a power cut; the others ask a person.
 */
static const char *const settings[] = {
	"{'motion':{'assume_position_after_power_cut':true}}",
	"{}",
};

int fault_run_open(struct fault_run *run, uint64_t seed, unsigned number,
		   bool with_broker)
{
	static const char *const filters[] = {ROOT "/#", NULL};
	struct client_options options = {.filters = filters};

	memset(run, 0, sizeof(*run));
	run->seed = seed;
	run->number = number;
	run->prng = prng_seeded(seed);
	/* Drawn even when it is known, so that the rest of the run stays the same. */
	run->with_broker = prng_chance(&run->prng, 50) || with_broker;
	if (folder_make(&run->folder) < 0 ||
	    broker_start(&run->broker, run->folder.path, run->with_broker) < 0 ||
	    device_init(&run->device, &run->folder, DEVICE_ID, run->broker.port, NULL,
			settings[prng_below(&run->prng, 2)]) < 0) {
		fault_run_violation(run, "the broker could not be started");
		return -1;
	}
	run->device.sim_speed = speeds[prng_below(&run->prng, 4)];
	options.port = run->broker.port;
	if (client_open(&run->client, &options) < 0) {
		fault_run_violation(run, "the client could not connect");
		return -1;
	}
	fault_run_start_agent(run);
	return run->violations ? -1 : 0;
}

void fault_run_close(struct fault_run *run)
{
	child_kill(&run->device.child);
	client_close(run->client);
	broker_kill(&run->broker);
	commands_free(run);
	if (run->violations)
		printf("run %u: its folder is %s\n", run->number, run->folder.path);
	else
		folder_remove(&run->folder);
}
