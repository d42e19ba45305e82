#include "tests/load/floor.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "tests/harness/deadline.h"
#include "tests/harness/folder.h"
#include "tests/load/post.h"

#define WINDOW 16 /* what the agent keeps in flight */
#define KILOBYTE 1000

/* ---- the broker ---- */

struct echo {
	struct post *post;
	atomic_bool closing;
};

static void send_back(void *context, const char *topic, const char *payload, size_t size)
{
	struct echo *echo = context;

	(void)topic;
	(void)size;
	post_send(echo->post, "floor/back", payload, false);
}

static void *echo_serve(void *context)
{
	struct echo *echo = context;

	while (!atomic_load(&echo->closing))
		post_turn(echo->post, 50);
	return NULL;
}

static void came_back(void *context, const char *topic, const char *payload, size_t size)
{
	bool *back = context;

	(void)topic;
	(void)payload;
	(void)size;
	*back = true;
}

static int echo_rounds(struct sample *sample, int port, int rounds)
{
	static const char *const filters[] = {"floor/back", NULL};
	struct post *post;
	bool back = true;
	int ret = post_open(&post, port, filters, came_back, &back);

	if (ret < 0)
		return ret;
	for (int i = 0; i < rounds && back; i++) {
		int64_t since = now_ns();

		back = false;
		post_send(post, "floor/there", "{\"type\":\"echo\"}", false);
		if (post_until(post, &back, SOON_MS))
			sample_since(sample, since);
	}
	post_close(post);
	return back ? 0 : -ETIMEDOUT;
}

int floor_echo(struct sample *sample, int port, int rounds)
{
	static const char *const filters[] = {"floor/there", NULL};
	struct echo echo = {.post = NULL};
	pthread_t thread;
	int ret = post_open(&echo.post, port, filters, send_back, &echo);

	if (ret < 0)
		return ret;
	ret = -pthread_create(&thread, NULL, echo_serve, &echo);
	if (ret == 0) {
		ret = echo_rounds(sample, port, rounds);
		atomic_store(&echo.closing, true);
		pthread_join(thread, NULL);
	}
	post_close(echo.post);
	return ret;
}

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
	struct post *post;
	size_t sent = 0;
	int ret = post_open(&post, port, NULL, nothing_comes, NULL);

	if (ret < 0)
		return ret;
	memset(payload, 'x', sizeof(payload) - 1);
	payload[sizeof(payload) - 1] = '\0';
	while (post_acknowledged(post) < count && deadline_now() < until) {
		while (sent < count && sent - post_acknowledged(post) < WINDOW) {
			snprintf(topic, sizeof(topic), "floor/kept/%zu", sent++);
			post_send(post, topic, payload, true);
		}
		post_turn(post, 100);
	}
	*ms = (double)(now_ns() - since) / 1e6;
	ret = post_acknowledged(post) < count ? -ETIMEDOUT : 0;
	post_close(post);
	return ret;
}

/* ---- the disk ---- */

static int commits(struct sample *sample, sqlite3 *db, int rounds)
{
	int ret = sqlite3_exec(db,
			       "PRAGMA locking_mode = EXCLUSIVE;"
			       "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			       "CREATE TABLE row (number INTEGER PRIMARY KEY, body BLOB)",
			       NULL, NULL, NULL);

	for (int i = 0; i < rounds && ret == SQLITE_OK; i++) {
		int64_t since = now_ns();

		ret = sqlite3_exec(db, "INSERT INTO row (body) VALUES (zeroblob(1000))",
				   NULL, NULL, NULL);
		sample_since(sample, since);
	}
	return ret == SQLITE_OK ? 0 : -EIO;
}

int floor_commit(struct sample *sample, const char *folder, int rounds)
{
	char path[PATH_MAX + 16];
	sqlite3 *db = NULL;
	int ret = -EIO;

	snprintf(path, sizeof(path), "%s/floor.sqlite", folder);
	unlink(path);
	if (sqlite3_open(path, &db) == SQLITE_OK)
		ret = commits(sample, db, rounds);
	sqlite3_close(db);
	unlink(path);
	return ret;
}

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

int floor_open(struct sample *sample, const char *database)
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
