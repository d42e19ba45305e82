/* Reads secrets from files that only their owner can read. */
#include "agent/base/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_owner(const struct stat *file, const char *path, const char *what,
		       struct err *err)
{
	if (!S_ISREG(file->st_mode))
		return err_set(err, -EACCES, "%s: a %s must be in a plain file", path,
			       what);
	if (file->st_uid != 0 && file->st_uid != geteuid())
		return err_set(err, -EACCES,
			       "%s: a %s file must belong to root or to the agent's user",
			       path, what);
	if (file->st_mode & (S_IRWXG | S_IRWXO))
		return err_set(
			err, -EACCES,
			"%s: a %s file must be for its owner alone: mode 0600, not "
			"%04o",
			path, what, (unsigned)file->st_mode & 07777);
	return 0;
}

/* Reads the first line of fd, up to one byte more than a secret may have. */
static int read_line(int fd, char line[SECRET_FILE_MAX + 2])
{
	size_t used = 0;
	ssize_t n = 1;

	while (n > 0 && used < SECRET_FILE_MAX + 1) {
		n = read(fd, line + used, SECRET_FILE_MAX + 1 - used);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			return -errno;
		else
			used += (size_t)n;
	}
	line[used] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	return 0;
}

static int take_line(char **out, int fd, const char *path, const char *what,
		     struct err *err)
{
	char line[SECRET_FILE_MAX + 2];
	int ret = read_line(fd, line);

	if (ret < 0)
		err_set(err, ret, "%s: %s", path, strerror(-ret));
	else if (!*line)
		ret = err_set(err, -EINVAL, "%s: the %s file is empty", path, what);
	else if (strlen(line) > SECRET_FILE_MAX)
		ret = err_set(err, -EINVAL, "%s: a %s must be at most %d bytes long",
			      path, what, SECRET_FILE_MAX);
	else if (!(*out = strdup(line)))
		ret = err_set(err, -ENOMEM, "out of memory");
	explicit_bzero(line, sizeof(line));
	return ret;
}

int secret_file_read(char **out, const char *path, const char *what, struct err *err)
{
	/* O_NONBLOCK: a pipe in its place must not block. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat file;
	int ret;

	if (fd < 0 || fstat(fd, &file) < 0)
		ret = err_set(err, -errno, "%s: %s", path, strerror(errno));
	else
		ret = check_owner(&file, path, what, err);
	if (ret == 0)
		ret = take_line(out, fd, path, what, err);
	if (fd >= 0)
		close(fd);
	return ret;
}

void secret_file_free(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}
