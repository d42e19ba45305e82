/* The VFS that gives SQLite files in memory. */
#include "tests/simulation/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "tests/simulation/sim_file.h"
#include "tests/simulation/trace.h"

#define FILES_MAX 12
#define RESERVE_BYTES 100000

struct file {
	char path[64];
	bool exists, durably; /* whether it exists, now and after a power cut */
	struct sim_file bytes;
};

/* SQLite's handle of a file; it is dead once the process that opened it is. */
struct handle {
	sqlite3_file base;
	struct file *file;
	uint32_t generation;
};

static struct {
	struct file files[FILES_MAX];
	struct content template;
	uint32_t generation;
	int fuse;
	bool blown;
	bool full;
	bool reserved; /* the reserve exists */
	size_t room; /* bytes that a full disk still takes: a reserve that was released */
	uint64_t random;
} disk;

/* ---- files ---- */

static struct file *file_find(const char *path)
{
	for (size_t i = 0; i < FILES_MAX; i++)
		if (disk.files[i].exists && !strcmp(disk.files[i].path, path))
			return &disk.files[i];
	return NULL;
}

static struct file *file_make(const char *path)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		struct file *file = &disk.files[i];

		if (file->exists)
			continue;
		sim_file_empty(&file->bytes);
		file->durably = false;
		snprintf(file->path, sizeof(file->path), "%s", path);
		file->exists = true;
		return file;
	}
	abort(); /* SQLite uses three files for a database */
}

/* ---- power cuts ---- */

static void file_power_cut(struct file *file, struct prng *prng)
{
	enum power_cut_loss power_cut_loss =
		(enum power_cut_loss)prng_below(prng, POWER_CUT_LOSSES);

	sim_file_power_cut(&file->bytes, prng, power_cut_loss);
	if (!file->durably && power_cut_loss == LOSE_ALL)
		file->exists = false;
	file->durably = true;
}

void disk_kill(void)
{
	disk.generation++;
}

void disk_cut_power_after(int calls)
{
	disk.fuse = calls;
}

bool disk_power_lost(void)
{
	return disk.blown;
}

static bool is_agents(const struct file *file)
{
	return !strncmp(file->path, DISK_FOLDER, strlen(DISK_FOLDER));
}

/* Called before each change: whether there is power.  The copy is not affected. */
static bool powered(const struct file *file)
{
	if (!is_agents(file))
		return true;
	if (disk.fuse == 0)
		disk.blown = true;
	if (disk.fuse >= 0)
		disk.fuse--;
	return !disk.blown;
}

void disk_power_cut(struct prng *prng)
{
	disk_kill();
	disk.fuse = -1;
	disk.blown = false;
	for (size_t i = 0; i < FILES_MAX; i++)
		if (disk.files[i].exists)
			file_power_cut(&disk.files[i], prng);
}

void disk_set_full(bool full)
{
	disk.full = full;
	disk.room = 0;
}

static bool acquire(void *context)
{
	(void)context;
	disk.reserved |= !disk.full;
	return disk.reserved;
}

static void release(void *context)
{
	(void)context;
	if (disk.reserved)
		disk.room = RESERVE_BYTES;
	disk.reserved = false;
}

struct disk_reserve disk_reserve(void)
{
	return (struct disk_reserve){.acquire = acquire, .release = release};
}

bool disk_full(void)
{
	return disk.full;
}

/* ---- formatting and copies ---- */

static uint64_t disk_random(void)
{
	disk.random = disk.random * 6364136223846793005u + 1442695040888963407u;
	return disk.random >> 33;
}

void disk_format(uint64_t seed, bool from_template)
{
	for (size_t i = 0; i < FILES_MAX; i++)
		disk.files[i].exists = false;
	disk.fuse = -1;
	disk.blown = false;
	disk.full = false;
	disk.reserved = false;
	disk.random = seed;
	sqlite3_randomness(0, NULL); /* makes SQLite ask for a new seed */
	if (from_template) {
		struct file *file = file_make(DISK_FOLDER "/agent.sqlite");

		content_copy(&file->bytes.now, &disk.template);
		content_copy(&file->bytes.synced, &disk.template);
		file->durably = true;
	}
}

void disk_keep_template(void)
{
	const struct file *file = file_find(DISK_FOLDER "/agent.sqlite");

	content_copy(&disk.template, &file->bytes.now);
}

static void file_copy(const char *name)
{
	char from[64], to[64];
	struct file *source, *copy;

	snprintf(from, sizeof(from), DISK_FOLDER "/%s", name);
	snprintf(to, sizeof(to), DISK_COPY_FOLDER "/%s", name);
	copy = file_find(to);
	if (copy)
		copy->exists = false;
	source = file_find(from);
	if (!source || !source->durably)
		return;
	copy = file_make(to);
	content_copy(&copy->bytes.now, &source->bytes.synced);
	content_copy(&copy->bytes.synced, &source->bytes.synced);
	copy->durably = true;
}

void disk_copy(void)
{
	file_copy("agent.sqlite");
	file_copy("agent.sqlite-wal");
}

int64_t disk_bytes(void)
{
	size_t bytes = 0;

	for (size_t i = 0; i < FILES_MAX; i++)
		if (disk.files[i].exists && is_agents(&disk.files[i]))
			bytes += disk.files[i].bytes.synced.size;
	return (int64_t)bytes;
}

/* ---- the VFS ---- */

static struct handle *handle_of(sqlite3_file *base)
{
	return (struct handle *)base;
}

