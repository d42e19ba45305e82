/* Tells whether this program is installed or runs from its build tree. */
#ifndef AGENT_BASE_BUILD_DIR_H
#define AGENT_BASE_BUILD_DIR_H

#include <stdbool.h>

/* Does this program run from below its build folder? */
bool build_dir_in_use(void);

/* The absolute path of the build folder. */
const char *build_dir_path(void);

#endif
