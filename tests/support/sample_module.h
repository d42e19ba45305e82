/* The table that sample_module.c exports. */
#ifndef TESTS_SUPPORT_SAMPLE_MODULE_H
#define TESTS_SUPPORT_SAMPLE_MODULE_H

#include "agent/base/err.h"

struct sample_module {
	int answer;
	int (*refuse)(struct err *err); /* uses the module's own copy of base */
};

extern const struct sample_module module_sample;

#endif
