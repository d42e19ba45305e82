/* One channel of a hardware PWM of the kernel (/sys/class/pwm). */
#ifndef HAL_LINUX_PWM_H
#define HAL_LINUX_PWM_H

#include "agent/base/err.h"

#define PWM_ROOT "/sys/class/pwm"

struct pwm;

struct pwm_config {
	int chip, channel;
	int frequency_hz; /* above 0 */
};

/* Exports the channel at 0 %.  root is PWM_ROOT.  Fails with "hal_unavailable" and a
 * sentence that says what is missing. */
int pwm_open(struct pwm **out, const char *root, const struct pwm_config *config,
	     struct err *err);

/* Turns it off and unexports it.  NULL is fine. */
void pwm_close(struct pwm *pwm);

/* 0..100; 0 disables the output.  Any thread, one at a time. */
int pwm_set(struct pwm *pwm, int percent);

#endif
