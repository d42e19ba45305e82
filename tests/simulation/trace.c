/* Prints the trace and keeps the first violation. */
#include "tests/simulation/trace.h"

#include <stdarg.h>
#include <stdio.h>

bool tracing, trace_summing;

static char message_kind[1024];
static int at_turn;
static int64_t at_ms;
static uint64_t sum;

void trace_begin(uint64_t seed)
{
	message_kind[0] = '\0';
	at_turn = 0;
	at_ms = 0;
	sum = 0;
	if (tracing)
		printf("seed %llu\n", (unsigned long long)seed);
}

void trace_at(int turn, int64_t now)
{
	at_turn = turn;
	at_ms = now;
}

uint64_t trace_sum(void)
{
	return sum;
}

static void trace_line(const char *fmt, va_list args)
{
	char line[4096];

	vsnprintf(line, sizeof(line), fmt, args);
	for (const char *at = line; trace_summing && *at; at++)
		sum = (sum ^ (uint8_t)*at) * 1099511628211u;
	sum += (uint64_t)at_ms;
	if (tracing)
		printf("%5d %10.3f  %s\n", at_turn, (double)at_ms / 1000, line);
}

void trace(const char *fmt, ...)
{
	va_list args;

	if (!tracing && !trace_summing)
		return;
	va_start(args, fmt);
	trace_line(fmt, args);
	va_end(args);
}

void violation(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (!message_kind[0])
		vsnprintf(message_kind, sizeof(message_kind), fmt, args);
	va_end(args);
	trace("BROKEN: %s", message_kind);
}

const char *first_violation(void)
{
	return message_kind[0] ? message_kind : NULL;
}
