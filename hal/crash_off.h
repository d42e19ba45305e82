/* What is put off when the process dies of itself: a crash, an abort, a terminal that
 * went away.  The kernel takes the lines back, but may leave their levels
 * (hal/README.md). */
#ifndef HAL_CRASH_OFF_H
#define HAL_CRASH_OFF_H

#include "hal/rig_context.h"

/* From now on light and triggers of this rig go off before such a signal does what it did
 * without this; a signal that is ignored stays ignored.  One rig a process, the newest;
 * chassis stays where it is until crash_unguard(). */
void crash_guard(struct chassis *chassis);
void crash_unguard(struct chassis *chassis); /* also one that is not guarded */

#endif
