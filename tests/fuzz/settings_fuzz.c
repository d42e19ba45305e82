/* Fuzzes settings.  Input: the user's file, NUL, the agent's file, NUL, the part of the
 * broker's address after the password, NUL, changes. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/json.h"
#include "settings/settings.h"

#define SECRET "kept-for-us"

static char url[4096];

static const char *environment(const char *name)
{
	if (!strcmp(name, "OPENSCAN_STATE_DIR"))
		return fuzz_folder();
	return !strcmp(name, "OPENSCAN_MQTT_URL") ? url : NULL;
}

static int load(struct settings **settings, const char *file)
{
	const struct settings_source source = {file, "/nowhere", environment};
	struct err err = {.number = 0};
	int ret = settings_load(settings, &source, &err);

	if (ret < 0) {
		must_be_told(&err, false);
		must(!strstr(err.text, SECRET), "a refusal tells no password");
	}
	return ret;
}

static char *values_of(const struct settings *settings)
{
	cJSON *values = settings_values(settings);
	char *text = json_text(values);

	must(!strstr(text, SECRET), "values are published without their secrets");
	cJSON_Delete(values);
	return text;
}

/* All changes are made or none, and what was written is read back. */
static void change(struct settings *settings, const char *file, const char *text)
{
	cJSON *changes = json_parse(text, strlen(text), NULL);
	char *before = values_of(settings), *after, *read;
	struct settings *again;
	struct err err = {.number = 0};
	int ret = changes ? settings_set(settings, changes, &err) : 0;

	after = values_of(settings);
	if (ret < 0) {
		must_be_told(&err, true);
		must(!strcmp(before, after), "a change that is refused changes nothing");
	}
	must(load(&again, file) == 0, "settings that were changed can be loaded");
	read = values_of(again);
	must(!strcmp(after, read),
	     "settings that were changed are read as they were set");
	settings_free(again);
	free(read);
	free(after);
	free(before);
	cJSON_Delete(changes);
}

static void try_settings(const char *file, const char *changes)
{
	struct settings *settings;
	const cJSON *problem;

	if (load(&settings, file) < 0)
		return;
	cJSON_ArrayForEach(problem, settings_problems(settings))
		must(!strstr(problem->valuestring, SECRET),
		     "a problem tells no password");
	change(settings, file, changes);
	settings_free(settings);
}

/* An unreadable file of an earlier input was moved aside. */
static void clean(void)
{
	char path[512];

	for (int n = 1; n < 4; n++) {
		snprintf(path, sizeof(path), "%s/settings.json.damaged-%d", fuzz_folder(),
			 n);
		unlink(path);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes, size};
	size_t user_size, own_size;
	char *user = input_part(&input, &user_size), *own = input_part(&input, &own_size);
	char *host = input_part(&input, NULL), *changes = input_part(&input, NULL);
	char file[512];

	if (!strstr(user, SECRET) && !strstr(own, SECRET) && !strstr(host, SECRET) &&
	    !strstr(changes, SECRET)) {
		url[0] = '\0';
		if (host[0])
			snprintf(url, sizeof(url), "mqtt://me:" SECRET "@%s", host);
		clean();
		fuzz_file("settings.json", own, own_size);
		snprintf(file, sizeof(file), "%s",
			 fuzz_file("agent.json", user, user_size));
		try_settings(file, changes);
	}
	free(changes);
	free(host);
	free(own);
	free(user);
	return 0;
}
