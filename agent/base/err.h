/* An error: a number, a code, and a sentence for the person at the far end. */
#ifndef AGENT_BASE_ERR_H
#define AGENT_BASE_ERR_H

#include <stdarg.h>

/* The last error of one call chain.  Plain data: copy it, drop it. */
struct err {
	int number;	 /* negative errno, 0 while nothing went wrong */
	char code[32];	 /* a code of the contract, "internal" unless one was chosen */
	char text[1024]; /* the sentence, UTF-8, no newline */
};

/* Sets the sentence with the code "internal"; returns number.  err may be NULL. */
int err_set(struct err *err, int number, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Like err_set(), with a code of the contract ("hardware_fault", "invalid_args"). */
int err_code(struct err *err, int number, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Puts "prefix: " before the sentence; returns err's number. */
int err_prefix(struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
