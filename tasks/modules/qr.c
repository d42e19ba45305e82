/* Finds QR codes by zbar. */
#include "tasks/modules/qr.h"

#include <errno.h>
#include <string.h>
#include <zbar.h>

#define GREY zbar_fourcc('Y', '8', '0', '0')

static int take_text(const zbar_image_t *image, char *text, size_t size)
{
	const zbar_symbol_t *symbol = zbar_image_first_symbol(image);
	unsigned length;

	if (!symbol)
		return -ENOENT;
	length = zbar_symbol_get_data_length(symbol);
	if (length >= size)
		return -ENOENT; /* longer than any code we use */
	memcpy(text, zbar_symbol_get_data(symbol), length);
	text[length] = '\0';
	return 0;
}

/* Reads binary data, since zbar would guess the character set of text. */
static int scan(zbar_image_scanner_t *scanner, zbar_image_t *image, char *text,
		size_t size)
{
	if (zbar_image_scanner_set_config(scanner, ZBAR_NONE, ZBAR_CFG_ENABLE, 0) ||
	    zbar_image_scanner_set_config(scanner, ZBAR_QRCODE, ZBAR_CFG_ENABLE, 1) ||
	    zbar_image_scanner_set_config(scanner, ZBAR_QRCODE, ZBAR_CFG_BINARY, 1) ||
	    zbar_image_scanner_set_config(scanner, ZBAR_NONE, ZBAR_CFG_TEST_INVERTED, 1))
		return -EINVAL;
	return zbar_scan_image(scanner, image) > 0 ? take_text(image, text, size)
						   : -ENOENT;
}

static int read_code(const uint8_t *grey, int width, int height, char *text, size_t size,
		     struct err *err)
{
	zbar_image_scanner_t *scanner = zbar_image_scanner_create();
	zbar_image_t *image = zbar_image_create();
	int ret;

	if (!scanner || !image) {
		ret = err_set(err, -ENOMEM, "out of memory");
		goto done;
	}
	zbar_image_set_format(image, GREY);
	zbar_image_set_size(image, (unsigned)width, (unsigned)height);
	zbar_image_set_data(image, grey, (unsigned long)width * (unsigned long)height,
			    NULL);
	ret = scan(scanner, image, text, size);
	if (ret == -EINVAL)
		err_code(err, ret, "not_supported", "this zbar cannot read QR codes");
done:
	if (image)
		zbar_image_destroy(image);
	if (scanner)
		zbar_image_scanner_destroy(scanner);
	return ret;
}

const struct qr_module module_qr = {
	.read = read_code,
};
