#include "tasks/cloud/project_lock.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct claim *claims; /* lock */

/* Under the lock. */
static const struct claim *holder(const struct claim *wanted)
{
	for (const struct claim *claim = claims; claim; claim = claim->next)
		if (!strcmp(claim->kind, wanted->kind) &&
		    !strcmp(claim->project, wanted->project))
			return claim;
	return NULL;
}

int claim_take(struct claim *claim, struct err *err)
{
	const struct claim *other;
	int ret = 0;

	pthread_mutex_lock(&lock);
	other = holder(claim);
	if (other) {
		ret = err_code(
			err, -EBUSY, "invalid_state",
			"project '%s' is being %s by task '%s': wait until that has "
			"ended, or cancel it",
			claim->project, claim->kind, other->task);
	} else {
		claim->next = claims;
		claim->held = true;
		claims = claim;
	}
	pthread_mutex_unlock(&lock);
	return ret;
}

void claim_drop(struct claim *claim)
{
	pthread_mutex_lock(&lock);
	for (struct claim **at = &claims; claim->held && *at; at = &(*at)->next) {
		if (*at != claim)
			continue;
		*at = claim->next;
		break;
	}
	claim->held = false;
	pthread_mutex_unlock(&lock);
}
