/* The command line: prints, checks the configuration, or runs the agent. */
#include "agent/process.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "hal/rig.h"
#include "mqtt/url.h"
#include "settings/settings.h"

static void print_usage(FILE *to)
{
	fputs("usage: openscan-agent [--config FILE] [--check-config] [--print-config] [--version]\n"
	      "\n"
	      "Drives a photogrammetry rig over MQTT.  mqtt/README.md describes topics, commands\n"
	      "and the environment variables that set it up.\n",
	      to);
}

static const char *environment(const char *name)
{
	return getenv(name);
}

/* /proc shows the environment of a running process to everybody of the same user. */
static void hide_password(void)
{
	char *url = getenv("OPENSCAN_MQTT_URL");

	if (url)
		url_hide_password(url);
}

static int print_config(const struct settings *settings)
{
	cJSON *values = settings_values(settings);
	char *text = cJSON_Print(values);

	puts(text);
	free(text);
	cJSON_Delete(values);
	return EXIT_SUCCESS;
}

/* Prints every device as the config defines it; returns the number of problems. */
static int describe_rig(struct rig *rig)
{
	const cJSON *problem;

	for (enum device_kind kind = 0; kind < DEVICE_KINDS; kind++) {
		for (size_t i = 0; i < rig_count(rig, kind); i++) {
			char text[512];

			rig_describe(rig, kind, i, text, sizeof(text));
			printf("  %s %s: %s\n", device_kind_name(kind),
			       rig_name(rig, kind, i), text);
		}
	}
	cJSON_ArrayForEach(problem, rig_problems(rig))
		printf("  WRONG: %s\n", problem->valuestring);
	return cJSON_GetArraySize(rig_problems(rig));
}

/* Prints what the device config defines; touches no hardware. */
static int check_device(const struct settings *settings)
{
	const struct rig_options options = {.sim_speed = 1, .dry = true};
	struct rig *rig = NULL;
	const cJSON *problem;
	cJSON *config = NULL;
	struct err err;
	int wrong;

	cJSON_ArrayForEach(problem, settings_problems(settings))
		fprintf(stderr, "%s\n", problem->valuestring);
	if (settings_device(settings, &config, &err) < 0 ||
	    rig_open(&rig, config, &options, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		cJSON_Delete(config);
		return EXIT_FAILURE;
	}
	printf("device config %s, %s rig:\n", settings_string(settings, "device_config"),
	       rig_backend(rig));
	wrong = describe_rig(rig);
	if (wrong)
		printf("what is wrong is left out; the rest works\n");
	else
		puts("the configuration is in order");
	rig_close(rig);
	cJSON_Delete(config);
	return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

enum { OPTION_CONFIG = 1, OPTION_CHECK, OPTION_PRINT, OPTION_VERSION, OPTION_HELP };

/* The options of the command line. */
struct request {
	const char *config_file;
	bool check, print;
};

/* Returns -1 to go on, else the exit code. */
static int read_command_line(struct request *request, int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, OPTION_CONFIG},
		{"check-config", no_argument, NULL, OPTION_CHECK},
		{"print-config", no_argument, NULL, OPTION_PRINT},
		{"version", no_argument, NULL, OPTION_VERSION},
		{"help", no_argument, NULL, OPTION_HELP},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == OPTION_CONFIG) {
			request->config_file = optarg;
		} else if (option == OPTION_CHECK) {
			request->check = true;
		} else if (option == OPTION_PRINT) {
			request->print = true;
		} else if (option == OPTION_VERSION) {
			puts("openscan-agent " OPENSCAN_VERSION);
			return EXIT_SUCCESS;
		} else {
			print_usage(option == OPTION_HELP ? stdout : stderr);
			return option == OPTION_HELP ? EXIT_SUCCESS : PROCESS_EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "%s: '%s' is no option\n", argv[0], argv[optind]);
		print_usage(stderr);
		return PROCESS_EXIT_USAGE;
	}
	return -1;
}

static int print_or_check(const struct request *request, const struct settings *settings)
{
	int ret = request->print ? print_config(settings) : EXIT_SUCCESS;

	return request->check ? check_device(settings) : ret;
}

int process_main(int argc, char **argv, const struct type_offer *extra)
{
	struct settings_source source = {.system_dir = "/etc/openscan-agent",
					 .env = environment};
	struct request request = {.config_file = NULL};
	struct settings *settings;
	struct err err;
	int ret = read_command_line(&request, argc, argv);

	if (ret >= 0)
		return ret;
	source.config_file = request.config_file;
	ret = settings_load(&settings, &source, &err);
	hide_password();
	if (ret < 0) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_FAILURE;
	}
	settings_check_environment(settings, environ);
	log_set_level(
		(enum log_level)log_level_parse(settings_string(settings, "log_level")));
	if (request.check || request.print) {
		ret = print_or_check(&request, settings);
		settings_free(settings);
		return ret;
	}
	return process_run(settings, extra);
}
