/* The queue of live tasks, and the choice of the next one to start. */
#include "agent/core/scheduler.h"

#include <errno.h>
#include <string.h>

static bool comes_before(const struct task *a, const struct task *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority;
	return a->arrival < b->arrival;
}

int scheduler_add(struct scheduler *s, struct task *task)
{
	size_t i = s->count;

	if (s->count == SCHEDULER_LIVE_MAX)
		return -ENOSPC;
	while (i > 0 && comes_before(task, s->live[i - 1])) {
		s->live[i] = s->live[i - 1];
		i--;
	}
	s->live[i] = task;
	s->count++;
	return 0;
}

void scheduler_remove(struct scheduler *s, struct task *task)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->live[i] != task)
			continue;
		s->count--;
		memmove(s->live + i, s->live + i + 1,
			(s->count - i) * sizeof(s->live[0]));
		return;
	}
}

void scheduler_sort(struct scheduler *s)
{
	for (size_t i = 1; i < s->count; i++) {
		struct task *task = s->live[i];
		size_t k = i;

		for (; k > 0 && comes_before(task, s->live[k - 1]); k--)
			s->live[k] = s->live[k - 1];
		s->live[k] = task;
	}
}

struct task *scheduler_find(const struct scheduler *s, const char *id)
{
	for (size_t i = 0; i < s->count; i++)
		if (!strcmp(s->live[i]->id, id))
			return s->live[i];
	return NULL;
}

struct task *scheduler_find_run(const struct scheduler *s, uint64_t run)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->live[i]->run == run)
			return s->live[i];
	return NULL;
}

static bool runnable(const struct task *task, int64_t now)
{
	return task->status == TASK_PENDING && !task->after_open &&
	       task->not_before <= now;
}

struct load {
	int async, blocking;
	bool exclusive;
	uint64_t devices;
};

static struct load scheduler_load(const struct scheduler *s)
{
	struct load load = {.devices = s->command_devices};

	for (size_t i = 0; i < s->count; i++) {
		const struct task *task = s->live[i];

		if (!task_is_active(task))
			continue;
		load.devices |= task->claim;
		load.exclusive |= task->is_exclusive;
		if (task->is_blocking)
			load.blocking++;
		else
			load.async++;
	}
	return load;
}

static bool slot_free(const struct scheduler *s, const struct load *load,
		      const struct task *task)
{
	if (task->claim & load->devices)
		return false;
	return task->is_blocking ? load->blocking < s->blocking_threads
				 : load->async < s->max_concurrent;
}

struct task *scheduler_next(const struct scheduler *s, int64_t now)
{
	struct load load = scheduler_load(s);

	if (s->paused || load.exclusive)
		return NULL;
	for (size_t i = 0; i < s->count; i++) {
		struct task *task = s->live[i];

		if (!runnable(task, now) || (s->draining && !task->requeued))
			continue;
		if (task->is_exclusive) {
			bool alone = !load.async && !load.blocking &&
				     !(task->claim & load.devices);

			/* It holds back everything behind it; otherwise it would starve.
			 */
			return alone ? task : NULL;
		}
		if (slot_free(s, &load, task))
			return task;
	}
	return NULL;
}

bool scheduler_devices_free(const struct scheduler *s, uint64_t devices,
			    const struct task **holder)
{
	*holder = NULL;
	for (size_t i = 0; i < s->count; i++) {
		if (task_is_active(s->live[i]) && (s->live[i]->claim & devices)) {
			*holder = s->live[i];
			return false;
		}
	}
	return !(s->command_devices & devices);
}

int scheduler_position(const struct scheduler *s, const struct task *task)
{
	int place = 0;

	if (task->status != TASK_PENDING)
		return -1;
	for (size_t i = 0; i < s->count && s->live[i] != task; i++)
		place += s->live[i]->status == TASK_PENDING;
	return place;
}

struct task *scheduler_current(const struct scheduler *s)
{
	struct task *current = NULL;

	for (size_t i = 0; i < s->count; i++) {
		struct task *task = s->live[i];

		if (!task_is_active(task))
			continue;
		if (task->is_exclusive)
			return task;
		if (!current || task->start_order >= current->start_order)
			current = task;
	}
	return current;
}

bool scheduler_idle(const struct scheduler *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (task_is_active(s->live[i]) || s->live[i]->requeued)
			return false;
	return true;
}

int64_t scheduler_wake(const struct scheduler *s, int64_t now)
{
	int64_t wake = -1;

	for (size_t i = 0; i < s->count; i++) {
		const struct task *task = s->live[i];

		if (task->status == TASK_PENDING && task->not_before > now &&
		    (wake < 0 || task->not_before < wake))
			wake = task->not_before;
	}
	return wake;
}
