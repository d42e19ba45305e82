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

#define WINDOW 16 /* what the agent keeps in flight */
#define KILOBYTE 1000

/* ---- a command ---- */

struct floor {
	struct bench_client *answerer, *asker;
	pthread_t thread; /* the answerer's */
	bool answering;
	atomic_bool closing;
	bool back;
	sqlite3 *db;
	char path[PATH_MAX + 16];
};

static void send_back(void *context, const char *topic, const char *payload, size_t size)
{
	struct floor *floor = context;

	(void)topic;
	(void)size;
	bench_client_send(floor->answerer, "floor/back", payload, false);
}

static void *answer(void *context)
{
	struct floor *floor = context;

	while (!atomic_load(&floor->closing))
		bench_client_turn(floor->answerer, 50);
	return NULL;
}

static void came_back(void *context, const char *topic, const char *payload, size_t size)
{
	struct floor *floor = context;

	(void)topic;
	(void)payload;
	(void)size;
	floor->back = true;
}

static int open_echo(struct floor *floor, int port)
{
	static const char *const there[] = {"floor/there", NULL};
	static const char *const back[] = {"floor/back", NULL};
	int ret = bench_client_open(&floor->answerer, port, there, send_back, floor);

	if (ret == 0)
		ret = bench_client_open(&floor->asker, port, back, came_back, floor);
	if (ret == 0)
		ret = -pthread_create(&floor->thread, NULL, answer, floor);
	floor->answering = ret == 0;
	return ret;
}

static int run_sql(struct floor *floor, const char *sql)
{
	return sqlite3_exec(floor->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -EIO;
}

static int open_commit(struct floor *floor, const char *folder)
{
	snprintf(floor->path, sizeof(floor->path), "%s/floor.sqlite", folder);
	unlink(floor->path);
	if (sqlite3_open(floor->path, &floor->db) != SQLITE_OK)
		return -EIO;
	return run_sql(floor, "PRAGMA locking_mode = EXCLUSIVE;"
			      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			      "CREATE TABLE row (number INTEGER PRIMARY KEY, body BLOB)");
}

int floor_open(struct floor **out, int port, const char *folder)
{
	struct floor *floor = calloc(1, sizeof(*floor));
	int ret;

	if (!floor)
		return -ENOMEM;
	ret = open_echo(floor, port);
	if (ret == 0)
		ret = open_commit(floor, folder);
	if (ret < 0) {
		floor_close(floor);
		return ret;
	}
	*out = floor;
	return 0;
}

void floor_close(struct floor *floor)
{
	if (!floor)
		return;
	atomic_store(&floor->closing, true);
	if (floor->answering)
		pthread_join(floor->thread, NULL);
	bench_client_close(floor->answerer);
	bench_client_close(floor->asker);
	sqlite3_close(floor->db);
	unlink(floor->path);
	free(floor);
}

int floor_round(struct floor *floor, struct sample *echo, struct sample *commit)
{
	int64_t since = now_ns();
	int ret;

	floor->back = false;
	bench_client_send(floor->asker, "floor/there", "{\"type\":\"echo\"}", false);
	if (!bench_client_until(floor->asker, &floor->back, SOON_MS))
		return -ETIMEDOUT;
	sample_since(echo, since);
	since = now_ns();
	ret = run_sql(floor, "INSERT INTO row (body) VALUES (zeroblob(1000))");
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

int floor_retained(double *ms, int port, size_t count)
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
			snprintf(topic, sizeof(topic), "floor/kept/%zu", sent++);
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

int floor_sync(struct sample *sample, const char *folder, int rounds)
{
	char path[PATH_MAX + 16], bytes[KILOBYTE] = "";
	int fd, ret = 0;

	snprintf(path, sizeof(path), "%s/floor.sync", folder);
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

int floor_start(struct sample *sample, const char *database)
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
