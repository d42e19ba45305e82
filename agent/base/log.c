/* Writes log lines: time, level, text. */
#include "agent/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/utf8.h"

static const char *const names[] = {"error", "warn", "info", "debug"};
static enum log_level most = LOG_LEVEL_INFO;

int log_level_parse(const char *name)
{
	for (int i = 0; i < (int)(sizeof(names) / sizeof(names[0])); i++)
		if (!strcmp(name, names[i]))
			return i;
	return -EINVAL;
}

const char *log_level_name(enum log_level level)
{
	return names[level];
}

void log_set_level(enum log_level level)
{
	most = level;
}

static void log_line(enum log_level level, const char *fmt, va_list args)
{
	char text[2048];
	char stamp[CLOCK_TEXT];

	if (level > most)
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	utf8_to_line(text);
	clock_text(clock_wall_ms(), stamp);
	/* One call per line, so that lines of two threads never mix. */
	fprintf(stderr, "%s %-5s %s\n", stamp, names[level], text);
}

#define LOG_FUNCTION(function, level)                                                    \
	void function(const char *fmt, ...)                                              \
	{                                                                                \
		va_list args;                                                            \
                                                                                         \
		va_start(args, fmt);                                                     \
		log_line(level, fmt, args);                                              \
		va_end(args);                                                            \
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
