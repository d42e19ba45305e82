/* Compares names by their edit distance. */
#include "agent/base/suggest.h"

#include <string.h>

#define LONGEST 64 /* longer names are not compared */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* The edit distance of Damerau, restricted: insert, delete, replace and swap of
 * neighbours cost one each (optimal string alignment).  Both are at most LONGEST long. */
static unsigned distance(const char *from, const char *to)
{
	unsigned rows[3][LONGEST + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];
	size_t width = strlen(to);

	for (unsigned j = 0; j <= width; j++)
		row[j] = j;
	for (unsigned i = 1; from[i - 1]; i++) {
		unsigned *oldest = before;

		before = above;
		above = row;
		row = oldest;
		row[0] = i;
		for (unsigned j = 1; j <= width; j++) {
			unsigned replaced = above[j - 1] + (from[i - 1] != to[j - 1]);

			row[j] = least(replaced, 1 + least(above[j], row[j - 1]));
			if (i > 1 && j > 1 && from[i - 1] == to[j - 2] &&
			    from[i - 2] == to[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return row[width];
}

void suggest_init(struct suggest *suggest, const char *wanted)
{
	/* One typing error, and one more per four letters. */
	*suggest = (struct suggest){
		.wanted = wanted,
		.distance = 2 + (unsigned)(strnlen(wanted, LONGEST) / 4),
	};
}

void suggest_offer(struct suggest *suggest, const char *name)
{
	unsigned d;

	if (strlen(name) > LONGEST || strlen(suggest->wanted) > LONGEST)
		return;
	d = distance(suggest->wanted, name);
	if (d < suggest->distance && d < strlen(name)) {
		suggest->distance = d;
		suggest->name = name;
	}
}
