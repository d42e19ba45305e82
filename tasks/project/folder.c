/* File access below a folder, with openat2() and atomic replacement. */
#include "tasks/project/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/file.h"
#include "agent/base/json.h"

#define PATH_SIZE 1024
#define COPY_PIECE (1u << 20)
#define MAX_JSON (4 << 20) /* far larger than any scan.json */
#define MAX_DEPTH 32	   /* of a tree to be measured or removed */

struct folder {
	int fd;
	char *path;
};

static int refuse(struct err *err, int number, const char *path)
{
	if (number == -ENOENT || number == -ENOTDIR)
		return err_code(err, -ENOENT, "not_found", "%s does not exist", path);
	if (number == -EXDEV || number == -ELOOP || number == -ENAMETOOLONG)
		return err_code(err, -EINVAL, "invalid_args",
				"%s is not a path inside this folder", path);
	if (number == -EEXIST)
		return err_code(err, number, "id_conflict", "%s exists already", path);
	if (number == -ENOSPC || number == -EDQUOT)
		return err_code(err, number, "storage_full",
				"%s: the disk is full: make room, then try it again",
				path);
	return err_code(err, number, "storage_error", "%s: %s", path, strerror(-number));
}

/* For kernels before 5.6 and sandboxes that forbid openat2(). */
static int open_by_parts(int top, const char *path, int flags, mode_t mode)
{
	char copy[PATH_SIZE], *rest = copy, *part, *next;
	int at = top, fd = -ENOENT;

	snprintf(copy, sizeof(copy), "%s", path);
	if (*path == '/')
		return -EXDEV;
	for (part = strtok_r(copy, "/", &rest); part; part = next) {
		next = strtok_r(NULL, "/", &rest);
		if (!strcmp(part, ".."))
			fd = -EXDEV;
		else if (next)
			fd = openat(at, part,
				    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		else
			fd = openat(at, part, flags | O_NOFOLLOW | O_CLOEXEC, mode);
		if (fd == -1)
			fd = -errno;
		if (at != top)
			close(at);
		if (fd < 0)
			return fd;
		at = fd;
	}
	return fd;
}

/* A descriptor or a negative errno. */
static int open_beneath(int top, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	if (strlen(path) >= PATH_SIZE)
		return -ENAMETOOLONG;
	fd = syscall(SYS_openat2, top, path, &how, sizeof(how));
	if (fd >= 0)
		return (int)fd;
	if (errno != ENOSYS && errno != EPERM)
		return -errno;
	return open_by_parts(top, path, flags, mode);
}

/* Opens the folder of path's last component, to which *name points. */
static int open_parent(const struct folder *folder, const char *path, const char **name)
{
	char parent[PATH_SIZE];
	const char *slash = strrchr(path, '/');

	*name = slash ? slash + 1 : path;
	if (!**name || !strcmp(*name, ".") || !strcmp(*name, ".."))
		return -EXDEV;
	if (!slash)
		return open_beneath(folder->fd, ".", O_RDONLY | O_DIRECTORY, 0);
	if (slash == path || (size_t)(slash - path) >= sizeof(parent))
		return -EXDEV;
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	return open_beneath(folder->fd, parent, O_RDONLY | O_DIRECTORY, 0);
}

static int make_with_parents(const char *path)
{
	char copy[PATH_SIZE];

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return -ENAMETOOLONG;
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0777) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(copy, 0777) < 0 && errno != EEXIST ? -errno : 0;
}

int folder_open(struct folder **out, const char *path, struct err *err)
{
	struct folder *folder = calloc(1, sizeof(*folder));
	int ret;

	if (!folder)
		return err_set(err, -ENOMEM, "out of memory");
	folder->fd = -1;
	ret = *path ? make_with_parents(path) : -ENOENT;
	if (ret < 0)
		goto fail;
	folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	folder->path = realpath(path, NULL);
	if (folder->fd < 0 || !folder->path) {
		ret = -errno;
		goto fail;
	}

	*out = folder;
	return 0;
fail:
	folder_close(folder);
	return err_code(err, ret, "storage_error", "%s: %s", path, strerror(-ret));
}

void folder_close(struct folder *folder)
{
	if (!folder)
		return;
	if (folder->fd >= 0)
		close(folder->fd);
	free(folder->path);
	free(folder);
}

const char *folder_path(const struct folder *folder)
{
	return folder->path;
}

