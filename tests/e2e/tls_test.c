/* TLS, WebSockets and logins: what connects, what is refused with which sentence, and
 * that no secret appears anywhere. */
#include "tests/support/script.h"
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSWORD "dark-matter-7"
#define SEVERAL_TRIES_MS 2500 /* with reconnect_max_s 1 */

/* ---- the scene ---- */

/* Opens a TLS listener with a certificate for these names; returns its port. */
static int listen_tls(struct world *w, const char *names, const char *more)
{
	int port;

	make_authority(w, "ca");
	make_certificate(w, "broker", "ca", names);
	port = broker_listen(&w->broker,
			     quoted(w, "%scafile %s\ncertfile %s\nkeyfile %s\n", more,
				    below(w, "ca.pem"), below(w, "broker.pem"),
				    below(w, "broker.key")));
	if (port < 0)
		fail_msg("the broker does not listen: %s", strerror(-port));
	return port;
}

/* Writes the mqtt.* settings for the agent's next start; the files have their names in
 * the folder. */
static void use(struct world *w, const char *url, const char *ca, const char *cert)
{
	char *settings = quoted(w,
				"{'mqtt':{'reconnect_max_s':1,'ca_file':'%s',"
				"'cert_file':'%s','key_file':'%s'}}",
				ca ? below(w, quoted(w, "%s.pem", ca)) : "",
				cert ? below(w, quoted(w, "%s.pem", cert)) : "",
				cert ? below(w, quoted(w, "%s.key", cert)) : "");

	w->device.url = url;
	assert_int_equal(device_settings(&w->device, settings), 0);
}

static char *url_of(struct world *w, const char *scheme, const char *host, int port)
{
	return quoted(w, "%s://%s:%d", scheme, host, port);
}

static void start_in_vain(struct world *w, const char *sentence)
{
	assert_int_equal(device_start(&w->device), 0);
	wait_file(w, w->device.log, sentence);
	assert_null(retained(w, BASE "/status"));
}

/* ---- TLS ---- */

static void tls_with_both_certificates_connects(struct world *w)
{
	int port = listen_tls(w, "DNS:localhost", "require_certificate true\n");
	make_certificate(w, "rig", "ca", "DNS:rig1");
	use(w, url_of(w, "mqtts", "localhost", port), "ca", "rig");

	world_start_agent(w);

	create(w, "a", "generator_task", "{'total_steps':3,'interval':0.01}");
	wait_status(w, "a", "completed");
	wait_value(w, BASE "/info", "mqtt_version", "5");
}

static void an_address_that_the_certificate_names_connects(struct world *w)
{
	int port = listen_tls(w, "IP:127.0.0.1", "");
	use(w, url_of(w, "mqtts", "127.0.0.1", port), "ca", NULL);

	world_start_agent(w);

	ask_ok(w, "agent/ping", "{}");
}

static void a_broker_of_another_authority_is_refused(struct world *w)
{
	int port = listen_tls(w, "DNS:localhost", "");
	make_authority(w, "other");
	use(w, url_of(w, "mqtts", "localhost", port), "other", NULL);

	start_in_vain(w, "the broker's certificate: self-signed certificate in "
			 "certificate chain; trying again");
}

static void the_system_authorities_do_not_trust_this_broker(struct world *w)
{
	int port = listen_tls(w, "DNS:localhost", "");
	use(w, url_of(w, "mqtts", "localhost", port), NULL, NULL);

	start_in_vain(w, "the broker's certificate: self-signed certificate");
}

static void a_certificate_for_another_host_is_refused(struct world *w)
{
	int port = listen_tls(w, "DNS:elsewhere", "");
	use(w, url_of(w, "mqtts", "localhost", port), "ca", NULL);

	start_in_vain(w, "the broker's certificate: hostname mismatch");
}

static void a_certificate_for_another_address_is_refused(struct world *w)
{
	int port = listen_tls(w, "DNS:localhost,IP:127.0.0.2", "");
	use(w, url_of(w, "mqtts", "127.0.0.1", port), "ca", NULL);

	start_in_vain(w, "the broker's certificate: IP address mismatch");
}

static void another_host_is_refused_over_websockets_too(struct world *w)
{
	int port = listen_tls(w, "DNS:elsewhere", "protocol websockets\n");
	use(w, url_of(w, "wss", "localhost", port), "ca", NULL);

	start_in_vain(w, "the broker's certificate: hostname mismatch");
}

