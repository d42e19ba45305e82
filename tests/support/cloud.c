/* Starts cloud_server.py and reads its log. */
#include "tests/support/cloud.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/child.h"
#include "tests/support/script.h"
#include "tests/support/world.h"

static struct child server;
static int port;
static bool encrypted;

const char *cloud_path(struct world *w, const char *name)
{
	return below(w, quoted(w, "cloud/%s", name));
}

static const char *write_secret(struct world *w, const char *name, const char *text)
{
	const char *path = cloud_path(w, name);

	assert_int_equal(file_write(path, text, strlen(text)), 0);
	assert_int_equal(chmod(path, 0600), 0);
	return path;
}

void cloud_start(struct world *w, bool tls)
{
	const char *certificate = NULL, *key = NULL;

	child_kill(&server);
	assert_int_equal(mkdir(below(w, "cloud"), 0755), 0);
	if (tls) {
		make_authority(w, "ca");
		make_certificate(w, "server", "ca", "DNS:localhost,IP:127.0.0.1");
		certificate = below(w, "server.pem");
		key = below(w, "server.key");
	}
	const char *program = OPENSCAN_SOURCE_DIR "/tests/support/cloud_server.py";
	const char *argv[] = {"/usr/bin/python3", program, below(w, "cloud"),
			      certificate,	  key,	   NULL};
	assert_int_equal(child_start(&server, argv, NULL, cloud_path(w, "log")), 0);
	port = atoi(wait_file(w, cloud_path(w, "port"), "\n"));
	encrypted = tls;
	write_secret(w, "password", "free\n");
	write_secret(w, "token", CLOUD_TOKEN "\n");
}

const char *cloud_url(struct world *w)
{
	return quoted(w, "%s://127.0.0.1:%d", encrypted ? "https" : "http", port);
}

const char *cloud_settings(struct world *w, const char *more)
{
	return quoted(w,
		      "{'cloud':{'host':'%s','password_file':'%s','token_file':'%s',"
		      "'webdav_url':'%s/dav/','webdav_user':'openscan',"
		      "'webdav_password_file':'%s','allow_http':%s%s%s}}",
		      cloud_url(w), cloud_path(w, "password"), cloud_path(w, "token"),
		      cloud_url(w), cloud_path(w, "password"),
		      encrypted ? "false" : "true", *more ? "," : "", more);
}

void cloud_model(struct world *w, const char *line)
{
	const char *program = quoted(w,
				     "import zipfile, random, stat\n"
				     "random.seed(7)\n"
				     "z = zipfile.ZipFile('cloud/model.zip', 'w')\n"
				     "%s\nz.close()\n",
				     line);

	assert_int_equal(file_write(below(w, "model.py"), program, strlen(program)), 0);
	run_script(w, "rm -f cloud/model.zip; python3 model.py");
}

void cloud_uploaded_cup(struct world *w)
{
	static const char cup[] = "{\"name\":\"cup\",\"uploaded\":true,"
				  "\"cloud_project_name\":\"cup-1.zip\","
				  "\"downloaded\":false,\"scans\":{}}";
	const char *folder = quoted(w, "%s/cup", w->device.project_dir);

	mkdir(w->device.project_dir, 0755);
	mkdir(folder, 0755);
	assert_int_equal(file_write(quoted(w, "%s/openscan_project.json", folder), cup,
				    strlen(cup)),
			 0);
}

void cloud_download(struct world *w, const char *id)
{
	ask_ok(w, "task/create",
	       "{'id':'%s','type':'cloud_download_task','args':{'project':'cup'}}", id);
}

void cloud_faults(struct world *w, const char *faults)
{
	assert_int_equal(file_write(cloud_path(w, "faults"), faults, strlen(faults)), 0);
}

size_t cloud_requests(struct world *w, const char *part)
{
	return count_of(cloud_path(w, "requests"), part);
}

void cloud_wait_requests(struct world *w, const char *part, size_t n)
{
	wait_count(cloud_path(w, "requests"), part, n);
}
