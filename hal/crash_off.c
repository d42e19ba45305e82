#include "hal/crash_off.h"

#include <errno.h>
#include <signal.h>

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGHUP, SIGQUIT};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static struct sigaction before[SIGNALS]; /* while a rig is guarded */
static _Atomic(struct chassis *) guarded;

/* Gives the signals back to who had them. */
static void crash_restore(void)
{
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &before[i], NULL);
}

/* Only what a signal handler may do: safe() sets levels and takes no lock. */
static void crash_handle(int number, siginfo_t *info, void *context)
{
	struct chassis *chassis = atomic_exchange(&guarded, NULL);
	int error = errno;

	(void)context;
	if (chassis) {
		atomic_fetch_add(&chassis->stops, 1);
		chassis->backend->safe(chassis->hardware);
	}
	crash_restore();
	/* A fault comes again by itself, and with its address. */
	if (info->si_code <= 0)
		raise(number);
	errno = error;
}

void crash_guard(struct chassis *chassis)
{
	struct sigaction action = {
		.sa_sigaction = crash_handle,
		.sa_flags = SA_SIGINFO,
	};

	sigfillset(&action.sa_mask);
	if (atomic_exchange(&guarded, chassis))
		return;
	for (size_t i = 0; i < SIGNALS; i++) {
		sigaction(signals[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

void crash_unguard(struct chassis *chassis)
{
	struct chassis *mine = chassis;

	if (atomic_compare_exchange_strong(&guarded, &mine, NULL))
		crash_restore();
}