static bool handle_dead(const struct handle *handle)
{
	return handle->generation != disk.generation;
}

static int vfs_close(sqlite3_file *base)
{
	(void)base;
	return SQLITE_OK;
}

static int vfs_read(sqlite3_file *base, void *bytes, int n, sqlite3_int64 at)
{
	const struct content *content = &handle_of(base)->file->bytes.now;
	size_t from = (size_t)at, length = (size_t)n;
	size_t there = from < content->size ? content->size - from : 0;

	if (handle_dead(handle_of(base)))
		return SQLITE_IOERR;
	if (there >= length) {
		memcpy(bytes, content->bytes + from, length);
		return SQLITE_OK;
	}
	if (there)
		memcpy(bytes, content->bytes + from, there);
	memset((char *)bytes + there, 0, length - there);
	return SQLITE_IOERR_SHORT_READ;
}

static int vfs_write(sqlite3_file *base, const void *bytes, int n, sqlite3_int64 at)
{
	struct handle *handle = handle_of(base);
	size_t size = handle->file->bytes.now.size;
	size_t growth = (size_t)(at + n) > size ? (size_t)(at + n) - size : 0;

	if (handle_dead(handle) || !powered(handle->file))
		return SQLITE_IOERR;
	if (disk.full && growth > disk.room)
		return SQLITE_FULL;
	disk.room -= disk.full ? growth : 0;
	sim_file_write(&handle->file->bytes, bytes, (size_t)n, (size_t)at);
	return SQLITE_OK;
}

static int vfs_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	struct handle *handle = handle_of(base);

	if (handle_dead(handle) || !powered(handle->file))
		return SQLITE_IOERR;
	sim_file_resize(&handle->file->bytes, (size_t)size);
	return SQLITE_OK;
}

static int vfs_sync(sqlite3_file *base, int flags)
{
	struct handle *handle = handle_of(base);

	(void)flags;
	if (handle_dead(handle) || !powered(handle->file))
		return SQLITE_IOERR;
	sim_file_sync(&handle->file->bytes);
	handle->file->durably = true;
	return SQLITE_OK;
}

static int vfs_size(sqlite3_file *base, sqlite3_int64 *size)
{
	*size = (sqlite3_int64)handle_of(base)->file->bytes.now.size;
	return SQLITE_OK;
}

static int vfs_lock(sqlite3_file *base, int level)
{
	(void)base;
	(void)level;
	return SQLITE_OK;
}

static int vfs_is_locked(sqlite3_file *base, int *locked)
{
	(void)base;
	*locked = 0;
	return SQLITE_OK;
}

static int vfs_control(sqlite3_file *base, int what, void *arg)
{
	(void)base;
	(void)what;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int vfs_sector(sqlite3_file *base)
{
	(void)base;
	return SECTOR;
}

/* Promises nothing, not even that a torn write leaves neighbouring bytes alone. */
static int vfs_characteristics(sqlite3_file *base)
{
	(void)base;
	return 0;
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = vfs_close,
	.xRead = vfs_read,
	.xWrite = vfs_write,
	.xTruncate = vfs_truncate,
	.xSync = vfs_sync,
	.xFileSize = vfs_size,
	.xLock = vfs_lock,
	.xUnlock = vfs_lock,
	.xCheckReservedLock = vfs_is_locked,
	.xFileControl = vfs_control,
	.xSectorSize = vfs_sector,
	.xDeviceCharacteristics = vfs_characteristics,
};

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags,
		    int *given)
{
	struct handle *handle = handle_of(base);

	(void)vfs;
	base->pMethods = NULL;
	handle->file = path ? file_find(path) : NULL;
	if (!handle->file && (!path || !(flags & SQLITE_OPEN_CREATE)))
		return SQLITE_CANTOPEN;
	if (!handle->file)
		handle->file = file_make(path);
	handle->generation = disk.generation;
	base->pMethods = &methods;
	if (given)
		*given = flags;
	return SQLITE_OK;
}

/* Only the running process deletes files (when it closes the database), and deletions are
 * durable. */
static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
	struct file *file = file_find(path);

	(void)vfs;
	(void)sync_folder;
	if (!file)
		return SQLITE_IOERR_DELETE_NOENT;
	if (!powered(file))
		return SQLITE_IOERR;
	file->exists = false;
	return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *answer)
{
	(void)vfs;
	(void)flags;
	*answer = file_find(path) != NULL;
	return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int size, char *full)
{
	(void)vfs;
	snprintf(full, (size_t)size, "%s", path);
	return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *vfs, int n, char *bytes)
{
	(void)vfs;
	for (int i = 0; i < n; i++)
		bytes[i] = (char)disk_random();
	return n;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
	(void)vfs;
	return microseconds;
}

static int vfs_time(sqlite3_vfs *vfs, double *julian_day)
{
	(void)vfs;
	violation("the agent asks SQLite for the time");
	*julian_day = 2460000;
	return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *text)
{
	(void)vfs;
	if (size)
		text[0] = '\0';
	return 0;
}

void disk_register(void)
{
	static sqlite3_vfs vfs = {
		.iVersion = 1,
		.szOsFile = sizeof(struct handle),
		.mxPathname = 512,
		.zName = "simulated",
		.xOpen = vfs_open,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_full_path,
		.xRandomness = vfs_randomness,
		.xSleep = vfs_sleep,
		.xCurrentTime = vfs_time,
		.xGetLastError = vfs_last_error,
	};

	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_vfs_register(&vfs, 1);
}
