/* The list of locked projects. */
#include "tasks/cloud/project_lock.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct project_lock *locks; /* guarded by mutex */

/* Call with the mutex held. */
static const struct project_lock *find_holder(const struct project_lock *wanted)
{
	for (const struct project_lock *lock = locks; lock; lock = lock->next)
		if (!strcmp(lock->kind, wanted->kind) &&
		    !strcmp(lock->project, wanted->project))
			return lock;
	return NULL;
}

int project_lock_acquire(struct project_lock *lock, struct err *err)
{
	const struct project_lock *holder;
	int ret = 0;

	pthread_mutex_lock(&mutex);
	holder = find_holder(lock);
	if (holder) {
		ret = err_code(
			err, -EBUSY, "invalid_state",
			"project '%s' is being %s by task '%s': wait until that has "
			"ended, or cancel it",
			lock->project, lock->kind, holder->task);
	} else {
		lock->next = locks;
		lock->held = true;
		locks = lock;
	}
	pthread_mutex_unlock(&mutex);
	return ret;
}

void project_lock_release(struct project_lock *lock)
{
	pthread_mutex_lock(&mutex);
	for (struct project_lock **at = &locks; lock->held && *at; at = &(*at)->next) {
		if (*at != lock)
			continue;
		*at = lock->next;
		break;
	}
	lock->held = false;
	pthread_mutex_unlock(&mutex);
}
