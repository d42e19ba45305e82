/* What the stopped agent's database says. */
#ifndef TESTS_FAULTS_DATABASE_H
#define TESTS_FAULTS_DATABASE_H

#include "tests/faults/fault_run.h"

/* One task's row. */
struct entry {
	char id[65], type[65], status[16], code[32];
	char *message; /* of its error; "" without one */
	int order;     /* the order that made it, -1: nobody's */
	int64_t rev;
	int attempt;
};

/* One event's row. */
struct happening {
	int64_t seq;
	char name[48], id[65];
};

struct ledger {
	char store[32];
	struct entry *entries;
	size_t count;
	struct happening *happenings;
	size_t happening_count;
	int64_t last_seq;
};

/* 0, or -1 with a violation. */
int ledger_read(struct ledger *ledger, struct fault_run *run);
void ledger_free(struct ledger *ledger);

/* The task of that id, or NULL. */
const struct entry *ledger_find(const struct ledger *ledger, const char *id);

/* How many tasks that order made; the last of them in *entry unless NULL. */
size_t ledger_of_order(const struct ledger *ledger, size_t order,
		       const struct entry **entry);

bool status_is_final(const char *status);

#endif
