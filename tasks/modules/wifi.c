/* Joins Wi-Fi networks by NetworkManager's D-Bus interface. */
#include "tasks/modules/wifi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define NM "org.freedesktop.NetworkManager"
#define NM_PATH "/org/freedesktop/NetworkManager"
#define SETTINGS NM ".Settings"
#define SETTINGS_PATH NM_PATH "/Settings"
#define PATH 256

#define DEVICE_ETHERNET 1
#define DEVICE_WIFI 2
#define DEVICE_ACTIVATED 100
#define LINK_ACTIVATED 2
#define LINK_DEACTIVATING 3 /* and above: it will not become active any more */

#define CALL_US (10 * UINT64_C(1000000))
#define STEP_MS 250
#define SCAN_STEPS 40	   /* 10 s for the network to be found */
#define ACTIVATE_STEPS 180 /* 45 s for the connection to become active */

/* One call of join(). */
struct wifi_join {
	sd_bus *bus;
	const struct wifi_code *code;
	const struct wifi_sleeper *sleeper;
	struct err *err;
	char device[PATH], point[PATH], connection[PATH], link[PATH];
};

static int open_bus(sd_bus **bus, struct err *err)
{
	int ret = sd_bus_open_system(bus);

	if (ret >= 0)
		ret = sd_bus_set_method_call_timeout(*bus, CALL_US);
	if (ret < 0)
		return err_code(
			err, -ENOTCONN, "not_supported",
			"NetworkManager cannot be asked, there is no system bus: %s",
			strerror(-ret));
	return 0;
}

/* NetworkManager's error messages never contain passwords. */
static int refuse(struct err *err, const char *what, const sd_bus_error *error, int ret)
{
	return err_code(
		err, -ENOTCONN, "not_supported",
		"NetworkManager did not %s: %s (is it installed and running, and may "
		"this user change networks?)",
		what, error->message ? error->message : strerror(-ret));
}

/* ---- queries ---- */

/* Calls visit for each object path that a method without arguments returns, until visit
 * returns 1. */
static int each_path(sd_bus *bus, const char *path, const char *interface,
		     const char *method, int (*visit)(void *context, const char *path),
		     void *context, struct err *err)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *item;
	int ret =
		sd_bus_call_method(bus, NM, path, interface, method, &error, &reply, "");

	if (ret >= 0)
		ret = sd_bus_message_enter_container(reply, 'a', "o");
	if (ret < 0) {
		ret = refuse(err, "answer", &error, ret);
	} else {
		while (sd_bus_message_read(reply, "o", &item) > 0 &&
		       !visit(context, item))
			;
		ret = 0;
	}
	sd_bus_message_unref(reply);
	sd_bus_error_free(&error);
	return ret;
}

static uint32_t number_of(sd_bus *bus, const char *path, const char *interface,
			  const char *name)
{
	uint32_t number = 0;

	if (sd_bus_get_property_trivial(bus, NM, path, interface, name, NULL, 'u',
					&number) < 0)
		return 0;
	return number;
}

struct search {
	sd_bus *bus;
	const char *ssid;
	bool found;
	char path[PATH];
};

static int is_connected(void *context, const char *path)
{
	struct search *search = context;
	uint32_t type = number_of(search->bus, path, NM ".Device", "DeviceType");
	uint32_t state = number_of(search->bus, path, NM ".Device", "State");

	search->found = (type == DEVICE_ETHERNET || type == DEVICE_WIFI) &&
			state == DEVICE_ACTIVATED;
	return search->found;
}

static int is_wifi(void *context, const char *path)
{
	struct search *search = context;

	search->found =
		number_of(search->bus, path, NM ".Device", "DeviceType") == DEVICE_WIFI;
	snprintf(search->path, PATH, "%s", path);
	return search->found;
}

