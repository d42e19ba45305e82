#include "hal/core.h"

#include <errno.h>
#include <string.h>

#include "agent/base/schema.h"

void core_init(struct core *core, const struct rig_options *options)
{
	atomic_init(&core->estopped, false);
	atomic_init(&core->stops, 0);
	pthread_mutex_init(&core->lock, NULL);
	core->changed = options->changed;
	core->context = options->context;
}

void core_destroy(struct core *core)
{
	pthread_mutex_destroy(&core->lock);
}

void core_changed(struct core *core, enum device_kind kind, const char *name)
{
	if (core->changed)
		core->changed(core->context, kind, name);
}

int core_begin(struct core *core, struct interrupt *interrupt, struct core_leash *leash,
	       struct err *err)
{
	/* First the count, then the latch: a stop in between is seen by core_wanted(). */
	leash->interrupt = interrupt;
	leash->stops = atomic_load(&core->stops);
	if (atomic_load(&core->estopped))
		return err_code(err, -EPERM, "estopped",
				"the emergency stop is on: send queue/resume to lift it");
	return 0;
}

int core_wanted(const struct core *core, const struct core_leash *leash)
{
	if (atomic_load_explicit(&core->stops, memory_order_relaxed) != leash->stops)
		return -ECANCELED;
	return interrupt_raised(leash->interrupt) ? -EINTR : 0;
}

int core_wait(struct core *core, int64_t due_ns, const struct core_leash *leash)
{
	int64_t now;
	int ret;

	do {
		now = core->backend->wait_until(core->hardware, due_ns, leash->interrupt);
		ret = core_wanted(core, leash);
		if (ret < 0)
			return ret;
	} while (now < due_ns);
	return 0;
}

int core_explain(const struct core *core, int ret, struct err *err, const char *act,
		 const char *name)
{
	if (ret == -EINTR)
		return err_code(err, ret, "interrupted", "%s %s was interrupted", act,
				name);
	if (atomic_load(&core->estopped))
		return err_code(err, ret, "estopped",
				"%s %s was ended by the emergency stop", act, name);
	return err_code(err, ret, "cancelled", "%s %s was stopped", act, name);
}

int core_check(const char *schema_text, cJSON *object, const char *at, struct err *err)
{
	struct schema_problem problem;
	struct schema *schema;
	char sentence[512];
	int ret = schema_compile(&schema, schema_text, err);

	if (ret < 0)
		return ret;
	if (schema_check(schema, object, "", &problem, 1) > 0) {
		schema_sentence(&problem, sentence, sizeof(sentence));
		ret = err_code(err, -EINVAL, "invalid_args", "%s", sentence);
		if (at)
			err_prefix(err, "%s", at);
	} else {
		schema_fill(schema, object);
	}
	schema_free(schema);
	return ret;
}

int core_check_name(enum device_kind kind, const char *name, struct err *err)
{
	size_t length = strlen(name);
	bool fits = length > 0 && length < CORE_NAME && !strpbrk(name, "/+#");

	for (const char *c = name; fits && *c; c++)
		fits = (unsigned char)*c >= ' ' && *c != 0x7f;
	if (fits)
		return 0;
	return err_code(err, -EINVAL, "invalid_args",
			"the %s '%.64s' needs a name of 1 to 64 bytes without / + #",
			device_kind_name(kind), name);
}
