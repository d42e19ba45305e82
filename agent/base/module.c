/* Finds, loads and checks modules. */
#include "agent/base/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/build_dir.h"

#define MODULE_NAME 32

static bool is_module_name(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return length > 0 && length < MODULE_NAME && name[length] == '\0';
}

static const char *module_folder(void)
{
	const char *folder = secure_getenv("OPENSCAN_MODULE_DIR");

	if (folder && folder[0] == '/')
		return folder;
	return build_dir_in_use() ? OPENSCAN_BUILD_DIR "/modules" : OPENSCAN_MODULE_DIR;
}

/* Fails with the text of dlerror(), which the next call would overwrite. */
static int module_fail(struct err *err, const char *name)
{
	const char *words = dlerror();

	return err_code(err, -ELIBACC, "not_supported",
			"the module %s cannot be used: %s", name,
			words ? words : "it is empty");
}

static int module_check(void *library, const char *name, struct err *err)
{
	const char *version = dlsym(library, "openscan_module_version");

	if (!version)
		return module_fail(err, name);
	if (strcmp(version, OPENSCAN_VERSION) != 0)
		return err_code(err, -ELIBACC, "not_supported",
				"the module %s is of version %s, this agent of %s: start "
				"the agent again after an update",
				name, version, OPENSCAN_VERSION);
	return 0;
}

static int module_open(void **library, const char *name, struct err *err)
{
	const char *folder = module_folder();
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s.so", folder, name) >= (int)sizeof(path))
		return err_set(err, -ENAMETOOLONG,
			       "the path of the module %s is too long", name);
	if (access(path, F_OK) != 0)
		return err_code(err, -ENOENT, "not_supported",
				"the module %s is not installed: there is no %s", name,
				path);
	*library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	return *library ? 0 : module_fail(err, name);
}

int module_load(const void **table, const char *name, struct err *err)
{
	char symbol[sizeof("module_") + MODULE_NAME];
	const void *found;
	void *library;
	int ret;

	if (!is_module_name(name))
		return err_code(err, -EINVAL, "invalid_args",
				"the name of a module is a word of a to z, 0 to 9 and _");
	ret = module_open(&library, name, err);
	if (ret < 0)
		return ret;
	ret = module_check(library, name, err);
	if (ret == 0) {
		snprintf(symbol, sizeof(symbol), "module_%s", name);
		found = dlsym(library, symbol);
		if (!found)
			ret = module_fail(err, name);
	}
	if (ret < 0) {
		dlclose(library);
		return ret;
	}
	*table = found; /* library is not closed: it stays loaded */
	return 0;
}
