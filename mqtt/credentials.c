#include "mqtt/credentials.h"

#include <errno.h>
#include <string.h>

#include "agent/base/secret_file.h"

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
		return secret_file_read(&login->password, password_file, "password", err);
	return 0;
}

void login_clear(struct login *login)
{
	secret_file_free(login->password);
	login->password = NULL;
}