static int has_ssid(void *context, const char *path)
{
	struct search *search = context;
	sd_bus_message *reply = NULL;
	const void *ssid;
	size_t length;

	if (sd_bus_get_property(search->bus, NM, path, NM ".AccessPoint", "Ssid", NULL,
				&reply, "ay") >= 0 &&
	    sd_bus_message_read_array(reply, 'y', &ssid, &length) > 0)
		search->found = length == strlen(search->ssid) &&
				!memcmp(ssid, search->ssid, length);
	sd_bus_message_unref(reply);
	snprintf(search->path, PATH, "%s", path);
	return search->found;
}

static int connected(bool *yes, struct err *err)
{
	sd_bus *bus = NULL;
	struct search search = {.found = false};
	int ret = open_bus(&bus, err);

	search.bus = bus;
	if (ret == 0)
		ret = each_path(bus, NM_PATH, NM, "GetDevices", is_connected, &search,
				err);
	*yes = search.found;
	sd_bus_flush_close_unref(bus);
	return ret;
}

static int starting(bool *yes, struct err *err)
{
	sd_bus *bus = NULL;
	int ret = open_bus(&bus, err), value = false;

	/* Old versions do not have this property. */
	if (ret == 0)
		sd_bus_get_property_trivial(bus, NM, NM_PATH, NM, "Startup", NULL, 'b',
					    &value);
	*yes = value;
	sd_bus_flush_close_unref(bus);
	return ret;
}

static int find_device(struct wifi_join *j)
{
	struct search search = {.bus = j->bus};
	int ret = each_path(j->bus, NM_PATH, NM, "GetDevices", is_wifi, &search, j->err);

	if (ret < 0)
		return ret;
	if (!search.found)
		return err_code(j->err, -ENODEV, "not_supported",
				"NetworkManager knows no Wi-Fi adapter here");
	snprintf(j->device, PATH, "%s", search.path);
	return 0;
}

/* Finds the access point.  "/", as for a hidden network, leaves it to NetworkManager. */
static int find_point(struct wifi_join *j)
{
	struct search search = {.bus = j->bus, .ssid = j->code->ssid};
	int ret = 0;

	snprintf(j->point, PATH, "/");
	if (j->code->hidden)
		return 0;
	for (int i = 0; ret == 0 && i < SCAN_STEPS; i++) {
		ret = each_path(j->bus, j->device, NM ".Device.Wireless",
				"GetAllAccessPoints", has_ssid, &search, j->err);
		if (ret == 0 && search.found) {
			snprintf(j->point, PATH, "%s", search.path);
			return 0;
		}
		/* Errors are ignored: NetworkManager scans periodically anyway. */
		if (ret == 0 && i == 0)
			sd_bus_call_method(j->bus, NM, j->device, NM ".Device.Wireless",
					   "RequestScan", NULL, NULL, "a{sv}", 0);
		if (ret == 0)
			ret = j->sleeper->sleep(j->sleeper->context, STEP_MS);
	}
	return ret ? ret
		   : err_code(j->err, -ENOENT, "task_failed",
			      "the network '%s' is not in sight", j->code->ssid);
}

/* ---- joining ---- */

static int turn_on(struct wifi_join *j)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int on = 0, ret;

	ret = sd_bus_get_property_trivial(j->bus, NM, NM_PATH, NM, "WirelessEnabled",
					  &error, 'b', &on);
	if (ret >= 0 && !on)
		ret = sd_bus_set_property(j->bus, NM, NM_PATH, NM, "WirelessEnabled",
					  &error, "b", 1);
	ret = ret < 0 ? refuse(j->err, "turn Wi-Fi on", &error, ret) : 0;
	sd_bus_error_free(&error);
	return ret;
}

static void connection_id(const struct wifi_join *j, char id[WIFI_SSID + 16])
{
	snprintf(id, WIFI_SSID + 16, "OpenScan %s", j->code->ssid);
}

static int put_text(sd_bus_message *m, const char *key, const char *value)
{
	return sd_bus_message_append(m, "{sv}", key, "s", value);
}

