/* Shared objects of ours, loaded at first use: so a heavy library (libcamera, libcurl)
 * costs nothing until somebody needs it, and its language need not be C.
 *
 * A module is built by openscan_module() of CMakeLists.txt and exports one table of
 * functions or facts, `const struct <anything> module_<name>`, whose type stands in a
 * header that both sides include. */
#ifndef AGENT_BASE_MODULE_H
#define AGENT_BASE_MODULE_H

#include "agent/base/err.h"

/* The table of the module name (a plain word: a-z, 0-9 and _), loaded when nobody did so
 * before.  It stays loaded until the process ends, for many libraries cannot be unloaded.
 *
 * Looked for in the folder OPENSCAN_MODULE_DIR names, where it is set; else in the build
 * tree when the program runs from there; else where modules are installed.
 *
 * Any thread, but not the loop's: the first call reads megabytes from the disk.  Errors:
 * -EINVAL for a name that is none, -ENOENT where there is no such module, -ELIBACC where
 * it cannot be used (a library that it needs is missing, it is of another version). */
int module_load(const void **table, const char *name, struct err *err);

#endif
