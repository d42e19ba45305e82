/* Plans a scan: checks, path, size and time. */
#include "tasks/core/scan_plan.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/base/json.h"
#include "tasks/core/preflight.h"
#include "tasks/project/project.h"
#include "tasks/project/scan.h"

/* JPEG of quality 90: a third of a byte per pixel and the metadata, a high estimate. */
#define BYTES_PER_PIXEL 0.35
#define BYTES_PER_RAW_PIXEL 3
#define BYTES_PER_PHOTO 4096
#define USUAL_PIXELS (1920.0 * 1080.0) /* of a camera that does not report one */
#define DEFAULT_SHUTTER_MS 50

/* The inputs of the checks. */
struct question {
	const struct task_services *services;
	const struct scan *scan;
	const cJSON *args;
};

static int find_axes(struct scan_plan *plan, const struct question *q, struct err *err)
{
	return orbit_axes_find(&plan->axes, q->services->rig, err);
}

static int find_camera(struct scan_plan *plan, const struct question *q, struct err *err)
{
	const char *name = q->scan ? json_string(scan_document(q->scan), "camera_name")
				   : json_string(q->args, "camera");
	int camera = rig_find(q->services->rig, DEVICE_CAMERA, name, err);

	if (camera < 0)
		return camera;
	plan->camera = (size_t)camera;
	return 0;
}

static int check_name(struct scan_plan *plan, const struct question *q, struct err *err)
{
	const char *name = json_string(q->args, "project");

	(void)plan;
	return project_name_check(name ? name : "", err);
}

static int check_axes(struct scan_plan *plan, const struct question *q, struct err *err)
{
	return orbit_axes_check(&plan->axes, !q->scan, err);
}

static int plan_new(struct scan_plan *plan, const struct question *q, struct err *err)
{
	const cJSON *settings = cJSON_GetObjectItemCaseSensitive(q->args, "settings");
	struct visit_order_axes timing = orbit_axes_timing(&plan->axes);
	int n = scan_settings_read(&plan->settings, settings, &plan->axes.rotor, err);

	if (n < 0)
		return n;
	n = path_settings_points(&plan->settings.path, &timing, plan->points, err);
	if (n < 0)
		return n;
	plan->n = (size_t)n;
	plan->photos = plan->n * (size_t)plan->settings.stacks;
	return 0;
}

/* The number of photos of a point that are not on disk. */
static size_t missing_of(const struct scan *scan, int index)
{
	size_t missing = 0;

	for (int stack = 0; stack < scan_stacks(scan); stack++)
		missing += scan_photo_bytes(scan, (struct scan_photo){index, stack}) == 0;
	return missing;
}

static int plan_rest(struct scan_plan *plan, const struct scan *scan)
{
	const cJSON *settings =
		cJSON_GetObjectItemCaseSensitive(scan_document(scan), "settings");
	size_t n;
	const struct path_point *points = scan_points(scan, &n);

	scan_settings_recall(&plan->settings, settings);
	for (size_t i = 0; i < n; i++) {
		size_t missing = missing_of(scan, points[i].index);

		if (missing)
			plan->points[plan->n++] = points[i];
		plan->photos += missing;
	}
	return 0;
}

static int plan_points(struct scan_plan *plan, const struct question *q, struct err *err)
{
	plan->points = calloc(PATH_MAX_POINTS, sizeof(*plan->points));
	if (!plan->points)
		return err_set(err, -ENOMEM, "out of memory");
	return q->scan ? plan_rest(plan, q->scan) : plan_new(plan, q, err);
}

/* The path of a continued scan was computed for the rig of that time. */
static int check_limits(struct scan_plan *plan, const struct question *q, struct err *err)
{
	return orbit_axes_check_points(q->services->rig, plan->points, plan->n, err);
}

static int check_camera(struct scan_plan *plan, const struct question *q, struct err *err)
{
	return rig_camera_answers(q->services->rig, plan->camera, err);
}

static double pixels_of(const cJSON *camera)
{
	const cJSON *size = cJSON_GetObjectItemCaseSensitive(camera, "photo_resolution");
	const cJSON *width = cJSON_GetArrayItem(size, 0),
		    *height = cJSON_GetArrayItem(size, 1);

	if (!cJSON_IsNumber(width) || !cJSON_IsNumber(height))
		return USUAL_PIXELS;
	return width->valuedouble * height->valuedouble;
}

static void add_up(struct scan_plan *plan, const struct question *q)
{
	cJSON *camera = rig_camera_settings(q->services->rig, plan->camera);
	struct visit_order_axes timing = orbit_axes_timing(&plan->axes);
	double shutter = json_number(camera, "shutter", DEFAULT_SHUTTER_MS);
	double photos = (double)plan->photos;
	double bytes = plan->settings.format == PHOTO_FORMAT_JPEG ? BYTES_PER_PIXEL
								  : BYTES_PER_RAW_PIXEL;

	plan->bytes = photos * (pixels_of(camera) * bytes + BYTES_PER_PHOTO);
	plan->seconds = photos * shutter / 1000;
	plan->seconds += (double)plan->n * (double)plan->settings.pause_ms / 1000;
	plan->seconds += visit_order_seconds(&timing, plan->points, plan->n);
	if (plan->n > 0)
		plan->seconds +=
			orbit_axes_home_seconds(&plan->axes, &plan->points[plan->n - 1]);
	cJSON_Delete(camera);
}

static int check_disk(struct scan_plan *plan, const struct question *q, struct err *err)
{
	double left;

	plan->bytes_free = projects_bytes_free(q->services->projects);
	add_up(plan, q);
	left = (double)plan->bytes_free - plan->bytes;
	if (left >= (double)q->services->min_free_bytes)
		return 0;
	return err_code(
		err, -ENOSPC, "storage_full",
		"the disk is too full: about %.0f MB for the photos and %.0f MB to spare "
		"are needed, %.0f MB are free",
		plan->bytes / 1e6, (double)q->services->min_free_bytes / 1e6,
		(double)plan->bytes_free / 1e6);
}

int scan_plan_open(struct scan_plan *plan, const struct task_services *services,
		   const struct scan *scan, const cJSON *args, cJSON *problems,
		   struct err *err)
{
	/* Without axes and camera the other checks are impossible. */
	static const struct {
		int (*check)(struct scan_plan *plan, const struct question *q,
			     struct err *err);
		bool needed;
	} checks[] = {
		{check_name, false},   {find_axes, true},     {find_camera, true},
		{check_axes, false},   {check_camera, false}, {plan_points, false},
		{check_limits, false}, {check_disk, false},
	};
	const struct question q = {services, scan, args};

	*plan = (struct scan_plan){0};
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct err why = {0};
		int ret = checks[i].check(plan, &q, &why);

		if (ret == 0)
			continue;
		if (!problems)
			return err_code(err, ret, why.code, "%s", why.text);
		preflight_add(problems, &why);
		if (checks[i].needed)
			break;
	}
	return 0;
}

void scan_plan_close(struct scan_plan *plan)
{
	free(plan->points);
}
