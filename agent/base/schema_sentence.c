/* Makes a sentence of a problem. */
#include "agent/base/schema_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/utf8.h"

/* Turns ~1 into / and ~0 into ~ (RFC 6901), in place. */
static void unescape(char *text)
{
	char *out = text;

	for (; *text; text++) {
		*out = *text;
		if (text[0] == '~' && (text[1] == '0' || text[1] == '1'))
			*out = *++text == '0' ? '~' : '/';
		out++;
	}
	*out = '\0';
}

static bool is_index(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

/* Writes the last name of a pointer with the indices after it: "focus_range[1]".  Changes
 * path. */
static void place_name(char *path, char *name, size_t size)
{
	char indices[256] = "";
	char copy[256];
	char *last;

	while ((last = strrchr(path, '/')) && last != path && is_index(last + 1)) {
		snprintf(copy, sizeof(copy), "%s", indices);
		snprintf(indices, sizeof(indices), "[%.20s]%.200s", last + 1, copy);
		*last = '\0';
	}
	last = last ? last + 1 : path;
	unescape(last);
	snprintf(name, size, "%s%s", *last ? last : "the value", indices);
}

void schema_sentence(const struct schema_problem *problem, char *text, size_t size)
{
	char path[sizeof(problem->path)];
	char name[sizeof(problem->path) * 2];

	memcpy(path, problem->path, sizeof(path));
	place_name(path, name, sizeof(name));
	snprintf(text, size, "%s %s", name, problem->message);
	utf8_to_line(text);
}
