/* The codes of the contract that refuse something. */
#ifndef AGENT_MODEL_ERROR_CODE_H
#define AGENT_MODEL_ERROR_CODE_H

#include <stdbool.h>
#include <stddef.h>

/* The code of that number, NULL beyond the last. */
const char *code_name(size_t number);

/* The number of a code; that of "internal" for one that is not in the contract. */
size_t code_number(const char *code);

/* May the same command succeed later? */
bool code_retryable(size_t number);

#endif
