/* The error codes of the contract. */
#ifndef AGENT_MODEL_ERROR_CODE_H
#define AGENT_MODEL_ERROR_CODE_H

#include <stdbool.h>
#include <stddef.h>

/* The name of the code with that number; NULL beyond the last. */
const char *code_name(size_t number);

/* The number of a code; for a name outside the contract that of "internal". */
size_t code_number(const char *code);

/* May the same command succeed later? */
bool code_retryable(size_t number);

#endif
