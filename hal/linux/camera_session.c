#include "hal/linux/camera_session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "hal/linux/call_thread.h"

#define PHOTO_NS                                                                         \
	(15 * INT64_C(1000000000)) /* until a photo that does not come is given up */
#define EXPOSURES 3		   /* that a photo may have to wait for */
#define CLOSE_MS 3000
#define NAME_SIZE 65

struct camera_session {
	const struct camera_module *module;
	char name[NAME_SIZE], id[CAMERA_ID];
	struct errands *errands;

	/* Of the thread alone. */
	struct camera_device *device; /* NULL while it is closed */
	struct camera_facts facts;
};

/* What is asked of the thread. */
struct camera_errand {
	struct errand errand;
	struct camera_session *session;
	cJSON *settings; /* NULL: only whether it is there */
	enum camera_use use;
	struct camera_result result;
};

static void errand_free(struct camera_errand *task)
{
	cJSON_Delete(task->settings);
	free(task->result.picture.bytes);
	free(task);
}

static void errand_drop(struct errand *errand)
{
	errand_free((struct camera_errand *)errand);
}

/* ---- on the thread ---- */

static int session_explain(const struct camera_session *session, int ret, struct err *err)
{
	err_prefix(err, "the camera %s", session->name);
	return ret;
}

static void session_shut(struct camera_session *session)
{
	session->module->close(session->device);
	session->device = NULL;
}

static int session_ready(struct camera_session *session, struct camera_result *result,
			 struct err *err)
{
	int ret = 0;

	if (!session->device) {
		ret = session->module->open(&session->device, session->id,
					    &session->facts, err);
		result->opened = ret == 0;
	}
	result->facts = session->facts;
	return ret;
}

static bool order_dropped(const struct camera_order *order)
{
	const struct errand *errand = order->context;

	return atomic_load(&errand->dropped);
}

static int session_take(struct camera_session *session, struct camera_errand *task,
			struct err *err)
{
	struct camera_control controls[CAMERA_CONTROLS];
	int64_t exposure_ns = (int64_t)(json_number(task->settings, "shutter", 0) * 1e6);
	struct camera_order order = {
		.preview = task->use != CAMERA_PHOTO,
		.controls = controls,
		.due_ns = clock_monotonic_ns() + EXPOSURES * exposure_ns + PHOTO_NS,
		.dropped = order_dropped,
		.context = &task->errand,
	};
	int ret = camera_controls(task->settings, &session->facts, task->use, controls,
				  err);

	if (ret < 0)
		return ret;
	order.control_count = (size_t)ret;
	camera_picture_size(task->settings, &session->facts, &order.width, &order.height);
	ret = session->module->shoot(session->device, &order, &task->result.picture, err);
	task->result.taken_at_ms = clock_wall_ms();
	if (ret < 0 && ret != -ECANCELED) {
		session_shut(session);
		session_explain(session, ret, err);
	}
	return ret;
}

static int session_run(struct errand *errand, struct err *err)
{
	struct camera_errand *task = (struct camera_errand *)errand;
	struct camera_session *session = task->session;
	int ret = session_ready(session, &task->result, err);

	if (ret < 0)
		return session_explain(session, ret, err);
	return task->settings ? session_take(session, task, err) : 0;
}

static int session_finish(struct errand *errand, struct err *err)
{
	struct camera_errand *task = (struct camera_errand *)errand;

	(void)err;
	session_shut(task->session);
	return 0;
}

/* ---- on the caller's ---- */

int camera_session_open(struct camera_session **out, const struct camera_module *module,
			const char *name, const char *id, struct err *err)
{
	struct camera_session *session = calloc(1, sizeof(*session));
	int ret;

	if (!session)
		return err_set(err, -ENOMEM, "out of memory");
	session->module = module;
	snprintf(session->name, sizeof(session->name), "%s", name);
	snprintf(session->id, sizeof(session->id), "%s", id);
	ret = errands_open(&session->errands, err);
	if (ret < 0) {
		free(session);
		return ret;
	}
	*out = session;
	return 0;
}

static int session_send(struct camera_session *session, struct camera_errand *task,
			const struct camera_wish *wish, struct camera_result *out,
			struct err *err)
{
	int ret;

	task->session = session;
	task->errand.drop = errand_drop;
	if (!errands_run(session->errands, &task->errand, wish->wanted, wish->context,
			 &ret))
		return err_code(err, ret, "hardware_fault",
				"the camera %s does not answer", session->name);
	ret = task->errand.result;
	if (ret < 0 && err)
		*err = task->errand.err;
	*out = task->result;
	if (ret == 0)
		task->result.picture.bytes = NULL; /* the caller's now */
	errand_free(task);
	return ret;
}

static int session_patience(const void *context)
{
	const int64_t *due_ms = context;

	return clock_monotonic_ms() > *due_ms ? -ETIMEDOUT : 0;
}

/* One that hangs keeps its memory: its thread may still come back to it. */
void camera_session_close(struct camera_session *session)
{
	int64_t due_ms = clock_monotonic_ms() + CLOSE_MS;
	struct camera_wish wish = {session_patience, &due_ms};
	struct camera_errand *task;
	struct camera_result result;

	if (!session)
		return;
	task = calloc(1, sizeof(*task));
	if (task) {
		task->errand.run = session_finish;
		session_send(session, task, &wish, &result, NULL);
	}
	if (errands_close(session->errands, CLOSE_MS))
		free(session);
}

int camera_session_ask(struct camera_session *session, const struct camera_wish *wish,
		       struct camera_result *out, struct err *err)
{
	struct camera_errand *task = calloc(1, sizeof(*task));

	if (!task)
		return err_set(err, -ENOMEM, "out of memory");
	task->errand.run = session_run;
	return session_send(session, task, wish, out, err);
}

int camera_session_shoot(struct camera_session *session, const cJSON *settings,
			 enum camera_use use, const struct camera_wish *wish,
			 struct camera_result *out, struct err *err)
{
	struct camera_errand *task = calloc(1, sizeof(*task));

	if (!task)
		return err_set(err, -ENOMEM, "out of memory");
	task->errand.run = session_run;
	task->settings = cJSON_Duplicate(settings, true);
	task->use = use;
	if (!task->settings) {
		free(task);
		return err_set(err, -ENOMEM, "out of memory");
	}
	return session_send(session, task, wish, out, err);
}
