/* The program's log: one line per message on stderr, for journald or a terminal. */
#ifndef AGENT_BASE_LOG_H
#define AGENT_BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* The level called "error", "warn", "info" or "debug"; -EINVAL for other names. */
int log_level_parse(const char *name);

const char *log_level_name(enum log_level level);

/* Drops messages above level.  To be called before threads start. */
void log_set_level(enum log_level level);

/* Any thread.  Never pass a secret: other people read logs. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
