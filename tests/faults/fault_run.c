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

#include "tests/faults/sent.h"

#define ONLINE_MS 15000
#define ASK_MS 3000
#define DRY_MS 15 /* after which a dead broker's last bytes have been read */

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

void ordeal_blame(struct ordeal *ordeal, const char *fmt, ...)
{
	va_list list;

	ordeal->violations++;
	printf("run %u, seed %llu%s: ", ordeal->run, (unsigned long long)ordeal->seed,
	       ordeal->with_broker ? ", broker" : "");
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

static void note_stop(struct ordeal *ordeal, enum stop_kind kind)
{
	if (ordeal->stop_count == STOPS_MAX)
		abort(); /* the script of a run makes far fewer */
	ordeal->stops[ordeal->stop_count++] = (struct stop){
		.kind = kind,
		.wall_ms = wall_ms(),
		.mark = client_mark(ordeal->client),
	};
}

size_t ordeal_stops(const struct ordeal *ordeal, enum stop_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < ordeal->stop_count; i++)
		count += ordeal->stops[i].kind == kind;
	return count;
}

/* Nobody but us may end it. */
static void must_run(struct ordeal *ordeal)
{
	int status;

	if (ordeal->device.child.pid > 0 && !child_wait(&ordeal->device.child, 0))
		return;
	status = ordeal->device.child.status;
	if (WIFSIGNALED(status))
		ordeal_blame(ordeal, "the agent ended by signal %d", WTERMSIG(status));
	else
		ordeal_blame(ordeal, "the agent ended by itself with code %d",
			     WEXITSTATUS(status));
}

void ordeal_kill_agent(struct ordeal *ordeal)
{
	must_run(ordeal);
	device_kill(&ordeal->device);
	note_stop(ordeal, STOP_KILL);
}

void ordeal_end_agent(struct ordeal *ordeal)
{
	int64_t since = deadline_now();
	int code;

	must_run(ordeal);
	code = device_stop(&ordeal->device);
	if (code != 0)
		ordeal_blame(ordeal, "SIGTERM: code %d after %lld ms instead of 0", code,
			     (long long)(deadline_now() - since));
	note_stop(ordeal, STOP_TERM);
}

void ordeal_launch_agent(struct ordeal *ordeal)
{
	if (device_start(&ordeal->device) < 0)
		ordeal_blame(ordeal, "the agent could not be started");
}

static bool is_online(const struct message *message, const void *context)
{
	(void)context;
	return strcmp(message->payload, "online") == 0;
}

void ordeal_start_agent(struct ordeal *ordeal)
{
	size_t mark = client_mark(ordeal->client);

	ordeal_launch_agent(ordeal);
	if (!client_wait(ordeal->client, mark, BASE "/status", is_online, NULL,
			 deadline_patient(ONLINE_MS), NULL)) {
		ordeal_blame(ordeal, "the agent did not come online within %d s",
			     ONLINE_MS / 1000);
		must_run(ordeal);
	}
}

void ordeal_save_broker(struct ordeal *ordeal)
{
	child_signal(&ordeal->broker.child, SIGUSR1);
}

void ordeal_restart_broker(struct ordeal *ordeal)
{
	char file[PATH_MAX];

	if (prng_chance(&ordeal->prng, 30))
		broker_stop(&ordeal->broker);
	else
		broker_kill(&ordeal->broker);
	if (prng_chance(&ordeal->prng, 50))
		unlink(folder_path(&ordeal->folder, file, "mosquitto.db"));
	deadline_let_pass(DRY_MS);
	note_stop(ordeal, STOP_BROKER);
	if (broker_restart(&ordeal->broker) < 0)
		ordeal_blame(ordeal, "the broker could not be started again");
}

/* ---- asking ---- */

static bool has_correlation(const struct message *message, const void *context)
{
	return message->correlation && strcmp(message->correlation, context) == 0;
}

cJSON *ordeal_ask(struct ordeal *ordeal, const char *verb, const char *fmt, ...)
{
	char topic[128], number[32];
	struct publish publish = {
		.qos = 1,
		.response_topic = BASE "/reply/question",
		.correlation = number,
	};
	size_t mark = client_mark(ordeal->client);
	const struct message *reply = NULL;
	va_list list;
	char *payload;

	va_start(list, fmt);
	payload = quote_list(fmt, list);
	va_end(list);
	snprintf(topic, sizeof(topic), BASE "/cmd/%s", verb);
	snprintf(number, sizeof(number), "q%u", ++ordeal->asked);
	if (client_publish(ordeal->client, topic, payload, strlen(payload), &publish) ==
	    0)
		reply = client_wait(ordeal->client, mark, BASE "/reply/question",
				    has_correlation, number, deadline_patient(ASK_MS),
				    NULL);
	free(payload);
	return reply ? cJSON_Parse(reply->payload) : NULL;
}

/* ---- opening and closing ---- */

/* From a rig that is nearly always moving to one that is nearly always done. */
static const char *const speeds[] = {"30", "100", "300", "1000"};

/* Half of the rigs trust their step counters after a power cut; the others want a person.
 */
static const char *const settings[] = {
	"{'motion':{'assume_position_after_power_cut':true}}",
	"{}",
};

int ordeal_open(struct ordeal *ordeal, uint64_t seed, unsigned run, bool with_broker)
{
	static const char *const filters[] = {ROOT "/#", NULL};
	struct client_options options = {.filters = filters};

	memset(ordeal, 0, sizeof(*ordeal));
	ordeal->seed = seed;
	ordeal->run = run;
	ordeal->prng = prng_seeded(seed);
	/* Drawn even when it is known, so that the rest of the run stays the same. */
	ordeal->with_broker = prng_chance(&ordeal->prng, 50) || with_broker;
	if (folder_make(&ordeal->folder) < 0 ||
	    broker_start(&ordeal->broker, ordeal->folder.path, ordeal->with_broker) < 0 ||
	    device_init(&ordeal->device, &ordeal->folder, DEVICE_ID, ordeal->broker.port,
			NULL, settings[prng_below(&ordeal->prng, 2)]) < 0) {
		ordeal_blame(ordeal, "the broker could not be started");
		return -1;
	}
	ordeal->device.sim_speed = speeds[prng_below(&ordeal->prng, 4)];
	options.port = ordeal->broker.port;
	if (client_open(&ordeal->client, &options) < 0) {
		ordeal_blame(ordeal, "the client could not connect");
		return -1;
	}
	ordeal_start_agent(ordeal);
	return ordeal->violations ? -1 : 0;
}

void ordeal_close(struct ordeal *ordeal)
{
	child_kill(&ordeal->device.child);
	client_close(ordeal->client);
	broker_kill(&ordeal->broker);
	orders_free(ordeal);
	if (ordeal->violations)
		printf("run %u: kept in %s\n", ordeal->run, ordeal->folder.path);
	else
		folder_remove(&ordeal->folder);
}
