/* Asks the kernel for priority, locked memory and an awake processor. */
#include "hal/realtime.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

void realtime_begin(struct realtime *rt)
{
	struct sched_param param = {.sched_priority = REALTIME_PRIORITY};
	int ret = pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);

	*rt = (struct realtime){.latency = -1};
	if (ret != 0)
		snprintf(rt->no_priority, sizeof(rt->no_priority), "%s", strerror(ret));
	/* Without real-time priority the kernel may delay wake-ups by 50 us on purpose.
	 */
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
}

void realtime_lock(struct realtime *rt, const void *memory, size_t size)
{
	if (mlock(memory, size) < 0)
		snprintf(rt->no_memory, sizeof(rt->no_memory), "%s", strerror(errno));
}

/* Whether a pulse runs through this library.  The program itself has an empty name. */
static bool is_on_pulse_path(const char *name)
{
	static const char *const libraries[] = {"/libc.", "/libm.", "/libgpiod."};

	if (!name[0])
		return true;
	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
		if (strstr(name, libraries[i]))
			return true;
	return false;
}

static int lock_object(struct dl_phdr_info *object, size_t size, void *context)
{
	(void)size;
	if (!is_on_pulse_path(object->dlpi_name))
		return 0;
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];

		if (part->p_type == PT_LOAD)
			realtime_lock(context,
				      (const char *)object->dlpi_addr + part->p_vaddr,
				      part->p_memsz);
	}
	return 0;
}

void realtime_lock_program(struct realtime *rt)
{
	dl_iterate_phdr(lock_object, rt);
}

void realtime_acquire_latency(struct realtime *rt)
{
	const int32_t microseconds = 0;

	if (rt->latency >= 0)
		return;
	rt->latency = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
	if (rt->latency >= 0 && write(rt->latency, &microseconds, sizeof(microseconds)) ==
					sizeof(microseconds))
		return;
	snprintf(rt->no_latency, sizeof(rt->no_latency), "%s", strerror(errno));
	realtime_release_latency(rt);
}

void realtime_release_latency(struct realtime *rt)
{
	if (rt->latency >= 0)
		close(rt->latency);
	rt->latency = -1;
}

static void put(cJSON *problems, const char *why, const char *sentence)
{
	char text[REALTIME_WHY + 192];

	if (!why[0])
		return;
	snprintf(text, sizeof(text), sentence, why);
	cJSON_AddItemToArray(problems, cJSON_CreateString(text));
}

void realtime_problems(const struct realtime *rt, cJSON *problems)
{
	put(problems, rt->no_priority,
	    "motion runs without real-time priority (%s): under load steps come late, "
	    "and moves "
	    "take longer; LimitRTPRIO=50 allows it");
	put(problems, rt->no_memory,
	    "motion runs without locked memory (%s): LimitMEMLOCK=infinity allows it");
	put(problems, rt->no_latency,
	    "motion cannot keep the processor awake (/dev/cpu_dma_latency: %s)");
}
