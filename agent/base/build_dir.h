/* Where this program belongs: installed, or in the tree that it was built in. */
#ifndef AGENT_BASE_BUILD_DIR_H
#define AGENT_BASE_BUILD_DIR_H

#include <stdbool.h>

/* Does this program stand below where it was built? */
bool build_dir_in_use(void);

/* That place, absolute. */
const char *build_dir_path(void);

#endif
