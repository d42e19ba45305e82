/* Parses the QR codes of Wi-Fi networks. */
#include "tasks/modules/wifi_code.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "agent/base/utf8.h"

#define PREFIX "WIFI:"
#define WPA_LEAST 8
#define WPA_MOST 63
#define WPA_KEY 64

/* The value of a field, with room for more than is allowed. */
struct field {
	char text[512];
	bool present, truncated;
};

static const char *const names[] = {"nopass", "WPA", "SAE", "WEP"};

const char *wifi_security_name(enum wifi_security security)
{
	return names[security];
}

bool wifi_code_is(const char *text)
{
	return !strncasecmp(text, PREFIX, strlen(PREFIX));
}

/* Reads the value at the beginning of text and returns the text after it. */
static const char *read_value(const char *text, struct field *field)
{
	size_t length = 0;

	*field = (struct field){.present = true};
	for (; *text && *text != ';'; text++) {
		if (*text == '\\' && text[1])
			text++;
		if (length + 1 < sizeof(field->text))
			field->text[length++] = *text;
		else
			field->truncated = true;
	}
	return *text ? text + 1 : text;
}

static int refuse(struct err *err, const char *sentence)
{
	return err_code(err, -EINVAL, "invalid_args", "the Wi-Fi code %s", sentence);
}

static int read_ssid(struct wifi_code *code, const struct field *field, struct err *err)
{
	size_t length = strlen(field->text);

	if (length == 0)
		return refuse(err, "names no network");
	if (length >= WIFI_SSID || field->truncated || !utf8_valid(field->text, length))
		return refuse(err,
			      "names a network that cannot be: a name is UTF-8 of at "
			      "most 32 bytes");
	memcpy(code->ssid, field->text, length + 1);
	return 0;
}

static int read_security(struct wifi_code *code, const struct field *field,
			 bool with_password, struct err *err)
{
	const char *type = field->text;

	if (!*type)
		code->security = with_password ? WIFI_WPA : WIFI_OPEN;
	else if (!strcasecmp(type, "nopass"))
		code->security = WIFI_OPEN;
	else if (!strcasecmp(type, "SAE") || !strcasecmp(type, "WPA3"))
		code->security = WIFI_SAE;
	else if (!strcasecmp(type, "WEP"))
		code->security = WIFI_WEP;
	else if (!strcasecmp(type, "WPA") || !strcasecmp(type, "WPA2"))
		code->security = WIFI_WPA;
	else
		return refuse(err,
			      "asks for a security other than WPA, SAE, WEP or none");
	return 0;
}

static bool is_key(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isxdigit((unsigned char)text[i]))
			return false;
	return length == WPA_KEY;
}

static int read_password(struct wifi_code *code, const struct field *field,
			 struct err *err)
{
	size_t length = strlen(field->text);
	bool wpa = code->security == WIFI_WPA;

	if (code->security == WIFI_OPEN)
		return 0;
	if (length == 0)
		return refuse(err, "holds no password");
	if (length >= WIFI_PASSWORD || field->truncated ||
	    (wpa && (length < WPA_LEAST || length > WPA_MOST) &&
	     !is_key(field->text, length)))
		return refuse(err,
			      "holds a password that cannot be: one of WPA has 8 to 63 "
			      "characters");
	memcpy(code->password, field->text, length + 1);
	return 0;
}

int wifi_code_parse(struct wifi_code *code, const char *text, struct err *err)
{
	struct field fields[4] = {{.present = false}}, other;
	static const char keys[] = "STPH";
	int ret;

	*code = (struct wifi_code){.security = WIFI_OPEN};
	if (!wifi_code_is(text))
		return refuse(err, "does not begin with " PREFIX);
	for (text += strlen(PREFIX); *text;) {
		char name = (char)toupper((unsigned char)*text);
		const char *key = name == ';' ? NULL : strchr(keys, name);
		bool named = key && text[1] == ':';

		text = read_value(named ? text + 2 : text,
				  named ? &fields[key - keys] : &other);
	}
	code->hidden = !strcasecmp(fields[3].text, "true");
	ret = read_ssid(code, &fields[0], err);
	if (ret == 0)
		ret = read_security(code, &fields[1], fields[2].text[0], err);
	if (ret == 0)
		ret = read_password(code, &fields[2], err);
	explicit_bzero(&fields[2], sizeof(fields[2]));
	return ret;
}
