/* Where the settings are read from. */
#ifndef SETTINGS_SOURCE_H
#define SETTINGS_SOURCE_H

struct settings_source {
	const char *config_file;	      /* --config, or NULL */
	const char *system_dir;		      /* "/etc/openscan-agent" */
	const char *(*env)(const char *name); /* getenv, or a test's */
};

#endif