static void
without_a_client_certificate_the_broker_refuses_the_connection(struct world *w)
{
	int port = listen_tls(w, "DNS:localhost", "require_certificate true\n");
	use(w, url_of(w, "mqtts", "localhost", port), "ca", NULL);

	start_in_vain(w, "the broker broke off TLS: tlsv13 alert certificate required");
}

static void a_plain_listener_is_not_tls(struct world *w)
{
	use(w, url_of(w, "mqtts", "localhost", w->broker.port), NULL, NULL);

	start_in_vain(w, "TLS");
}

static void a_missing_file_is_reported_once_and_may_appear_later(struct world *w)
{
	int port = listen_tls(w, "DNS:localhost", "");
	const char *sentence =
		quoted(w, "%s: No such file or directory", below(w, "late.pem"));
	use(w, url_of(w, "mqtts", "localhost", port), "late", NULL);
	start_in_vain(w, sentence);
	deadline_let_pass(SEVERAL_TRIES_MS);
	assert_int_equal(count_of(w->device.log, sentence), 1);

	run_script(w, "cp ca.pem late.pem");

	wait_message(w, 0, BASE "/status", "online");
}

static void a_changed_reason_is_reported_again(struct world *w)
{
	int port = listen_tls(w, "DNS:localhost", "");
	make_authority(w, "other");
	use(w, url_of(w, "mqtts", "localhost", port), "other", NULL);
	start_in_vain(w, "self-signed certificate");

	broker_stop(&w->broker);

	wait_file(w, w->device.log, "nobody listens there");
	assert_int_equal(broker_restart(&w->broker), 0);
	wait_count(w->device.log, "self-signed certificate", 2);
	assert_int_equal(count_of(w->device.log, "nobody listens there"), 1);
}

/* ---- WebSockets ---- */

static void assert_large_messages_pass(struct world *w)
{
	size_t size = 100 * 1024;
	char *big = quoted(w, "%*s", (int)size, "");

	memcpy(big, "{}", 2);
	assert_true(bool_at(ask_topic(w, BASE "/cmd/agent/ping", big, size), "ok"));
	create(w, "a", "generator_task", "{'total_steps':100,'interval':0.005}");
	wait_status(w, "a", "completed");
	ask_ok(w, "camera/capture", "{}");
	ask_ok(w, "task/events", "{}");
}

static void websockets_connect(struct world *w)
{
	int port = broker_listen(&w->broker, "protocol websockets\n");
	use(w, url_of(w, "ws", "127.0.0.1", port), NULL, NULL);

	world_start_agent(w);

	assert_large_messages_pass(w);
}

static void websockets_over_tls_connect(struct world *w)
{
	int port = listen_tls(w, "DNS:localhost", "protocol websockets\n");
	use(w, url_of(w, "wss", "localhost", port), "ca", NULL);

	world_start_agent(w);

	assert_large_messages_pass(w);
}

static void a_broker_that_restarts_is_reconnected_over_tls(struct world *w)
{
	int port = listen_tls(w, "DNS:localhost", "");
	use(w, url_of(w, "mqtts", "localhost", port), "ca", NULL);
	world_start_agent(w);
	create(w, "a", "generator_task", "{'total_steps':100,'interval':0.02}");

	broker_kill(&w->broker);
	size_t mark = client_mark(w->client);
	world_restart_broker(w);

	wait_message(w, mark, BASE "/status", "online");
	wait_status(w, "a", "completed");
	assert_revs_grow(w);
}

/* ---- logins ---- */

/* The broker refuses wrong logins, and logs each connection at once. */
static void need_login(struct world *w)
{
	int port;

	run_script(w, "mosquitto_passwd -b -c users rig " PASSWORD);
	port = broker_listen(&w->broker, quoted(w, "password_file %s\nlog_dest stderr\n",
						below(w, "users")));
	assert_true(port > 0);
	w->device.port = port;
}

static void use_password_file(struct world *w, const char *content, mode_t mode)
{
	char *path = below(w, "password");

	assert_int_equal(file_write(path, content, strlen(content)), 0);
	assert_int_equal(chmod(path, mode), 0);
	assert_int_equal(
		device_settings(&w->device,
				quoted(w,
				       "{'mqtt':{'reconnect_max_s':1,'user':'rig',"
				       "'password_file':'%s'}}",
				       path)),
		0);
}

static void a_password_comes_from_its_file(struct world *w)
{
	need_login(w);
	use_password_file(w, PASSWORD "\n", 0600);

	world_start_agent(w);

	assert_true(count_of(below(w, "mosquitto.log"), "as rig1 (p5, c0, k60, u'rig')") >
		    0);
	assert_nowhere(w->device.log, PASSWORD);
}

