/* Signal handlers that put a rig into its safe state before the process dies. */
#include "hal/crash_off.h"

#include <errno.h>
#include <signal.h>

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGHUP, SIGQUIT};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static struct sigaction before[SIGNALS]; /* while installed */
static _Atomic(struct rig_context *) guarded;

/* Restores the previous handlers. */
static void restore_handlers(void)
{
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &before[i], NULL);
}

/* Async-signal-safe: safe() sets levels and takes no lock. */
static void handle_signal(int number, siginfo_t *info, void *context)
{
	struct rig_context *ctx = atomic_exchange(&guarded, NULL);
	int error = errno;

	(void)context;
	if (ctx) {
		atomic_fetch_add(&ctx->stops, 1);
		ctx->backend->safe(ctx->hardware);
	}
	restore_handlers();
	/* A fault is raised again when this returns, with its address. */
	if (info->si_code <= 0)
		raise(number);
	errno = error;
}

void crash_off_install(struct rig_context *ctx)
{
	struct sigaction action = {
		.sa_sigaction = handle_signal,
		.sa_flags = SA_SIGINFO,
	};

	sigfillset(&action.sa_mask);
	if (atomic_exchange(&guarded, ctx))
		return;
	for (size_t i = 0; i < SIGNALS; i++) {
		sigaction(signals[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

void crash_off_remove(struct rig_context *ctx)
{
	struct rig_context *mine = ctx;

	if (atomic_compare_exchange_strong(&guarded, &mine, NULL))
		restore_handlers();
}
