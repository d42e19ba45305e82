/* Tests the parsing of Wi-Fi QR codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tasks/modules/wifi_code.h"

/* A password of 70 characters, which WPA does not have. */
#define SEVEN "hunter2"
static const char too_long[] =
	"WIFI:T:WPA;S:a;P:" SEVEN SEVEN SEVEN SEVEN SEVEN SEVEN SEVEN SEVEN SEVEN SEVEN
	";;";

static struct wifi_code parsed(const char *text)
{
	struct wifi_code code;
	struct err err = {0};

	if (wifi_code_parse(&code, text, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return code;
}

static void fields_come_in_any_order(void **state)
{
	struct wifi_code a = parsed("WIFI:T:WPA;S:home;P:12345678;H:true;;");
	struct wifi_code b = parsed("WIFI:H:true;P:12345678;S:home;T:WPA;;");

	(void)state;
	assert_string_equal(a.ssid, "home");
	assert_string_equal(a.password, "12345678");
	assert_int_equal(a.security, WIFI_WPA);
	assert_true(a.hidden);
	assert_memory_equal(&a, &b, sizeof(a));
}

static void a_backslash_makes_the_next_character_plain(void **state)
{
	struct wifi_code code =
		parsed("WIFI:T:WPA;S:a\\;b\\:c\\\\d\\\"e;P:\\;\\;\\;\\;1234;;");

	(void)state;
	assert_string_equal(code.ssid, "a;b:c\\d\"e");
	assert_string_equal(code.password, ";;;;1234");
}

static void without_a_type_the_password_decides(void **state)
{
	(void)state;
	assert_int_equal(parsed("WIFI:S:a;P:12345678;;").security, WIFI_WPA);
	assert_int_equal(parsed("WIFI:S:a;;").security, WIFI_OPEN);
	assert_int_equal(parsed("wifi:s:a;t:nopass").security, WIFI_OPEN);
	assert_int_equal(parsed("WIFI:S:a;T:SAE;P:x;;").security, WIFI_SAE);
	assert_int_equal(parsed("WIFI:S:a;T:WEP;P:x;;").security, WIFI_WEP);
	assert_int_equal(parsed("WIFI:S:a;X:later;T:nopass;P:12345678;;").security,
			 WIFI_OPEN);
}

static void a_bad_code_is_refused_without_showing_the_password(void **state)
{
	static const char *const bad[] = {
		"",
		"http://example.org",
		"WIFI:",
		"WIFI:T:WPA;P:hunter2hunter2;;",
		"WIFI:T:WPA;S:a;;",
		"WIFI:T:WPA;S:a;P:hunter2;;",
		"WIFI:T:WPA2-EAP;S:a;P:hunter2hunter2;;",
		"WIFI:S:123456789012345678901234567890123;;",
		"WIFI:T:WPA;S:\xff;P:hunter2hunter2;;",
		too_long,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct wifi_code code;
		struct err err = {0};

		if (wifi_code_parse(&code, bad[i], &err) == 0)
			fail_msg("%s was taken", bad[i]);
		assert_null(strstr(err.text, "hunter"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_come_in_any_order),
		cmocka_unit_test(a_backslash_makes_the_next_character_plain),
		cmocka_unit_test(without_a_type_the_password_decides),
		cmocka_unit_test(a_bad_code_is_refused_without_showing_the_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
