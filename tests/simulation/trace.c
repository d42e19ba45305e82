#include "tests/simulation/trace.h"

#include <stdarg.h>
#include <stdio.h>

bool tracing;

static char promise[1024];
static int at_turn;
static int64_t at_ms;

void trace_begin(uint64_t seed)
{
	promise[0] = '\0';
	at_turn = 0;
	at_ms = 0;
	if (tracing)
		printf("seed %llu\n", (unsigned long long)seed);
}

void trace_at(int turn, int64_t now)
{
	at_turn = turn;
	at_ms = now;
}

static void trace_line(const char *fmt, va_list args)
{
	printf("%5d %10.3f  ", at_turn, (double)at_ms / 1000);
	vprintf(fmt, args);
	putchar('\n');
}

void trace(const char *fmt, ...)
{
	va_list args;

	if (!tracing)
		return;
	va_start(args, fmt);
	trace_line(fmt, args);
	va_end(args);
}

void broken(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (!promise[0])
		vsnprintf(promise, sizeof(promise), fmt, args);
	va_end(args);
	trace("BROKEN: %s", promise);
}

const char *broken_promise(void)
{
	return promise[0] ? promise : NULL;
}
