/* The program's log: one line on stderr, for journald or a terminal. */
#ifndef AGENT_BASE_LOG_H
#define AGENT_BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* "error" "warn" "info" "debug" to its level; -EINVAL for anything else. */
int log_level_parse(const char *name);

/* "error" … "debug". */
const char *log_level_name(enum log_level level);

/* Lines above level are dropped.  Call it before threads start. */
void log_set_level(enum log_level level);

/* Any thread.  Never pass a secret: a log is read by strangers. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
