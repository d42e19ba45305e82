/* "did you mean": the known name that a mistyped one is nearest to. */
#ifndef AGENT_BASE_SUGGEST_H
#define AGENT_BASE_SUGGEST_H

struct nearest {
	const char *wanted;
	const char *name; /* the best so far, NULL while none is near enough */
	unsigned distance;
};

/* Starts a search; wanted must stay. */
void nearest_init(struct nearest *nearest, const char *wanted);

/* Offers one known name; it must stay while nearest->name is read. */
void nearest_offer(struct nearest *nearest, const char *name);

#endif