int64_t folder_bytes_free(const struct folder *folder)
{
	struct statvfs disk;

	if (fstatvfs(folder->fd, &disk) < 0)
		return 0;
	return (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
}

int folder_make(const struct folder *folder, const char *path, struct err *err)
{
	const char *name;
	int parent = open_parent(folder, path, &name), ret = 0;

	if (parent < 0)
		return refuse(err, parent, path);
	if (mkdirat(parent, name, 0777) < 0 || fsync(parent) < 0)
		ret = refuse(err, -errno, path);
	close(parent);
	return ret;
}

int folder_make_all(const struct folder *folder, const char *path, struct err *err)
{
	char part[PATH_SIZE];
	size_t length = strlen(path);

	if (length >= sizeof(part))
		return refuse(err, -ENAMETOOLONG, path);
	for (size_t i = 1; i <= length; i++) {
		int ret;

		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		ret = folder_make(folder, part, err);
		if (ret < 0 && ret != -EEXIST)
			return ret;
	}
	return 0;
}

int folder_write(const struct folder *folder, const char *path, const void *bytes,
		 size_t size, struct err *err)
{
	const char *name;
	int parent = open_parent(folder, path, &name), ret;

	if (parent < 0)
		return refuse(err, parent, path);
	ret = file_replace_at(parent, name, bytes, size, 0666);
	close(parent);
	return ret < 0 ? refuse(err, ret, path) : 0;
}

int folder_write_json(const struct folder *folder, const char *path, const cJSON *value,
		      struct err *err)
{
	char *text = cJSON_Print(value);
	int ret;

	if (!text)
		return err_set(err, -ENOMEM, "out of memory");
	ret = folder_write(folder, path, text, strlen(text), err);
	cJSON_free(text);
	return ret;
}

static int read_all(int fd, char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = read(fd, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno
				     : -EIO; /* the file shrank while it was read */
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Opens a regular file and its stat.  O_NONBLOCK: a pipe in its place must not block us.
 */
static int open_regular(const struct folder *folder, const char *path, int flags,
			struct stat *st)
{
	int fd = open_beneath(folder->fd, path, flags | O_NONBLOCK,
			      (flags & O_CREAT) ? 0666 : 0);

	if (fd < 0)
		return fd;
	if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode)) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

static int open_file(const struct folder *folder, const char *path, struct stat *st)
{
	return open_regular(folder, path, O_RDONLY, st);
}

int folder_open_file(const struct folder *folder, const char *path, int flags,
		     struct err *err)
{
	struct stat st;
	int fd = open_regular(folder, path, flags, &st);

	return fd < 0 ? refuse(err, fd, path) : fd;
}

int folder_read(const struct folder *folder, const char *path, size_t max, char **bytes,
		size_t *size, struct err *err)
{
	struct stat st;
	char *copy = NULL;
	int fd = open_file(folder, path, &st), ret;

	if (fd < 0)
		return refuse(err, fd, path);
	if ((size_t)st.st_size > max) {
		ret = err_code(err, -EFBIG, "storage_error",
			       "%s is larger than %zu bytes", path, max);
		goto done;
	}
	copy = malloc((size_t)st.st_size + 1);
	ret = copy ? read_all(fd, copy, (size_t)st.st_size) : -ENOMEM;
	if (ret < 0) {
		ret = refuse(err, ret, path);
		free(copy);
		goto done;
	}
	copy[st.st_size] = '\0';
	*bytes = copy;
	*size = (size_t)st.st_size;
done:
	close(fd);
	return ret;
}

/* ---- sharing ---- */

static bool is_same(const struct stat *a, const struct stat *b)
{
	if (a->st_dev == b->st_dev && a->st_ino == b->st_ino)
		return true;
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool is_there(const struct folder *folder, const char *path, const struct stat *st)
{
	struct stat there;
	int fd = open_file(folder, path, &there);

	if (fd < 0)
		return false;
	close(fd);
	return is_same(st, &there);
}

/* Copies in pieces, since a photo may be large; pread() starts at the beginning whatever
 * the file position is. */
static int copy_bytes(int from, int to)
{
	char *piece = malloc(COPY_PIECE);
	off_t offset = 0;
	int ret = piece ? 0 : -ENOMEM;

	while (ret == 0) {
		ssize_t n = pread(from, piece, COPY_PIECE, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			ret = -errno;
		if (n <= 0)
			break;
		offset += n;
		ret = file_write_all(to, piece, (size_t)n);
	}
	free(piece);
	return ret;
}

static int copy_new(int from, const struct stat *st, int parent, const char *temp)
{
	const struct timespec times[] = {st->st_mtim, st->st_mtim};
	int fd = openat(parent, temp,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	int ret;

	if (fd < 0)
		return -errno;
	ret = copy_bytes(from, fd);
	if (ret == 0 && (futimens(fd, times) < 0 || fsync(fd) < 0))
		ret = -errno;
	if (close(fd) < 0 && ret == 0)
		ret = -errno;
	return ret;
}

/* Not every file system has hard links, and none can link to another. */
static int link_or_copy(int from, const struct stat *st, int parent, const char *temp)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", from);
	unlinkat(parent, temp, 0); /* left behind by a crash */
	if (linkat(AT_FDCWD, self, parent, temp, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	return copy_new(from, st, parent, temp);
}

int folder_share(const struct folder *from, const char *path, const struct folder *to,
		 const char *to_path, struct err *err)
{
	char temp[FILE_TEMP_NAME];
	const char *name;
	struct stat st;
	int fd = open_file(from, path, &st), parent, ret;

	if (fd < 0)
		return refuse(err, fd, path);
	if (is_there(to, to_path, &st)) {
		close(fd);
		return 0;
	}
	parent = open_parent(to, to_path, &name);
	if (parent < 0) {
		close(fd);
		return refuse(err, parent, to_path);
	}
	file_temp_name(temp);
	ret = link_or_copy(fd, &st, parent, temp);
	ret = file_put_in_place(parent, temp, name, ret);
	close(parent);
	close(fd);
	return ret < 0 ? refuse(err, ret, to_path) : 1;
}

int folder_read_json(const struct folder *folder, const char *path, cJSON **out,
		     struct err *err)
{
	struct err why = {0};
	char *text = NULL;
	size_t size = 0;
	cJSON *value;
	int ret = folder_read(folder, path, MAX_JSON, &text, &size, err);

	if (ret < 0)
		return ret;
	value = json_parse(text, size, &why);
	free(text);
	if (!cJSON_IsObject(value)) {
		cJSON_Delete(value);
		return err_code(err, -EBADMSG, "bad_json", "%s is damaged: %s", path,
				why.text[0] ? why.text : "not a JSON object");
	}
	*out = value;
	return 0;
}

int64_t folder_file_size(const struct folder *folder, const char *path)
{
	struct stat st;
	int fd = open_file(folder, path, &st);

	if (fd < 0)
		return fd;
	close(fd);
	return st.st_size;
}

bool folder_read_at(const struct folder *folder, const char *path, int64_t offset,
		    void *bytes, size_t size)
{
	struct stat st;
	int fd = open_file(folder, path, &st);
	bool whole;

	if (fd < 0)
		return false;
	whole = offset >= 0 && lseek(fd, offset, SEEK_SET) == offset &&
		read_all(fd, bytes, size) == 0;
	close(fd);
	return whole;
}

bool folder_has(const struct folder *folder, const char *path)
{
	int fd = open_beneath(folder->fd, path, O_PATH | O_DIRECTORY, 0);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_folder(int fd, const char *name, bool *file)
{
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		*file = false;
		return false;
	}
	*file = S_ISREG(st.st_mode);
	return S_ISDIR(st.st_mode);
}

/* Takes over fd. */
static int collect_names(int fd, bool folders, char ***names, size_t *count)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int ret = 0;

	if (!dir) {
		ret = -errno;
		close(fd);
		return ret;
	}
	while ((entry = readdir(dir))) {
		char **grown;
		bool file;

		if (entry->d_name[0] == '.')
			continue;
		if (is_folder(fd, entry->d_name, &file) != folders || (!folders && !file))
			continue;
		grown = realloc(*names, (*count + 1) * sizeof(*grown));
		if (!grown) {
			ret = -ENOMEM;
			break;
		}
		*names = grown;
		grown[*count] = strdup(entry->d_name);
		if (!grown[*count]) {
			ret = -ENOMEM;
			break;
		}
		(*count)++;
	}
	closedir(dir);
	return ret;
}

int folder_names(const struct folder *folder, const char *path, bool folders, cJSON **out,
		 struct err *err)
{
	int fd = open_beneath(folder->fd, path, O_RDONLY | O_DIRECTORY, 0), ret;
	char **names = NULL;
	size_t count = 0;

	if (fd < 0)
		return refuse(err, fd, path);
	ret = collect_names(fd, folders, &names, &count);
	if (ret == 0 && count > 0)
		qsort(names, count, sizeof(*names), by_name);
	if (ret == 0) {
		*out = cJSON_CreateArray();
		for (size_t i = 0; i < count; i++)
			cJSON_AddItemToArray(*out, cJSON_CreateString(names[i]));
	}
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return ret < 0 ? refuse(err, ret, path) : 0;
}

/* Takes over fd. */
static int64_t tree_size(int fd, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int64_t sum = 0;

	if (!dir) {
		close(fd);
		return 0;
	}
	while ((entry = readdir(dir))) {
		struct stat st;
		int below;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISREG(st.st_mode))
			sum += st.st_size;
		if (!S_ISDIR(st.st_mode) || depth == MAX_DEPTH)
			continue;
		below = openat(fd, entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0)
			sum += tree_size(below, depth + 1);
	}
	closedir(dir);
	return sum;
}

int64_t folder_tree_size(const struct folder *folder, const char *path)
{
	int fd = open_beneath(folder->fd, path, O_RDONLY | O_DIRECTORY, 0);

	return fd < 0 ? 0 : tree_size(fd, 0);
}

/* Removes name below parent, file or folder. */
static int remove_below(int parent, const char *name, int depth)
{
	struct dirent *entry;
	DIR *dir;
	int fd, ret = 0;

	if (unlinkat(parent, name, 0) == 0)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		ret = -errno;
		close(fd);
		return ret;
	}
	while (ret == 0 && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		ret = depth == MAX_DEPTH ? -ELOOP
					 : remove_below(fd, entry->d_name, depth + 1);
	}
	closedir(dir);
	if (ret == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0)
		ret = -errno;
	return ret;
}

int folder_remove(const struct folder *folder, const char *path, struct err *err)
{
	const char *name;
	int parent = open_parent(folder, path, &name), ret;

	if (parent < 0)
		return refuse(err, parent, path);
	ret = remove_below(parent, name, 0);
	if (ret == 0 && fsync(parent) < 0)
		ret = -errno;
	close(parent);
	return ret < 0 ? refuse(err, ret, path) : 0;
}

/* Opens the parents of from and to; the caller closes both on success. */
static int open_both(const struct folder *folder, const char *from, const char *to,
		     int parents[2], const char *names[2], struct err *err)
{
	parents[0] = open_parent(folder, from, &names[0]);
	if (parents[0] < 0)
		return refuse(err, parents[0], from);
	parents[1] = open_parent(folder, to, &names[1]);
	if (parents[1] >= 0)
		return 0;
	close(parents[0]);
	return refuse(err, parents[1], to);
}

int folder_rename(const struct folder *folder, const char *from, const char *to,
		  struct err *err)
{
	const char *names[2] = {NULL, NULL};
	int parents[2] = {-1, -1}, ret = open_both(folder, from, to, parents, names, err);

	if (ret < 0)
		return ret;
	if (renameat2(parents[0], names[0], parents[1], names[1], RENAME_NOREPLACE) < 0 ||
	    fsync(parents[1]) < 0)
		ret = refuse(err, -errno, to);
	close(parents[1]);
	close(parents[0]);
	return ret;
}

/* The errors of a file system without RENAME_NOREPLACE and RENAME_EXCHANGE. */
static bool cannot_swap(int error)
{
	return error == EINVAL || error == ENOSYS;
}

/* Replaces names[1] by names[0]. */
static int exchange(const int parents[2], const char *const names[2])
{
	int ret;

	if (renameat2(parents[0], names[0], parents[1], names[1], RENAME_EXCHANGE) == 0)
		return remove_below(parents[0], names[0], 0);
	if (!cannot_swap(errno) ||
	    faccessat(parents[0], names[0], F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	ret = remove_below(parents[1], names[1], 0);
	if (ret < 0 && ret != -ENOENT)
		return ret;
	return renameat(parents[0], names[0], parents[1], names[1]) < 0 ? -errno : 0;
}

int folder_replace(const struct folder *folder, const char *from, const char *to,
		   struct err *err)
{
	const char *names[2] = {NULL, NULL};
	int parents[2] = {-1, -1}, ret = open_both(folder, from, to, parents, names, err);

	if (ret < 0)
		return ret;
	if (renameat2(parents[0], names[0], parents[1], names[1], RENAME_NOREPLACE) < 0)
		ret = errno == EEXIST || cannot_swap(errno) ? exchange(parents, names)
							    : -errno;
	if (ret == 0 && fsync(parents[1]) < 0)
		ret = -errno;
	close(parents[1]);
	close(parents[0]);
	return ret < 0 ? refuse(err, ret, to) : 0;
}

int folder_sync(const struct folder *folder, struct err *err)
{
	return syncfs(folder->fd) < 0 ? refuse(err, -errno, folder->path) : 0;
}
