/* Matches patterns within a bounded number of steps. */
#include "agent/base/schema_node.h"

#include <string.h>

/* Steps of one match, over all places of the text at which the pattern is tried.
 * 2,000,000 take well below a second on a small board. */
#define MATCH_STEPS 2000000
#define MATCH_STEPS_LEAST 100 /* per place */
#define MATCH_DEPTH 10000
#define MATCH_HEAP_KIB 4096

/* pcre2's limit is per place, and a pattern that is not anchored is tried at each. */
static uint32_t steps_per_place(const pcre2_code *code, size_t size)
{
	uint32_t options = 0;
	size_t steps = MATCH_STEPS;

	pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &options);
	if (!(options & PCRE2_ANCHORED))
		steps /= size + 1;
	return steps < MATCH_STEPS_LEAST ? MATCH_STEPS_LEAST : (uint32_t)steps;
}

int schema_match(const pcre2_code *code, const char *text)
{
	pcre2_match_context *limits = pcre2_match_context_create(NULL);
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	size_t size = strlen(text);
	int ret = PCRE2_ERROR_NOMEMORY;

	if (limits && data) {
		pcre2_set_match_limit(limits, steps_per_place(code, size));
		pcre2_set_depth_limit(limits, MATCH_DEPTH);
		pcre2_set_heap_limit(limits, MATCH_HEAP_KIB);
		ret = pcre2_match(code, (PCRE2_SPTR)text, size, 0, 0, data, limits);
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(limits);
	return ret;
}
