/* A host for the tests of task types: it answers a run and remembers what the run
 * reported.
 *
 * A test defines its own struct task_run, which begins with a struct fake_host:
 *
 *     struct task_run {
 *             struct fake_host fake;
 *             int blinks;
 *     };
 *
 * After fake_host_open() a test may put its own functions into fake.functions and the rig
 * and the projects that the type needs into fake.services. */
#ifndef TESTS_UNIT_FAKE_HOST_H
#define TESTS_UNIT_FAKE_HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/cancel.h"
#include "agent/base/json.h"
#include "agent/base/schema.h"
#include "hal/rig.h"
#include "tasks/services.h"
#include "tasks/task_api.h"

struct fake_host {
	struct task_host functions;
	struct task_services services;
	struct cancel cancel; /* what cancel() lends to the run */
	int stop;	      /* what gate() answers: 0, or what a stopped run returns */

	/* What the run did. */
	int gates, sleeps, checkpoints, logs;
	int64_t slept_ms;
	double current, total;	   /* of the latest progress() */
	char *saved, *result;	   /* of the latest checkpoint() and result(), or NULL */
	char code[32], text[1024]; /* of fail_with() */
};

static inline struct fake_host *fake_host_of(struct task_run *run)
{
	return (struct fake_host *)run;
}

static inline void fake_progress(struct task_run *run, double current, double total,
				 const char *text)
{
	(void)text;
	fake_host_of(run)->current = current;
	fake_host_of(run)->total = total;
}

static inline int fake_begin(struct task_run *run)
{
	(void)run;
	return 0;
}

static inline int fake_checkpoint(struct task_run *run, const char *state)
{
	struct fake_host *fake = fake_host_of(run);

	free(fake->saved);
	fake->saved = strdup(state);
	fake->checkpoints++;
	return 0;
}

static inline const char *fake_saved(struct task_run *run)
{
	return fake_host_of(run)->saved;
}

static inline int fake_gate(struct task_run *run)
{
	fake_host_of(run)->gates++;
	return fake_host_of(run)->stop;
}

/* Does not wait. */
static inline int fake_sleep(struct task_run *run, int64_t ms)
{
	struct fake_host *fake = fake_host_of(run);

	fake->sleeps++;
	fake->slept_ms += ms;
	return fake->functions.gate(run);
}

static inline struct cancel *fake_cancel(struct task_run *run)
{
	return &fake_host_of(run)->cancel;
}

static inline void fake_log(struct task_run *run, enum task_log level, const char *text)
{
	(void)level;
	(void)text;
	fake_host_of(run)->logs++;
}

static inline void fake_result(struct task_run *run, const char *json)
{
	struct fake_host *fake = fake_host_of(run);

	free(fake->result);
	fake->result = strdup(json);
}

static inline int fake_fail_with(struct task_run *run, const char *code, const char *text)
{
	struct fake_host *fake = fake_host_of(run);

	snprintf(fake->code, sizeof(fake->code), "%s", code);
	snprintf(fake->text, sizeof(fake->text), "%s", text);
	return -1;
}

static inline void fake_event(struct task_run *run, const char *name, const char *data)
{
	(void)run;
	(void)name;
	(void)data;
}

static inline const char *fake_id(struct task_run *run)
{
	(void)run;
	return "task-1";
}

static inline int fake_attempt(struct task_run *run)
{
	(void)run;
	return 1;
}

static inline bool fake_estopped(struct task_run *run)
{
	struct rig *rig = fake_host_of(run)->services.rig;

	return rig && rig_estopped(rig);
}

static inline void fake_image(struct task_run *run, const char *camera, const void *jpeg,
			      uint64_t size)
{
	(void)run;
	(void)camera;
	(void)jpeg;
	(void)size;
}

static inline void fake_host_open(struct task_run *run)
{
	struct fake_host *fake = fake_host_of(run);

	*fake = (struct fake_host){.functions = {.version = TASK_API_VERSION,
						 .size = sizeof(struct task_host),
						 .progress = fake_progress,
						 .begin = fake_begin,
						 .checkpoint = fake_checkpoint,
						 .saved = fake_saved,
						 .gate = fake_gate,
						 .sleep = fake_sleep,
						 .cancel = fake_cancel,
						 .log = fake_log,
						 .result = fake_result,
						 .fail_with = fake_fail_with,
						 .event = fake_event,
						 .id = fake_id,
						 .attempt = fake_attempt,
						 .estopped = fake_estopped,
						 .image = fake_image,
						 .services = &fake->services}};
	cancel_init(&fake->cancel);
}

static inline void fake_host_close(struct task_run *run)
{
	struct fake_host *fake = fake_host_of(run);

	cancel_destroy(&fake->cancel);
	free(fake->saved);
	free(fake->result);
}

/* The arguments as the agent hands them over: checked by the type's schema, and with its
 * defaults.  The caller frees them with cJSON_free(). */
static inline char *fake_host_args(const struct task_type *type, const char *args)
{
	struct schema_problem problem = {0};
	struct schema *schema;
	struct err err = {0};
	cJSON *json = cJSON_Parse(args);
	char *text;

	if (schema_compile(&schema, type->args, &err) < 0)
		fail_msg("%s", err.text);
	if (schema_check(schema, json, "/args", &problem, 1) > 0)
		fail_msg("%s %s", problem.path, problem.message);
	schema_fill(schema, json);
	text = json_text(json);
	schema_free(schema);
	cJSON_Delete(json);
	return text;
}

static inline int fake_host_run(struct task_run *run, const struct task_type *type,
				const char *args)
{
	char *text = fake_host_args(type, args);
	int ret = type->run(type, &fake_host_of(run)->functions, run, text);

	cJSON_free(text);
	return ret;
}

#endif
