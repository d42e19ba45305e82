/* "did you mean": the known name that a mistyped one is nearest to. */
#ifndef AGENT_BASE_SUGGEST_H
#define AGENT_BASE_SUGGEST_H

struct suggest {
	const char *wanted;
	const char *name; /* the best so far, NULL while none is near enough */
	unsigned distance;
};

/* Starts a search; wanted must stay. */
void suggest_init(struct suggest *suggest, const char *wanted);

/* Offers one known name; it must stay while suggest->name is read. */
void suggest_offer(struct suggest *suggest, const char *name);

#endif
