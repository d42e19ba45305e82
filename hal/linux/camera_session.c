/* Opens, uses and closes one camera on its own thread. */
#include "hal/linux/camera_session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "hal/linux/call_thread.h"

/* How long to wait for a photo that does not come. */
#define PHOTO_NS (15 * INT64_C(1000000000))
#define EXPOSURES 3 /* that a photo may have to wait for */
#define CLOSE_MS 3000
#define NAME_SIZE 65

struct camera_session {
	const struct camera_module *module;
	char name[NAME_SIZE], id[CAMERA_ID];
	struct call_thread *call_thread;

	/* Used by the thread only. */
	struct camera_device *device; /* NULL while it is closed */
	struct camera_facts facts;
};

/* A call to the camera's thread. */
struct camera_call {
	struct call base;
	struct camera_session *session;
	cJSON *settings; /* NULL: only checks whether it is there */
	enum camera_use use;
	struct camera_result result;
};

static void camera_call_free(struct camera_call *call)
{
	cJSON_Delete(call->settings);
	free(call->result.picture.bytes);
	free(call);
}

static void camera_call_destroy(struct call *base)
{
	camera_call_free((struct camera_call *)base);
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

static bool order_abandoned(const struct camera_order *order)
{
	const struct call *base = order->context;

	return atomic_load(&base->abandoned);
}

static int session_take(struct camera_session *session, struct camera_call *call,
			struct err *err)
{
	struct camera_control controls[CAMERA_CONTROLS];
	int64_t exposure_ns = (int64_t)(json_number(call->settings, "shutter", 0) * 1e6);
	struct camera_order order = {
		.preview = call->use != CAMERA_PHOTO,
		.controls = controls,
		.due_ns = clock_monotonic_ns() + EXPOSURES * exposure_ns + PHOTO_NS,
		.abandoned = order_abandoned,
		.context = &call->base,
	};
	int ret = camera_controls(call->settings, &session->facts, call->use, controls,
				  err);

	if (ret < 0)
		return ret;
	order.control_count = (size_t)ret;
	camera_picture_size(call->settings, &session->facts, &order.width, &order.height);
	ret = session->module->shoot(session->device, &order, &call->result.picture, err);
	call->result.taken_at_ms = clock_wall_ms();
	if (ret < 0 && ret != -ECANCELED) {
		session_shut(session);
		session_explain(session, ret, err);
	}
	return ret;
}

static int session_run(struct call *base, struct err *err)
{
	struct camera_call *call = (struct camera_call *)base;
	struct camera_session *session = call->session;
	int ret = session_ready(session, &call->result, err);

	if (ret < 0)
		return session_explain(session, ret, err);
	return call->settings ? session_take(session, call, err) : 0;
}

static int session_finish(struct call *base, struct err *err)
{
	struct camera_call *call = (struct camera_call *)base;

	(void)err;
	session_shut(call->session);
	return 0;
}

/* ---- on the caller's thread ---- */

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
	ret = call_thread_open(&session->call_thread, err);
	if (ret < 0) {
		free(session);
		return ret;
	}
	*out = session;
	return 0;
}

static int session_send(struct camera_session *session, struct camera_call *call,
			const struct wait_condition *condition, struct camera_result *out,
			struct err *err)
{
	int ret;

	call->session = session;
	call->base.destroy = camera_call_destroy;
	if (!call_thread_run(session->call_thread, &call->base, condition, &ret))
		return err_code(err, ret, "hardware_fault",
				"the camera %s does not answer", session->name);
	ret = call->base.result;
	if (ret < 0 && err)
		*err = call->base.err;
	*out = call->result;
	if (ret == 0)
		call->result.picture.bytes = NULL; /* the caller's now */
	camera_call_free(call);
	return ret;
}

static int session_patience(const void *context)
{
	const int64_t *due_ms = context;

	return clock_monotonic_ms() > *due_ms ? -ETIMEDOUT : 0;
}

/* A session whose thread hangs keeps its memory: the thread may still use it. */
void camera_session_close(struct camera_session *session)
{
	int64_t due_ms = clock_monotonic_ms() + CLOSE_MS;
	struct wait_condition condition = {session_patience, &due_ms};
	struct camera_call *call;
	struct camera_result result;

	if (!session)
		return;
	call = calloc(1, sizeof(*call));
	if (call) {
		call->base.run = session_finish;
		session_send(session, call, &condition, &result, NULL);
	}
	if (call_thread_close(session->call_thread, CLOSE_MS))
		free(session);
}

int camera_session_ask(struct camera_session *session,
		       const struct wait_condition *condition, struct camera_result *out,
		       struct err *err)
{
	struct camera_call *call = calloc(1, sizeof(*call));

	if (!call)
		return err_set(err, -ENOMEM, "out of memory");
	call->base.run = session_run;
	return session_send(session, call, condition, out, err);
}

int camera_session_shoot(struct camera_session *session, const cJSON *settings,
			 enum camera_use use, const struct wait_condition *condition,
			 struct camera_result *out, struct err *err)
{
	struct camera_call *call = calloc(1, sizeof(*call));

	if (!call)
		return err_set(err, -ENOMEM, "out of memory");
	call->base.run = session_run;
	call->settings = cJSON_Duplicate(settings, true);
	call->use = use;
	if (!call->settings) {
		free(call);
		return err_set(err, -ENOMEM, "out of memory");
	}
	return session_send(session, call, condition, out, err);
}
