#include "mqtt/login.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSWORD_MAX 1024

static int check_owner(const struct stat *file, const char *path, struct err *err)
{
	if (!S_ISREG(file->st_mode))
		return err_set(err, -EACCES, "%s: a password must be in a plain file",
			       path);
	if (file->st_uid != 0 && file->st_uid != geteuid())
		return err_set(err, -EACCES,
			       "%s: a password file must belong to root or to the "
			       "agent's user",
			       path);
	if (file->st_mode & (S_IRWXG | S_IRWXO))
		return err_set(err, -EACCES,
			       "%s: a password file must be for its owner alone: mode "
			       "0600, not %04o",
			       path, (unsigned)file->st_mode & 07777);
	return 0;
}

/* The first line of fd, with room for one byte more than a password may have. */
static int read_line(int fd, char line[PASSWORD_MAX + 2])
{
	size_t used = 0;
	ssize_t n = 1;

	while (n > 0 && used < PASSWORD_MAX + 1) {
		n = read(fd, line + used, PASSWORD_MAX + 1 - used);
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

static int take_password(struct login *login, int fd, const char *path, struct err *err)
{
	char line[PASSWORD_MAX + 2];
	int ret = read_line(fd, line);

	if (ret < 0)
		err_set(err, ret, "%s: %s", path, strerror(-ret));
	else if (!*line)
		ret = err_set(err, -EINVAL, "%s: the password file is empty", path);
	else if (strlen(line) > PASSWORD_MAX)
		ret = err_set(err, -EINVAL,
			      "%s: a password must be at most %d bytes long", path,
			      PASSWORD_MAX);
	else if (!(login->password = strdup(line)))
		ret = err_set(err, -ENOMEM, "out of memory");
	explicit_bzero(line, sizeof(line));
	return ret;
}

static int read_file(struct login *login, const char *path, struct err *err)
{
	/* Not to be held up by a pipe that somebody put there. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat file;
	int ret;

	if (fd < 0 || fstat(fd, &file) < 0)
		ret = err_set(err, -errno, "%s: %s", path, strerror(errno));
	else
		ret = check_owner(&file, path, err);
	if (ret == 0)
		ret = take_password(login, fd, path, err);
	if (fd >= 0)
		close(fd);
	return ret;
}

int login_read(struct login *login, const struct url *url, const char *user,
	       const char *password_file, struct err *err)
{
	*login = (struct login){.user = NULL};
	if (url->has_user)
		login->user = url->user;
	else if (user && *user)
		login->user = user;

	if (url->has_password) {
		login->password = strdup(url->password);
		return login->password ? 0 : err_set(err, -ENOMEM, "out of memory");
	}
	if (password_file && *password_file)
		return read_file(login, password_file, err);
	return 0;
}

void login_clear(struct login *login)
{
	if (login->password)
		explicit_bzero(login->password, strlen(login->password));
	free(login->password);
	login->password = NULL;
}
