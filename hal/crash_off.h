/* Switches light and triggers off when the process dies of a signal: a crash, an abort, a
 * closed terminal.  The kernel takes the lines back, but may leave their levels as they
 * are (hal/linux/README.md). */
#ifndef HAL_CRASH_OFF_H
#define HAL_CRASH_OFF_H

#include "hal/rig_context.h"

/* Installs handlers that switch this rig's light and triggers off before a fatal signal
 * takes its usual effect.  Ignored signals stay ignored.  One rig per process; the latest
 * call wins.  ctx must stay valid until crash_off_remove(). */
void crash_off_install(struct rig_context *ctx);
void crash_off_remove(
	struct rig_context *ctx); /* does nothing for a rig without a guard */

#endif
