/* The redirected system calls, on files and folders in memory. */
#include "tests/simulation/sim_fs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/simulation/sim_file.h"

#define NAME 40 /* bytes of a file's name, its NUL too */
#define FIRST_FD (1 << 20)
#define FDS_MAX 16
#define TARGETS_MAX 8
#define NOTHING (-1)

/* A file or a folder.  Number 0 is SIM_FS_FOLDER. */
struct node {
	bool folder;
	struct sim_file bytes;
};

/* A name in a folder, with the nodes that it has had since the folder was synced: the
 * disk holds the first, the system shows the last. */
struct name {
	int folder;
	char text[NAME];
	int targets[TARGETS_MAX];
	int count;
};

struct descriptor {
	bool open;
	int node;
	size_t at;
};

static struct {
	struct node *nodes;
	int node_count, node_room;
	struct name *names;
	int name_count, name_room;
	struct descriptor fds[FDS_MAX];
	struct prng prng;
	int fuse;
	bool blown, full;
} fs;

/* ---- nodes and names ---- */

static void *grow(void *array, int count, int *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? 2 * *room : 32;
	array = realloc(array, (size_t)*room * size);
	if (!array)
		abort();
	return array;
}

static int node_make(bool folder)
{
	struct node *node;
	int room = fs.node_room;

	fs.nodes = grow(fs.nodes, fs.node_count, &fs.node_room, sizeof(*node));
	if (fs.node_room != room) /* the memory of old nodes is reused */
		memset(fs.nodes + room, 0, (size_t)(fs.node_room - room) * sizeof(*node));
	node = &fs.nodes[fs.node_count];
	node->folder = folder;
	sim_file_empty(&node->bytes);
	return fs.node_count++;
}

static int *name_now(struct name *name)
{
	return &name->targets[name->count - 1];
}

static struct name *name_find(int folder, const char *text)
{
	for (int i = 0; i < fs.name_count; i++)
		if (fs.names[i].folder == folder && !strcmp(fs.names[i].text, text))
			return &fs.names[i];
	return NULL;
}

/* The current node of a name, or NOTHING. */
static int look_up(int folder, const char *text)
{
	struct name *name = name_find(folder, text);

	return name ? *name_now(name) : NOTHING;
}

static void point(int folder, const char *text, int node)
{
	struct name *name = name_find(folder, text);

	if (!name) {
		fs.names = grow(fs.names, fs.name_count, &fs.name_room, sizeof(*name));
		name = &fs.names[fs.name_count++];
		*name = (struct name){.folder = folder, .targets = {NOTHING}, .count = 1};
		if (strlen(text) >= NAME)
			abort(); /* the simulated photos have short names */
		snprintf(name->text, NAME, "%s", text);
	}
	/* With too many of them drop the second: it may never have reached the disk. */
	if (name->count == TARGETS_MAX)
		memmove(name->targets + 1, name->targets + 2,
			(size_t)(--name->count - 1) * sizeof(int));
	name->targets[name->count++] = node;
}

static void folder_sync(int folder)
{
	for (int i = 0; i < fs.name_count; i++) {
		struct name *name = &fs.names[i];

		if (name->folder != folder)
			continue;
		name->targets[0] = *name_now(name);
		name->count = 1;
	}
}

/* ---- power ---- */

void sim_fs_format(uint64_t seed)
{
	fs.node_count = 0;
	fs.name_count = 0;
	memset(fs.fds, 0, sizeof(fs.fds));
	fs.prng = prng_seeded(seed);
	fs.fuse = -1;
	fs.blown = false;
	fs.full = false;
	node_make(true);
}

void sim_fs_cut_power_after(int calls)
{
	fs.fuse = calls;
}

bool sim_fs_power_lost(void)
{
	return fs.blown;
}

void sim_fs_set_full(bool full)
{
	fs.full = full;
}

