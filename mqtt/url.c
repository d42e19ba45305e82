/* Parses the address of a broker and hides its password. */
#include "mqtt/url.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define HIDDEN_STARS 3

struct scheme {
	const char *prefix;
	bool tls, websocket;
	uint16_t port;
};

static const struct scheme schemes[] = {
	{"mqtt://", false, false, 1883},
	{"mqtts://", true, false, 8883},
	{"ws://", false, true, 80},
	{"wss://", true, true, 443},
};

static const struct scheme *scheme_of(const char *text)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (!strncmp(text, schemes[i].prefix, strlen(schemes[i].prefix)))
			return &schemes[i];
	return NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decodes %41 and the like in length bytes of text; -EINVAL for a bad one and for %00. */
static int percent_decode(char *out, size_t size, const char *text, size_t length)
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (c == '%') {
			int high = i + 2 < length ? hex_digit(text[i + 1]) : -1;
			int low = i + 2 < length ? hex_digit(text[i + 2]) : -1;

			if (high < 0 || low < 0 || high + low == 0)
				return -EINVAL;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (used + 1 >= size)
			return -ENAMETOOLONG;
		out[used++] = c;
	}
	out[used] = '\0';
	return 0;
}

static int parse_userinfo(struct url *url, const char *text, size_t length,
			  struct err *err)
{
	const char *colon = memchr(text, ':', length);
	size_t user = colon ? (size_t)(colon - text) : length;
	int ret = percent_decode(url->user, sizeof(url->user), text, user);

	url->has_user = true;
	if (!ret && colon) {
		url->has_password = true;
		ret = percent_decode(url->password, sizeof(url->password), colon + 1,
				     length - user - 1);
	}
	if (ret == -ENAMETOOLONG)
		return err_set(err, -EINVAL,
			       "the broker's url has a login that is too long");
	if (ret < 0)
		return err_set(
			err, -EINVAL,
			"the broker's url has a %% in its login that is not followed "
			"by two hexadecimal digits of a character (write %%25)");
	return 0;
}

static int parse_port(struct url *url, const char *text, struct err *err)
{
	char *end;
	long port;

	errno = 0;
	port = strtol(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || port < 1 || port > 65535)
		return err_set(err, -EINVAL,
			       "the broker's url must end in a port of 1 to 65535");
	url->port = (uint16_t)port;
	return 0;
}

static int parse_host(struct url *url, const char *text, size_t length, struct err *err)
{
	char buffer[sizeof(url->host) + 8];
	char *host = buffer;
	char *rest;

	if (length >= sizeof(buffer))
		return err_set(err, -EINVAL,
			       "the broker's url has a host that is too long");
	memcpy(buffer, text, length);
	buffer[length] = '\0';

	if (*host == '[') {
		host++;
		rest = strchr(host, ']');
		if (!rest)
			return err_set(err, -EINVAL,
				       "the broker's url has a [ without its ]");
		*rest++ = '\0';
		if (*rest && *rest != ':')
			return err_set(
				err, -EINVAL,
				"the broker's url must go on with :port after the ]");
	} else {
		rest = host + strcspn(host, ":");
	}
	if (*rest == ':') {
		*rest++ = '\0';
		if (parse_port(url, rest, err) < 0)
			return err->number;
	}
	if (!*host || strlen(host) >= sizeof(url->host))
		return err_set(err, -EINVAL, "the broker's url must name a host");
	memcpy(url->host, host, strlen(host) + 1);
	return 0;
}

int url_parse(struct url *url, const char *text, struct err *err)
{
	const struct scheme *scheme = scheme_of(text);
	const char *at;
	size_t length;
	struct err mine;
	int ret;

	memset(url, 0, sizeof(*url));
	if (!err)
		err = &mine;
	if (!scheme)
		return err_set(err, -EINVAL,
			       "the broker's url must begin with mqtt:// mqtts:// ws:// "
			       "or wss://");
	url->tls = scheme->tls;
	url->websocket = scheme->websocket;
	url->port = scheme->port;

	text += strlen(scheme->prefix);
	length = strlen(text);
	if (length && text[length - 1] == '/')
		length--;
	/* The last @, because people forget to write %40 in a password. */
	at = memrchr(text, '@', length);
	if (at) {
		ret = parse_userinfo(url, text, (size_t)(at - text), err);
		if (ret < 0)
			return ret;
		length -= (size_t)(at + 1 - text);
		text = at + 1;
	}
	if (memchr(text, '/', length))
		return err_set(err, -EINVAL,
			       "the broker's url must end after host and port");
	return parse_host(url, text, length, err);
}

void url_hide_password(char *text)
{
	const struct scheme *scheme = scheme_of(text);
	char *userinfo = scheme ? text + strlen(scheme->prefix) : text;
	char *colon = strchr(userinfo, ':');
	char *at = strrchr(userinfo, '@');
	size_t length, shown, rest;

	if (!colon || !at || colon > at)
		return;
	length = (size_t)(at - colon) - 1;
	shown = length < HIDDEN_STARS ? length : HIDDEN_STARS;
	rest = strlen(at);
	memset(colon + 1, '*', shown);
	memmove(colon + 1 + shown, at, rest);
	explicit_bzero(colon + 1 + shown + rest, length - shown);
}

void url_clear(struct url *url)
{
	explicit_bzero(url->password, sizeof(url->password));
}
