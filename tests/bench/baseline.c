/* Measures broker, database and disk without the agent. */
#include "tests/bench/baseline.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "tests/support/deadline.h"
#include "tests/support/folder.h"
#include "tests/bench/bench_client.h"

#define WINDOW 16 /* as many messages in flight as the agent has */
#define KILOBYTE 1000

/* ---- a command ---- */

struct baseline {
	struct bench_client *answerer, *asker;
	pthread_t thread; /* of the client that replies */
	bool answering;
	atomic_bool closing;
	bool back;
	sqlite3 *db;
	char path[PATH_MAX + 16];
};

static void send_back(void *context, const char *topic, const char *payload, size_t size)
{
	struct baseline *baseline = context;

	(void)topic;
	(void)size;
	bench_client_send(baseline->answerer, "baseline/back", payload, false);
}

static void *answer(void *context)
{
	struct baseline *baseline = context;

	while (!atomic_load(&baseline->closing))
		bench_client_turn(baseline->answerer, 50);
	return NULL;
}

static void came_back(void *context, const char *topic, const char *payload, size_t size)
{
	struct baseline *baseline = context;

	(void)topic;
	(void)payload;
	(void)size;
	baseline->back = true;
}

static int open_echo(struct baseline *baseline, int port)
{
	static const char *const there[] = {"baseline/there", NULL};
	static const char *const back[] = {"baseline/back", NULL};
	int ret =
		bench_client_open(&baseline->answerer, port, there, send_back, baseline);

	if (ret == 0)
		ret = bench_client_open(&baseline->asker, port, back, came_back,
					baseline);
	if (ret == 0)
		ret = -pthread_create(&baseline->thread, NULL, answer, baseline);
	baseline->answering = ret == 0;
	return ret;
}

static int run_sql(struct baseline *baseline, const char *sql)
{
	return sqlite3_exec(baseline->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -EIO;
}

static int open_commit(struct baseline *baseline, const char *folder)
{
	snprintf(baseline->path, sizeof(baseline->path), "%s/baseline.sqlite", folder);
	unlink(baseline->path);
	if (sqlite3_open(baseline->path, &baseline->db) != SQLITE_OK)
		return -EIO;
	return run_sql(baseline,
		       "PRAGMA locking_mode = EXCLUSIVE;"
		       "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		       "CREATE TABLE row (number INTEGER PRIMARY KEY, body BLOB)");
}

int baseline_open(struct baseline **out, int port, const char *folder)
{
	struct baseline *baseline = calloc(1, sizeof(*baseline));
	int ret;

	if (!baseline)
		return -ENOMEM;
	ret = open_echo(baseline, port);
	if (ret == 0)
		ret = open_commit(baseline, folder);
	if (ret < 0) {
		baseline_close(baseline);
		return ret;
	}
	*out = baseline;
	return 0;
}

void baseline_close(struct baseline *baseline)
{
	if (!baseline)
		return;
	atomic_store(&baseline->closing, true);
	if (baseline->answering)
		pthread_join(baseline->thread, NULL);
	bench_client_close(baseline->answerer);
	bench_client_close(baseline->asker);
	sqlite3_close(baseline->db);
	unlink(baseline->path);
	free(baseline);
}

int baseline_round(struct baseline *baseline, struct sample *echo, struct sample *commit)
{
	int64_t since = now_ns();
	int ret;

	baseline->back = false;
	bench_client_send(baseline->asker, "baseline/there", "{\"type\":\"echo\"}",
			  false);
	if (!bench_client_until(baseline->asker, &baseline->back, SOON_MS))
		return -ETIMEDOUT;
	sample_since(echo, since);
	since = now_ns();
	ret = run_sql(baseline, "INSERT INTO row (body) VALUES (zeroblob(1000))");
	sample_since(commit, since);
	return ret;
}

/* ---- retained topics ---- */

static void nothing_comes(void *context, const char *topic, const char *payload,
			  size_t size)
{
	(void)context;
	(void)topic;
	(void)payload;
	(void)size;
}

int baseline_retained(double *ms, int port, size_t count)
{
	int64_t since = now_ns(), until = deadline_now() + deadline_patient(SOON_MS);
	char payload[KILOBYTE * 3 / 2 + 1], topic[64];
	struct bench_client *client;
	size_t sent = 0;
	int ret = bench_client_open(&client, port, NULL, nothing_comes, NULL);

	if (ret < 0)
		return ret;
	memset(payload, 'x', sizeof(payload) - 1);
	payload[sizeof(payload) - 1] = '\0';
	while (bench_client_acknowledged(client) < count && deadline_now() < until) {
		while (sent < count &&
		       sent - bench_client_acknowledged(client) < WINDOW) {
			snprintf(topic, sizeof(topic), "baseline/kept/%zu", sent++);
			bench_client_send(client, topic, payload, true);
		}
		bench_client_turn(client, 100);
	}
	*ms = (double)(now_ns() - since) / 1e6;
	ret = bench_client_acknowledged(client) < count ? -ETIMEDOUT : 0;
	bench_client_close(client);
	return ret;
}

/* ---- the disk ---- */

int baseline_sync(struct sample *sample, const char *folder, int rounds)
{
	char path[PATH_MAX + 16], bytes[KILOBYTE] = "";
	int fd, ret = 0;

	snprintf(path, sizeof(path), "%s/baseline.sync", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	for (int i = 0; i < rounds && ret == 0; i++) {
		int64_t since = now_ns();

		if (write(fd, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes) ||
		    fdatasync(fd) < 0)
			ret = -EIO;
		sample_since(sample, since);
	}
	close(fd);
	unlink(path);
	return ret;
}

int baseline_start(struct sample *sample, const char *database)
{
	int64_t since = now_ns();
	sqlite3 *db = NULL;
	int ret = sqlite3_open_v2(database, &db, SQLITE_OPEN_READWRITE, NULL);

	if (ret == SQLITE_OK)
		ret = sqlite3_exec(db,
				   "PRAGMA locking_mode = EXCLUSIVE;"
				   "PRAGMA journal_mode = WAL; PRAGMA quick_check(1)",
				   NULL, NULL, NULL);
	sample_since(sample, since);
	sqlite3_close(db);
	return ret == SQLITE_OK ? 0 : -EIO;
}
