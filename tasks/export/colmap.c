#include "tasks/export/colmap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tasks/project/folder.h"
#include "tasks/export/camera_model.h"

#define PATH 1024

static void print_cameras(FILE *file, const struct camera_model *model)
{
	fprintf(file, "# CAMERA_ID MODEL WIDTH HEIGHT FX FY CX CY\n");
	fprintf(file, "1 PINHOLE %d %d %.10g %.10g %.10g %.10g\n", model->width,
		model->height, model->fx, model->fy, model->cx, model->cy);
}

/* Each photo has two lines: the second lists its points, of which there are none. */
static void print_images(FILE *file, const struct camera_model *model)
{
	fprintf(file, "# IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME\n"
		      "# POINTS2D as X Y POINT3D_ID\n");
	for (size_t i = 0; i < model->n; i++) {
		const struct camera_model_photo *photo = &model->photos[i];
		const double *q = photo->pose.quaternion, *t = photo->pose.translation;

		fprintf(file, "%zu %.12g %.12g %.12g %.12g %.12g %.12g %.12g 1 %s\n\n",
			i + 1, q[0], q[1], q[2], q[3], t[0], t[1], t[2], photo->name);
	}
}

static void print_points(FILE *file, const struct camera_model *model)
{
	(void)model;
	fprintf(file, "# POINT3D_ID X Y Z R G B ERROR TRACK\n");
}

static int write_text(const struct camera_model *model, const struct folder *folder,
		      const char *path,
		      void (*print)(FILE *, const struct camera_model *), struct err *err)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	int ret;

	if (!file)
		return err_set(err, -ENOMEM, "out of memory");
	print(file, model);
	ret = ferror(file) ? -ENOMEM : 0;
	if (fclose(file) != 0)
		ret = -ENOMEM;
	ret = ret < 0 ? err_set(err, ret, "out of memory")
		      : folder_write(folder, path, text, size, err);
	free(text);
	return ret;
}

int colmap_write(const struct camera_model *model, const struct folder *folder,
		 const char *path, struct err *err)
{
	static const struct {
		const char *name;
		void (*print)(FILE *file, const struct camera_model *model);
	} files[] = {
		{"cameras.txt", print_cameras},
		{"images.txt", print_images},
		{"points3D.txt", print_points},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char name[PATH];
		int ret;

		snprintf(name, sizeof(name), "%s/%s", path, files[i].name);
		ret = write_text(model, folder, name, files[i].print, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}