static int put_ssid(sd_bus_message *m, const char *ssid)
{
	int ret = sd_bus_message_open_container(m, 'e', "sv");

	if (ret >= 0)
		ret = sd_bus_message_append(m, "s", "ssid");
	if (ret >= 0)
		ret = sd_bus_message_open_container(m, 'v', "ay");
	if (ret >= 0)
		ret = sd_bus_message_append_array(m, 'y', ssid, strlen(ssid));
	if (ret >= 0)
		ret = sd_bus_message_close_container(m);
	return ret < 0 ? ret : sd_bus_message_close_container(m);
}

static int open_section(sd_bus_message *m, const char *name)
{
	int ret = sd_bus_message_open_container(m, 'e', "sa{sv}");

	if (ret >= 0)
		ret = sd_bus_message_append(m, "s", name);
	return ret < 0 ? ret : sd_bus_message_open_container(m, 'a', "{sv}");
}

static int close_section(sd_bus_message *m, int ret)
{
	if (ret >= 0)
		ret = sd_bus_message_close_container(m);
	return ret < 0 ? ret : sd_bus_message_close_container(m);
}

static int put_security(sd_bus_message *m, const struct wifi_code *code)
{
	static const char *const managements[] = {NULL, "wpa-psk", "sae", "none"};
	int ret = open_section(m, "802-11-wireless-security");

	if (ret >= 0)
		ret = put_text(m, "key-mgmt", managements[code->security]);
	if (ret >= 0)
		ret = put_text(m, code->security == WIFI_WEP ? "wep-key0" : "psk",
			       code->password);
	return close_section(m, ret);
}

static int put_connection(sd_bus_message *m, const struct wifi_join *j)
{
	char id[WIFI_SSID + 16];
	int ret = sd_bus_message_open_container(m, 'a', "{sa{sv}}");

	connection_id(j, id);
	if (ret >= 0)
		ret = open_section(m, "connection");
	if (ret >= 0)
		ret = put_text(m, "id", id);
	if (ret >= 0)
		ret = put_text(m, "type", "802-11-wireless");
	ret = close_section(m, ret);
	if (ret >= 0)
		ret = open_section(m, "802-11-wireless");
	if (ret >= 0)
		ret = put_ssid(m, j->code->ssid);
	if (ret >= 0 && j->code->hidden)
		ret = sd_bus_message_append(m, "{sv}", "hidden", "b", 1);
	ret = close_section(m, ret);
	if (ret >= 0 && j->code->security != WIFI_OPEN)
		ret = put_security(m, j->code);
	return ret < 0 ? ret : sd_bus_message_close_container(m);
}

static int copy_path(sd_bus_message *reply, char path[PATH])
{
	const char *found;
	int ret = sd_bus_message_read(reply, "o", &found);

	if (ret >= 0)
		snprintf(path, PATH, "%s", found);
	return ret;
}

static int add_connection(struct wifi_join *j)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL, *reply = NULL;
	int ret = sd_bus_message_new_method_call(j->bus, &m, NM, SETTINGS_PATH, SETTINGS,
						 "AddConnection");

	if (ret >= 0)
		ret = sd_bus_message_sensitive(m);
	if (ret >= 0)
		ret = put_connection(m, j);
	if (ret >= 0)
		ret = sd_bus_call(j->bus, m, 0, &error, &reply);
	if (ret >= 0)
		ret = copy_path(reply, j->connection);
	ret = ret < 0 ? refuse(j->err, "take the network", &error, ret) : 0;
	sd_bus_message_unref(m);
	sd_bus_message_unref(reply);
	sd_bus_error_free(&error);
	return ret;
}

