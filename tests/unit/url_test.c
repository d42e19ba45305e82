/* Tests the parsing of the broker's URL. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mqtt/url.h"

static void a_host_alone_gets_the_port_of_its_scheme(void **state)
{
	static const struct {
		const char *text;
		uint16_t port;
		bool tls, websocket;
	} cases[] = {
		{"mqtt://broker", 1883, false, false},
		{"mqtts://broker", 8883, true, false},
		{"ws://broker/", 80, false, true},
		{"wss://broker", 443, true, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct url url;

		assert_int_equal(url_parse(&url, cases[i].text, NULL), 0);

		assert_string_equal(url.host, "broker");
		assert_int_equal(url.port, cases[i].port);
		assert_int_equal(url.tls, cases[i].tls);
		assert_int_equal(url.websocket, cases[i].websocket);
		assert_false(url.has_user);
		assert_false(url.has_password);
	}
}

static void a_login_is_percent_decoded(void **state)
{
	struct url url;

	(void)state;
	assert_int_equal(url_parse(&url, "mqtt://a%20b:c%3A%40d@10.0.0.7:18", NULL), 0);

	assert_string_equal(url.user, "a b");
	assert_string_equal(url.password, "c:@d");
	assert_string_equal(url.host, "10.0.0.7");
	assert_int_equal(url.port, 18);
}

static void the_last_at_sign_ends_the_login(void **state)
{
	struct url url;

	(void)state;
	assert_int_equal(url_parse(&url, "mqtt://me:p@ss@broker", NULL), 0);

	assert_string_equal(url.password, "p@ss");
	assert_string_equal(url.host, "broker");
}

static void an_ipv6_address_is_in_brackets(void **state)
{
	struct url url;

	(void)state;
	assert_int_equal(url_parse(&url, "mqtt://[fe80::1]:1884", NULL), 0);

	assert_string_equal(url.host, "fe80::1");
	assert_int_equal(url.port, 1884);
}

static void an_error_never_contains_the_password(void **state)
{
	static const char *const bad[] = {
		"",
		"broker",
		"http://secret@broker",
		"mqtt://",
		"mqtt://me:secret@",
		"mqtt://me:secret@broker:0",
		"mqtt://me:secret@broker:65536",
		"mqtt://me:secret@broker:+1",
		"mqtt://me:secret@broker:",
		"mqtt://me:secret@broker/path",
		"mqtt://me:secret%00@broker",
		"mqtt://me:secret%4@broker",
		"mqtt://me:secret%@broker",
		"mqtt://me:secret@[::1",
		"mqtt://me:secret@[::1]x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = {0};
		struct url url;

		assert_int_equal(url_parse(&url, bad[i], &err), -EINVAL);

		assert_non_null(strstr(err.text, "the broker's url"));
		assert_null(strstr(err.text, "secret"));
	}
}

static void a_password_is_overwritten_in_place(void **state)
{
	static const struct {
		const char *text, *hidden;
	} cases[] = {
		{"mqtt://me:secret@host:18", "mqtt://me:***@host:18"},
		{"mqtts://me:a:b@c@host", "mqtts://me:***@host"},
		{"ws://me:x@host", "ws://me:*@host"},
		{"ws://me:@host", "ws://me:@host"},
		{"mqtt://me@host:18", "mqtt://me@host:18"},
		{"mqtt://host:18", "mqtt://host:18"},
		{"me:secret@host", "me:***@host"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[64] = {0};
		size_t length = strlen(cases[i].text);

		memcpy(text, cases[i].text, length);
		url_hide_password(text);

		assert_string_equal(text, cases[i].hidden);
		for (size_t at = strlen(text); at < length; at++)
			assert_int_equal(text[at], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_alone_gets_the_port_of_its_scheme),
		cmocka_unit_test(a_login_is_percent_decoded),
		cmocka_unit_test(a_password_is_overwritten_in_place),
		cmocka_unit_test(the_last_at_sign_ends_the_login),
		cmocka_unit_test(an_ipv6_address_is_in_brackets),
		cmocka_unit_test(an_error_never_contains_the_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
