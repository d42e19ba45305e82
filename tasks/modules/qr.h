/* The module "qr": reads QR codes by zbar. */
#ifndef TASKS_MODULES_QR_H
#define TASKS_MODULES_QR_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

struct qr_module {
	/* Reads the text of a QR code, dark on light or light on dark, from a grey image
	 * (rows from the top).  -ENOENT when there is none. */
	int (*read)(const uint8_t *grey, int width, int height, char *text, size_t size,
		    struct err *err);
};

extern const struct qr_module module_qr;

#endif
