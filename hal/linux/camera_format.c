/* The table of known pixel formats. */
#include "hal/linux/camera_format.h"

/* From drm_fourcc.h, which not every system has. */
#define FOURCC(a, b, c, d)                                                               \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

static const struct {
	uint32_t fourcc;
	int planes;
	size_t rows_by; /* planes after the first have fewer rows by this factor */
	size_t stride_by;
} formats[CAMERA_LAYOUTS] = {
	[CAMERA_RGB888] = {FOURCC('R', 'G', '2', '4'), 1, 1, 1},
	[CAMERA_BGR888] = {FOURCC('B', 'G', '2', '4'), 1, 1, 1},
	[CAMERA_XRGB8888] = {FOURCC('X', 'R', '2', '4'), 1, 1, 1},
	[CAMERA_XBGR8888] = {FOURCC('X', 'B', '2', '4'), 1, 1, 1},
	[CAMERA_YUV420] = {FOURCC('Y', 'U', '1', '2'), 3, 2, 2},
	[CAMERA_NV12] = {FOURCC('N', 'V', '1', '2'), 2, 2, 1},
	[CAMERA_YUYV] = {FOURCC('Y', 'U', 'Y', 'V'), 1, 1, 1},
};

int camera_format_layout(uint32_t fourcc)
{
	for (int i = 0; i < CAMERA_LAYOUTS; i++)
		if (formats[i].fourcc == fourcc)
			return i;
	return -1;
}

uint32_t camera_format_best(const uint32_t *offered, size_t count)
{
	static const enum camera_layout wanted[] = {
		CAMERA_BGR888, CAMERA_RGB888, CAMERA_XBGR8888, CAMERA_XRGB8888,
		CAMERA_YUV420, CAMERA_NV12,   CAMERA_YUYV};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		for (size_t j = 0; j < count; j++)
			if (offered[j] == formats[wanted[i]].fourcc)
				return offered[j];
	return 0;
}

int camera_format_place(struct camera_picture *picture, size_t stride,
			size_t sizes[CAMERA_PLANES])
{
	size_t rows = (size_t)picture->height;
	int planes = formats[picture->layout].planes;

	picture->size = 0;
	for (int i = 0; i < planes; i++) {
		size_t rows_by = i ? formats[picture->layout].rows_by : 1;

		picture->offset[i] = picture->size;
		picture->stride[i] =
			stride / (i ? formats[picture->layout].stride_by : 1);
		sizes[i] = picture->stride[i] * ((rows + rows_by - 1) / rows_by);
		picture->size += sizes[i];
	}
	return planes;
}
