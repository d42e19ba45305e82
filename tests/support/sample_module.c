/* A valid module for unit/module_test.c. */
#include "tests/support/sample_module.h"

#include <errno.h>

static int sample_refuse(struct err *err)
{
	return err_code(err, -EAGAIN, "timeout", "not today");
}

const struct sample_module module_sample = {.answer = 42, .refuse = sample_refuse};