static int activate(struct wifi_join *j)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int ret =
		sd_bus_call_method(j->bus, NM, NM_PATH, NM, "ActivateConnection", &error,
				   &reply, "ooo", j->connection, j->device, j->point);

	if (ret >= 0)
		ret = copy_path(reply, j->link);
	ret = ret < 0 ? refuse(j->err, "connect", &error, ret) : 0;
	sd_bus_message_unref(reply);
	sd_bus_error_free(&error);
	return ret;
}

static int wait_for_link(struct wifi_join *j)
{
	for (int i = 0; i < ACTIVATE_STEPS; i++) {
		uint32_t state =
			number_of(j->bus, j->link, NM ".Connection.Active", "State");
		int ret;

		if (state == LINK_ACTIVATED)
			return 0;
		/* A failed connection vanishes. */
		if (state >= LINK_DEACTIVATING || (state == 0 && i > 0))
			break;
		ret = j->sleeper->sleep(j->sleeper->context, STEP_MS);
		if (ret)
			return ret;
	}
	return err_code(
		j->err, -ECONNREFUSED, "task_failed",
		"'%s' did not let us in: is the password of the code right, and the "
		"network near enough?",
		j->code->ssid);
}

static void delete_connection(sd_bus *bus, const char *path)
{
	sd_bus_call_method(bus, NM, path, SETTINGS ".Connection", "Delete", NULL, NULL,
			   "");
}

/* ---- connections of earlier calls ---- */

/* Has the reply of GetSettings this id in its section "connection"? */
static bool has_id(sd_bus_message *m, const char *id)
{
	const char *section, *key, *value;

	if (sd_bus_message_enter_container(m, 'a', "{sa{sv}}") < 0)
		return false;
	while (sd_bus_message_enter_container(m, 'e', "sa{sv}") > 0) {
		if (sd_bus_message_read(m, "s", &section) < 0 ||
		    sd_bus_message_enter_container(m, 'a', "{sv}") < 0)
			return false;
		while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
			if (sd_bus_message_read(m, "s", &key) < 0)
				return false;
			if (!strcmp(section, "connection") && !strcmp(key, "id"))
				return sd_bus_message_read(m, "v", "s", &value) > 0 &&
				       !strcmp(value, id);
			if (sd_bus_message_skip(m, "v") < 0 ||
			    sd_bus_message_exit_container(m) < 0)
				return false;
		}
		/* Leave the array of members, then the section. */
		for (int i = 0; i < 2; i++)
			if (sd_bus_message_exit_container(m) < 0)
				return false;
	}
	return false;
}

static int delete_older(void *context, const char *path)
{
	const struct wifi_join *j = context;
	sd_bus_message *reply = NULL;
	char id[WIFI_SSID + 16];

	connection_id(j, id);
	if (strcmp(path, j->connection) != 0 &&
	    sd_bus_call_method(j->bus, NM, path, SETTINGS ".Connection", "GetSettings",
			       NULL, &reply, "") >= 0 &&
	    has_id(reply, id))
		delete_connection(j->bus, path);
	sd_bus_message_unref(reply);
	return 0;
}

static int join(const struct wifi_code *code, const struct wifi_sleeper *sleeper,
		struct err *err)
{
	struct wifi_join j = {.code = code, .sleeper = sleeper, .err = err};
	int ret = open_bus(&j.bus, err);

	if (ret == 0)
		ret = turn_on(&j);
	if (ret == 0)
		ret = find_device(&j);
	if (ret == 0)
		ret = find_point(&j);
	if (ret == 0)
		ret = add_connection(&j);
	if (ret == 0)
		ret = activate(&j);
	if (ret == 0)
		ret = wait_for_link(&j);
	if (ret == 0)
		each_path(j.bus, SETTINGS_PATH, SETTINGS, "ListConnections", delete_older,
			  &j, NULL);
	else if (j.connection[0])
		delete_connection(j.bus, j.connection);
	sd_bus_flush_close_unref(j.bus);
	return ret;
}

const struct wifi_module module_wifi = {
	.connected = connected,
	.starting = starting,
	.join = join,
};
