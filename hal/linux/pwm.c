/* Exports one PWM channel in sysfs and sets its duty cycle. */
#include "hal/linux/pwm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000
#define PATH 192
/* Tries of 10 ms, until udev has given the files of a new channel to our group. */
#define TRIES 100

struct pwm {
	char chip[PATH];   /* …/pwmchip0 */
	char folder[PATH]; /* …/pwmchip0/pwm1 */
	int channel;
	long period_ns;
	int duty;      /* the open file of duty_cycle */
	bool exported; /* by us */
};

static int pwm_write_to(int file, long value)
{
	char text[24];
	int length = snprintf(text, sizeof(text), "%ld", value);

	return pwrite(file, text, (size_t)length, 0) == length ? 0 : -errno;
}

static int pwm_write(const char *folder, const char *name, long value)
{
	char path[PATH + 32];
	int file, ret;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (file < 0)
		return -errno;
	ret = pwm_write_to(file, value);
	close(file);
	return ret;
}

static bool pwm_there(const struct pwm *pwm)
{
	char path[PATH + 32];

	snprintf(path, sizeof(path), "%s/enable", pwm->folder);
	return access(path, W_OK) == 0;
}

/* Makes the channel's folder appear. */
static int pwm_export(struct pwm *pwm)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	int ret;

	if (pwm_there(pwm))
		return 0;
	ret = pwm_write(pwm->chip, "export", pwm->channel);
	if (ret < 0 && ret != -EBUSY)
		return ret;
	pwm->exported = ret == 0;
	for (int i = 0; i < TRIES; i++) {
		if (pwm_there(pwm))
			return 0;
		nanosleep(&pause, NULL);
	}
	return -EACCES;
}

/* The period must not be shorter than the previous duty cycle, so that comes first. */
static int pwm_set_up(struct pwm *pwm)
{
	char path[PATH + 32];
	int ret;

	snprintf(path, sizeof(path), "%s/duty_cycle", pwm->folder);
	pwm->duty = open(path, O_WRONLY | O_CLOEXEC);
	if (pwm->duty < 0)
		return -errno;
	/* Fails if no period was ever set: then there is no duty cycle either. */
	pwm_write_to(pwm->duty, 0);
	ret = pwm_write(pwm->folder, "period", pwm->period_ns);
	if (ret == 0)
		ret = pwm_set(pwm, 0);
	return ret;
}

int pwm_open(struct pwm **out, const char *root, const struct pwm_config *config,
	     struct err *err)
{
	struct pwm *pwm = calloc(1, sizeof(*pwm));
	int ret;

	if (!pwm)
		return err_set(err, -ENOMEM, "out of memory");
	pwm->duty = -1;
	pwm->channel = config->channel;
	pwm->period_ns = NS_PER_S / config->frequency_hz;
	snprintf(pwm->chip, sizeof(pwm->chip), "%.128s/pwmchip%d", root, config->chip);
	snprintf(pwm->folder, sizeof(pwm->folder), "%.128s/pwmchip%d/pwm%d", root,
		 config->chip, config->channel);
	ret = access(pwm->chip, F_OK) < 0 ? -ENODEV : pwm_export(pwm);
	if (ret == 0)
		ret = pwm_set_up(pwm);
	if (ret < 0) {
		err_code(err, ret, "hal_unavailable",
			 "channel %d of pwmchip%d cannot be used: %s", config->channel,
			 config->chip,
			 ret == -ENODEV ? "there is no such chip; on a Raspberry Pi "
					  "dtoverlay=pwm makes it"
					: strerror(-ret));
		pwm_close(pwm);
		return ret;
	}
	*out = pwm;
	return 0;
}

void pwm_close(struct pwm *pwm)
{
	if (!pwm)
		return;
	if (pwm->duty >= 0) {
		pwm_set(pwm, 0);
		close(pwm->duty);
	}
	if (pwm->exported)
		pwm_write(pwm->chip, "unexport", pwm->channel);
	free(pwm);
}

int pwm_set(struct pwm *pwm, int percent)
{
	int duty = pwm_write_to(pwm->duty, pwm->period_ns / 100 * percent);
	int enable = 0;

	/* Off if either of the two works. */
	if (duty == 0 || percent == 0)
		enable = pwm_write(pwm->folder, "enable", percent > 0);
	return duty < 0 ? duty : enable;
}