static void a_password_file_is_refused_until_its_mode_is_0600(struct world *w)
{
	char *path;

	need_login(w);
	use_password_file(w, PASSWORD "\n", 0640);
	path = below(w, "password");
	start_in_vain(w, quoted(w,
				"%s: a password file must be for its owner alone: "
				"mode 0600, not 0640",
				path));

	assert_int_equal(chmod(path, 0600), 0);

	wait_message(w, 0, BASE "/status", "online");
	assert_nowhere(w->device.log, PASSWORD);
}

static void a_password_file_of_another_user_is_refused(struct world *w)
{
	need_login(w);
	use_password_file(w, PASSWORD, 0600);
	/* Only root can change the owner of a file. */
	if (chown(below(w, "password"), 12345, (gid_t)-1) < 0)
		skip();

	start_in_vain(w, "a password file must belong to root or to the agent's user");
}

static void a_wrong_password_is_reported_and_can_be_changed(struct world *w)
{
	need_login(w);
	use_password_file(w, "wrong-one", 0600);
	start_in_vain(w, "the broker refuses: ");
	assert_nowhere(w->device.log, "wrong-one");

	use_password_file(w, PASSWORD, 0600);

	wait_message(w, 0, BASE "/status", "online");
}

static void a_password_in_the_url_appears_nowhere(struct world *w)
{
	size_t mark = client_mark(w->client);
	const char *process;

	need_login(w);
	w->device.url = quoted(w, "mqtt://rig:" PASSWORD "@127.0.0.1:%d", w->device.port);
	world_start_agent(w);
	ask_ok(w, "settings/get", "{}");

	process = quoted(w, "/proc/%d", (int)w->device.child.pid);
	assert_nowhere(quoted(w, "%s/environ", process), PASSWORD);
	assert_nowhere(quoted(w, "%s/cmdline", process), PASSWORD);
	assert_nowhere(w->device.log, PASSWORD);
	wait_message(w, mark, BASE "/settings", "rig:***@127.0.0.1");
	for (size_t i = mark; i < client_mark(w->client); i++)
		assert_null(strstr(client_at(w->client, i)->payload, PASSWORD));
	assert_true(count_of(below(w, "mosquitto.log"), "u'rig'") > 0);
}

static void print_config_hides_the_password(struct world *w)
{
	const char *argv[] = {w->device.program, "--print-config", NULL};
	const char *env[] = {"OPENSCAN_MQTT_URL=mqtt://rig:" PASSWORD "@broker", NULL};
	struct child child = {0};
	char *out = below(w, "printed.json");

	assert_int_equal(child_start(&child, argv, env, out), 0);
	assert_true(child_wait(&child, deadline_patient(SOON_MS)));

	assert_int_equal(child.status, 0);
	assert_int_equal(count_of(out, "mqtt://rig:***@broker"), 1);
	assert_nowhere(out, PASSWORD);
}

static const struct world_options later = {.agent_later = true};

static const struct test tests[] = {
	TEST_WITH(tls_with_both_certificates_connects, later),
	TEST_WITH(an_address_that_the_certificate_names_connects, later),
	TEST_WITH(a_broker_of_another_authority_is_refused, later),
	TEST_WITH(the_system_authorities_do_not_trust_this_broker, later),
	TEST_WITH(a_certificate_for_another_host_is_refused, later),
	TEST_WITH(a_certificate_for_another_address_is_refused, later),
	TEST_WITH(another_host_is_refused_over_websockets_too, later),
	TEST_WITH(without_a_client_certificate_the_broker_refuses_the_connection, later),
	TEST_WITH(a_plain_listener_is_not_tls, later),
	TEST_WITH(a_missing_file_is_reported_once_and_may_appear_later, later),
	TEST_WITH(a_changed_reason_is_reported_again, later),
	TEST_WITH(websockets_connect, later),
	TEST_WITH(websockets_over_tls_connect, later),
	TEST_WITH(a_broker_that_restarts_is_reconnected_over_tls, later),
	TEST_WITH(a_password_comes_from_its_file, later),
	TEST_WITH(a_password_file_is_refused_until_its_mode_is_0600, later),
	TEST_WITH(a_password_file_of_another_user_is_refused, later),
	TEST_WITH(a_wrong_password_is_reported_and_can_be_changed, later),
	TEST_WITH(a_password_in_the_url_appears_nowhere, later),
	TEST_WITH(print_config_hides_the_password, later),
};

int main(int argc, char **argv)
{
	return world_run("tls", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
