/* Writes errors; their text is always one line of UTF-8. */
#include "agent/base/err.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/utf8.h"

static int err_fill(struct err *err, int number, const char *code, const char *fmt,
		    va_list args)
{
	if (!err)
		return number;

	err->number = number;
	snprintf(err->code, sizeof(err->code), "%s", code);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	utf8_to_line(err->text);
	return number;
}

int err_set(struct err *err, int number, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	err_fill(err, number, "internal", fmt, args);
	va_end(args);
	return number;
}

int err_code(struct err *err, int number, const char *code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	err_fill(err, number, code, fmt, args);
	va_end(args);
	return number;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
	char before[sizeof(err->text)];
	char after[sizeof(err->text)];
	va_list args;

	if (!err)
		return 0;

	va_start(args, fmt);
	vsnprintf(before, sizeof(before), fmt, args);
	va_end(args);
	memcpy(after, err->text, sizeof(after));
	/* A sentence that no longer fits is cut at its end. */
	size_t used = strnlen(before, sizeof(before) - 3);
	memcpy(err->text, before, used);
	memcpy(err->text + used, ": ", 2);
	used += 2;
	size_t rest = strnlen(after, sizeof(err->text) - used - 1);
	memcpy(err->text + used, after, rest);
	err->text[used + rest] = '\0';
	utf8_to_line(err->text);
	return err->number;
}
