/* The table of error codes. */
#include "agent/model/error_code.h"

#include <string.h>

/* Every error code of the contract, and whether the same command may succeed later. */
static const struct {
	const char *code;
	bool retryable;
} codes[] = {
	{"bad_json", false},
	{"bad_request", false},
	{"unknown_verb", false},
	{"unknown_type", false},
	{"invalid_args", false},
	{"schema_mismatch", false},
	{"payload_too_large", false},
	{"retained_command", false},
	{"stale", true},
	{"id_conflict", false},
	{"not_found", false},
	{"invalid_state", false},
	{"rev_conflict", false},
	{"queue_full", true},
	{"draining", true},
	{"estopped", true},
	{"not_broadcast", false},
	{"device_busy", true},
	{"hal_unavailable", true},
	{"hardware_fault", true},
	{"timeout", true},
	{"cancelled", true},
	{"interrupted", true},
	{"crash_loop", false},
	{"dependency_failed", false},
	{"task_failed", true},
	{"storage_full", true},
	{"storage_error", true},
	{"reply_to_denied", false},
	{"not_supported", false},
	{"internal", false},
};

#define CODES (sizeof(codes) / sizeof(codes[0]))

const char *code_name(size_t number)
{
	return number < CODES ? codes[number].code : NULL;
}

size_t code_number(const char *code)
{
	size_t i = 0;

	while (i < CODES - 1 && strcmp(codes[i].code, code) != 0)
		i++;
	return i;
}

bool code_retryable(size_t number)
{
	return codes[number].retryable;
}
