/* Declarations for the tools of tests/static/lint, which read one file at a time;
 * included before every source file, and only there. */
#ifndef TESTS_STATIC_LINT_H
#define TESTS_STATIC_LINT_H

#ifdef __clang_analyzer__

#include <errno.h>
#include <uthash.h>
#include <utlist.h>

/* The head of a list without the element taken.  To the analyzer the real macros look as
 * if the element stayed in the list. */
void *lint_head(const void *head, const void *taken);

#undef HASH_DELETE
#define HASH_DELETE(hh, head, element) ((head) = lint_head((head), (element)))
#undef DL_DELETE
#define DL_DELETE(head, element) ((head) = lint_head((head), (element)))

/* cmocka leaves a failed test by longjmp(). */
__attribute__((noreturn)) void _fail(const char *const file, const int line);

/* err_set() and err_code() return a negative number everywhere but in the file that
 * defines them. */
#ifndef LINT_BASE_ERR
#include "agent/base/err.h"
#define err_set(err, number, ...) ((err_set)((err), (number), __VA_ARGS__), -EINVAL)
#define err_code(err, number, code, ...)                                                 \
	((err_code)((err), (number), (code), __VA_ARGS__), -EINVAL)
#endif

#endif

#ifdef __CPPCHECK__

#define cJSON_ArrayForEach(element, array)                                               \
	for (element = (array) ? (array)->child : NULL; element; element = element->next)
#define DL_FOREACH(head, element) for (element = (head); element; element = element->next)
#define DL_FOREACH_SAFE(head, element, after)                                            \
	for (element = (head); element && (after = element->next, 1); element = after)
#define HASH_ITER(hh, head, element, after)                                              \
	for (element = (head); element && (after = element->hh.next, 1); element = after)
#define HASH_FIND_STR(head, text, out) ((out) = lint_find((head), (text)))

#endif

#endif