void sim_fs_power_cut(struct prng *prng)
{
	enum power_cut_loss names =
		(enum power_cut_loss)prng_below(prng, POWER_CUT_LOSSES);

	for (int i = 0; i < fs.name_count; i++) {
		struct name *name = &fs.names[i];
		int kept = names == LOSE_ALL	? 0
			   : names == LOSE_NONE ? name->count - 1
						: prng_below(prng, name->count);

		name->targets[0] = name->targets[kept];
		name->count = 1;
	}
	for (int i = 0; i < fs.node_count; i++)
		if (!fs.nodes[i].folder)
			sim_file_power_cut(
				&fs.nodes[i].bytes, prng,
				(enum power_cut_loss)prng_below(prng, POWER_CUT_LOSSES));
	memset(fs.fds, 0, sizeof(fs.fds));
	fs.fuse = -1;
	fs.blown = false;
}

static int fail(int number)
{
	errno = number;
	return -1;
}

/* Called before each change: whether there is power.  Sets errno. */
static bool powered(void)
{
	if (fs.fuse == 0)
		fs.blown = true;
	if (fs.fuse >= 0)
		fs.fuse--;
	return !fs.blown || fail(EIO) == 0;
}

/* ---- descriptors ---- */

static struct descriptor *descriptor(int fd)
{
	bool ours = fd >= FIRST_FD && fd < FIRST_FD + FDS_MAX;

	return ours && fs.fds[fd - FIRST_FD].open ? &fs.fds[fd - FIRST_FD] : NULL;
}

static struct node *node_of(const struct descriptor *d)
{
	return &fs.nodes[d->node];
}

static int fd_make(int node)
{
	for (int i = 0; i < FDS_MAX; i++) {
		if (fs.fds[i].open)
			continue;
		fs.fds[i] = (struct descriptor){.open = true, .node = node};
		return FIRST_FD + i;
	}
	return fail(EMFILE);
}

static int open_in(int folder, const char *name, int flags)
{
	int node = look_up(folder, name);

	if (node != NOTHING && (flags & O_EXCL))
		return fail(EEXIST);
	if (node == NOTHING && !(flags & O_CREAT))
		return fail(ENOENT);
	if (node == NOTHING) {
		if (!powered())
			return -1;
		node = node_make(false);
		point(folder, name, node);
	}
	if ((flags & O_DIRECTORY) && !fs.nodes[node].folder)
		return fail(ENOTDIR);
	return fd_make(node);
}

/* Follows a path from folder to its last part; NOTHING when a folder is missing. */
static int walk(int folder, const char *path, char last[NAME])
{
	for (;;) {
		size_t length = strcspn(path, "/");

		snprintf(last, NAME, "%.*s", (int)length, path);
		if (!path[length])
			return folder;
		folder = look_up(folder, last);
		if (folder == NOTHING)
			return NOTHING;
		path += length + 1;
	}
}

static int open_path(int folder, const char *path, int flags)
{
	char last[NAME];

	folder = walk(folder, path, last);
	if (folder == NOTHING)
		return fail(ENOENT);
	return strcmp(last, ".") != 0 ? open_in(folder, last, flags) : fd_make(folder);
}

/* ---- redirected system calls ---- */

int __real_open(const char *path, int flags, ...);
int __real_openat(int fd, const char *path, int flags, ...);
int __real_mkdir(const char *path, mode_t mode);
int __real_mkdirat(int fd, const char *path, mode_t mode);
char *__real_realpath(const char *path, char *resolved);
int __real_close(int fd);
ssize_t __real_read(int fd, void *bytes, size_t n);
ssize_t __real_write(int fd, const void *bytes, size_t n);
int __real_fsync(int fd);
int __real_fstat(int fd, struct stat *st);
int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __real_unlinkat(int fd, const char *path, int flags);
long __real_syscall(long number, ...);

static bool is_here(const char *path)
{
	return !strcmp(path, SIM_FS_FOLDER);
}

int __wrap_open(const char *path, int flags, mode_t mode)
{
	return is_here(path) ? fd_make(0) : __real_open(path, flags, mode);
}

