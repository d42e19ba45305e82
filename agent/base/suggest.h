/* Finds the known name closest to a mistyped one, for "did you mean". */
#ifndef AGENT_BASE_SUGGEST_H
#define AGENT_BASE_SUGGEST_H

struct suggest {
	const char *wanted;
	const char *name; /* the closest so far, NULL while none is close enough */
	unsigned distance;
};

/* Starts a search; wanted must outlive it. */
void suggest_init(struct suggest *suggest, const char *wanted);

/* Offers one known name; it must stay while suggest->name is read. */
void suggest_offer(struct suggest *suggest, const char *name);

#endif
