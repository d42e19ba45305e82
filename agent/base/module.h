/* Modules: shared objects of this program that are loaded at first use.
 *
 * A heavy library (libcamera, libcurl) costs nothing until its module is loaded, and a
 * module need not be written in C.  It is built by openscan_module() in CMakeLists.txt
 * and exports one table of functions or facts, `const struct <anything> module_<name>`,
 * whose type is in a header that both sides include. */
#ifndef AGENT_BASE_MODULE_H
#define AGENT_BASE_MODULE_H

#include "agent/base/err.h"

/* Loads the module name (a word of a-z, 0-9 and _) unless it is loaded already, and puts
 * its table into *table.  It is never unloaded, because many libraries cannot be.
 *
 * It is looked for in the folder of the environment variable OPENSCAN_MODULE_DIR if that
 * is set, else in the build tree if the program runs from there, else where modules are
 * installed.
 *
 * Any thread but the loop's: the first call reads megabytes from the disk.  Errors:
 * -EINVAL for a name that is not a word, -ENOENT for a module that does not exist,
 * -ELIBACC for one that cannot be used (a library it needs is missing, or it is of
 * another version). */
int module_load(const void **table, const char *name, struct err *err);

#endif