int __wrap_openat(int fd, const char *path, int flags, mode_t mode)
{
	const struct descriptor *d = descriptor(fd);

	return d ? open_in(d->node, path, flags) : __real_openat(fd, path, flags, mode);
}

/* Only openat2() is called this way. */
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	const struct descriptor *top = number == SYS_openat2 ? descriptor((int)a) : NULL;
	const struct open_how *how;

	if (!top)
		return __real_syscall(number, a, b, c, d, e, f);
	how = (const struct open_how *)(uintptr_t)c;
	return open_path(top->node, (const char *)(uintptr_t)b, (int)how->flags);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	return is_here(path) ? fail(EEXIST) : __real_mkdir(path, mode);
}

int __wrap_mkdirat(int fd, const char *path, mode_t mode)
{
	const struct descriptor *d = descriptor(fd);

	if (!d)
		return __real_mkdirat(fd, path, mode);
	if (look_up(d->node, path) != NOTHING)
		return fail(EEXIST);
	if (!powered())
		return -1;
	point(d->node, path, node_make(true));
	return 0;
}

char *__wrap_realpath(const char *path, char *resolved)
{
	return is_here(path) ? strdup(path) : __real_realpath(path, resolved);
}

int __wrap_close(int fd)
{
	struct descriptor *d = descriptor(fd);

	if (!d)
		return __real_close(fd);
	d->open = false;
	return 0;
}

ssize_t __wrap_read(int fd, void *bytes, size_t n)
{
	struct descriptor *d = descriptor(fd);
	const struct content *content;

	if (!d)
		return __real_read(fd, bytes, n);
	content = &node_of(d)->bytes.now;
	if (n > content->size - d->at)
		n = content->size - d->at;
	if (n)
		memcpy(bytes, content->bytes + d->at, n);
	d->at += n;
	return (ssize_t)n;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
	struct descriptor *d = descriptor(fd);
	int lot;

	if (!d)
		return __real_write(fd, bytes, n);
	if (!powered())
		return -1;
	lot = prng_below(&fs.prng, 40);
	if (lot == 0)
		return fail(EINTR);
	if (fs.full && (lot < 20 || n < 2))
		return fail(ENOSPC);
	if ((lot < 4 || fs.full) && n > 1)
		n /= 2;
	sim_file_write(&node_of(d)->bytes, bytes, n, d->at);
	d->at += n;
	return (ssize_t)n;
}

int __wrap_fsync(int fd)
{
	const struct descriptor *d = descriptor(fd);

	if (!d)
		return __real_fsync(fd);
	if (!powered())
		return -1;
	if (node_of(d)->folder) {
		folder_sync(d->node);
		return 0;
	}
	if (prng_below(&fs.prng, 50) == 0) {
		sim_file_forget(&node_of(d)->bytes);
		return fail(EIO);
	}
	sim_file_sync(&node_of(d)->bytes);
	return 0;
}

int __wrap_fstat(int fd, struct stat *st)
{
	const struct descriptor *d = descriptor(fd);

	if (!d)
		return __real_fstat(fd, st);
	memset(st, 0, sizeof(*st));
	st->st_mode = node_of(d)->folder ? S_IFDIR | 0755 : S_IFREG | 0644;
	st->st_size = (off_t)node_of(d)->bytes.now.size;
	return 0;
}

int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	const struct descriptor *old = descriptor(from_fd), *new = descriptor(to_fd);
	int node;

	if (!old || !new)
		return __real_renameat(from_fd, from, to_fd, to);
	node = look_up(old->node, from);
	if (node == NOTHING)
		return fail(ENOENT);
	if (!powered())
		return -1;
	point(new->node, to, node);
	point(old->node, from, NOTHING);
	return 0;
}

int __wrap_unlinkat(int fd, const char *path, int flags)
{
	const struct descriptor *d = descriptor(fd);

	if (!d)
		return __real_unlinkat(fd, path, flags);
	if (look_up(d->node, path) == NOTHING)
		return fail(ENOENT);
	if (!powered())
		return -1;
	point(d->node, path, NOTHING);
	return 0;
}
