/* Carries out HTTP requests by libcurl. */
#include "tasks/modules/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>

#define POLL_MS 50
#define CONNECT_S 20
#define REDIRECTS 5
#define HEADER_BYTES 512
#define UNSENT_BYTES (128 * 1024)

/* A request in progress. */
struct exchange {
	const struct http_request *request;
	struct http_answer *answer;
	struct err *err;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	int socket; /* -1 before there is one */
	int64_t sent;
	int ret; /* of the callback that ended the request, or 0 */
	bool begun;
	char why[CURL_ERROR_SIZE];
};

static void start_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- curl's callbacks ---- */

static size_t on_read(char *bytes, size_t item, size_t items, void *context)
{
	struct exchange *x = context;
	const struct http_request *request = x->request;
	int64_t left = request->size - x->sent;
	size_t n = item * items;

	if ((int64_t)n > left)
		n = (size_t)left;
	if (n == 0)
		return 0;
	x->ret = request->read(request->context, x->sent, bytes, n, x->err);
	if (x->ret)
		return CURL_READFUNC_ABORT;
	x->sent += (int64_t)n;
	return n;
}

/* Limits the unsent data in the kernel, so that progress is accurate and a stop takes
 * effect soon. */
static int on_socket(void *context, curl_socket_t socket, curlsocktype purpose)
{
	struct exchange *x = context;
	int unsent = UNSENT_BYTES;

	(void)purpose;
	x->socket = socket;
	setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	return CURL_SOCKOPT_OK;
}

static int on_seek(void *context, curl_off_t offset, int origin)
{
	struct exchange *x = context;

	if (origin != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	x->sent = offset;
	return CURL_SEEKFUNC_OK;
}

/* The value of the header name in line, else NULL. */
static const char *header_value(const char *line, const char *name)
{
	size_t length = strlen(name);

	if (strncasecmp(line, name, length) != 0 || line[length] != ':')
		return NULL;
	line += length + 1;
	return line + strspn(line, " \t");
}

static void read_header(struct http_answer *answer, const char *line)
{
	const char *value;

	if ((value = header_value(line, "etag")) && strncmp(value, "W/", 2) != 0)
		snprintf(answer->tag, sizeof(answer->tag), "%.*s",
			 (int)strcspn(value, "\r\n"), value);
	if ((value = header_value(line, "content-range")) &&
	    !strncasecmp(value, "bytes ", 6))
		answer->first = strtoll(value + 6, NULL, 10);
}

/* Each response, also that of a redirect, begins with a status line. */
static size_t on_header(char *bytes, size_t item, size_t items, void *context)
{
	struct exchange *x = context;
	size_t n = item * items;
	char line[HEADER_BYTES];

	if (n >= sizeof(line))
		return n; /* longer than any header we need */
	memcpy(line, bytes, n);
	line[n] = '\0';
	if (!strncmp(line, "HTTP/", 5))
		*x->answer = (struct http_answer){.length = -1, .first = -1};
	read_header(x->answer, line);
	return n;
}

static void read_status(struct exchange *x)
{
	curl_off_t length = -1;
	long status = 0;

	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(x->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	x->answer->status = (int)status;
	x->answer->length = length;
}

static size_t on_write(char *bytes, size_t item, size_t items, void *context)
{
	struct exchange *x = context;
	const struct http_request *request = x->request;
	size_t n = item * items;

	if (!x->begun) {
		x->begun = true;
		read_status(x);
		if (request->begin)
			x->ret = request->begin(request->context, x->answer, x->err);
	}
	if (x->ret == 0 && n > 0)
		x->ret = request->write(request->context, bytes, n, x->err);
	return x->ret ? 0 : n;
}

/* ---- curl's options ---- */

static bool add_header(struct exchange *x, const char *name, const char *value)
{
	char line[HEADER_BYTES];
	struct curl_slist *longer;

	snprintf(line, sizeof(line), "%s:%s%s", name, *value ? " " : "", value);
	longer = curl_slist_append(x->headers, line);
	if (longer)
		x->headers = longer;
	return longer != NULL;
}

static bool set_headers(struct exchange *x)
{
	const struct http_request *request = x->request;
	char range[48];

	/* No Expect header: some servers never send 100 Continue. */
	if (!add_header(x, "Expect", "") ||
	    (request->type && !add_header(x, "Content-Type", request->type)))
		return false;
	if (request->from > 0) {
		snprintf(range, sizeof(range), "bytes=%lld-", (long long)request->from);
		if (!add_header(x, "Range", range) ||
		    (request->if_tag && !add_header(x, "If-Range", request->if_tag)))
			return false;
	}
	curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
	return true;
}

static void set_body(struct exchange *x)
{
	const struct http_request *request = x->request;

	if (!request->read)
		return;
	curl_easy_setopt(x->easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(x->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->size);
	curl_easy_setopt(x->easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(x->easy, CURLOPT_READDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(x->easy, CURLOPT_SEEKDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
	curl_easy_setopt(x->easy, CURLOPT_SOCKOPTDATA, x);
}

/* Certificates are always verified, which is curl's default. */
static void set_trust(struct exchange *x)
{
	const struct http_request *request = x->request;
	const char *schemes = request->allow_http ? "http,https" : "https";

	curl_easy_setopt(x->easy, CURLOPT_PROTOCOLS_STR, schemes);
	curl_easy_setopt(x->easy, CURLOPT_REDIR_PROTOCOLS_STR, schemes);
	curl_easy_setopt(x->easy, CURLOPT_FOLLOWLOCATION, request->follow ? 1L : 0L);
	curl_easy_setopt(x->easy, CURLOPT_MAXREDIRS, (long)REDIRECTS);
	if (request->ca_file)
		curl_easy_setopt(x->easy, CURLOPT_CAINFO, request->ca_file);
	if (request->user) {
		curl_easy_setopt(x->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(x->easy, CURLOPT_USERNAME, request->user);
		curl_easy_setopt(x->easy, CURLOPT_PASSWORD,
				 request->password ? request->password : "");
	}
}

static void set_all(struct exchange *x)
{
	const struct http_request *request = x->request;

	curl_easy_setopt(x->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, x->why);
	curl_easy_setopt(x->easy, CURLOPT_USERAGENT, "openscan-agent/" OPENSCAN_VERSION);
	curl_easy_setopt(x->easy, CURLOPT_URL, request->url);
	curl_easy_setopt(
		x->easy, CURLOPT_CONNECTTIMEOUT,
		(long)(request->timeout_s < CONNECT_S ? request->timeout_s : CONNECT_S));
	curl_easy_setopt(x->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(x->easy, CURLOPT_LOW_SPEED_TIME, (long)request->timeout_s);
	curl_easy_setopt(x->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
	set_trust(x);
	set_body(x);
	curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, request->method);
}

/* ---- one request ---- */

/* Bytes in the socket's send queue.  On a slow link, counting them as sent would show a
 * part as complete minutes too early. */
static int64_t bytes_queued(const struct exchange *x)
{
	int bytes = 0;

	if (x->socket < 0 || ioctl(x->socket, SIOCOUTQ, &bytes) < 0)
		return 0;
	return bytes < x->sent ? bytes : x->sent;
}

/* Runs the request to its end and returns curl's code. */
static CURLcode perform(struct exchange *x)
{
	const struct http_request *request = x->request;
	int running = 1;

	while (running) {
		CURLMcode code = curl_multi_perform(x->multi, &running);

		if (code == CURLM_OK && running)
			code = curl_multi_poll(x->multi, NULL, 0, POLL_MS, NULL);
		if (code != CURLM_OK)
			return CURLE_OUT_OF_MEMORY;
		if (x->ret == 0 && request->tick)
			x->ret = request->tick(request->context,
					       x->sent - bytes_queued(x));
		if (x->ret)
			return CURLE_ABORTED_BY_CALLBACK;
	}
	for (int left;;) {
		const CURLMsg *message = curl_multi_info_read(x->multi, &left);

		if (!message)
			return CURLE_RECV_ERROR;
		if (message->msg == CURLMSG_DONE)
			return message->data.result;
	}
}

static int curl_error(struct exchange *x, CURLcode code)
{
	const char *why = x->why[0] ? x->why : curl_easy_strerror(code);

	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return err_code(
			x->err, -EPROTO, "task_failed",
			"the server's certificate is not trusted (%s): if it is your "
			"own server, name its authority in cloud.ca_file",
			why);
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_TOO_MANY_REDIRECTS:
		return err_code(x->err, -EPROTO, "task_failed",
				"the address is not one to use: %s", why);
	case CURLE_OPERATION_TIMEDOUT:
		return err_code(x->err, -EAGAIN, "timeout",
				"the server did not take or send a byte for too long");
	case CURLE_OUT_OF_MEMORY:
		return err_set(x->err, -ENOMEM, "out of memory");
	default:
		return err_code(x->err, -EAGAIN, "task_failed", "%s", why);
	}
}

static int open_exchange(struct exchange *x)
{
	x->multi = curl_multi_init();
	x->easy = curl_easy_init();
	if (!x->multi || !x->easy || !set_headers(x))
		return err_set(x->err, -ENOMEM, "out of memory");
	set_all(x);
	if (curl_multi_add_handle(x->multi, x->easy) != CURLM_OK)
		return err_set(x->err, -ENOMEM, "out of memory");
	return 0;
}

static void close_exchange(struct exchange *x)
{
	if (x->multi && x->easy)
		curl_multi_remove_handle(x->multi, x->easy);
	curl_easy_cleanup(x->easy);
	curl_multi_cleanup(x->multi);
	curl_slist_free_all(x->headers);
}

static int carry_out(const struct http_request *request, struct http_answer *answer,
		     struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct err ignored = {0};
	struct exchange x = {
		.request = request,
		.answer = answer,
		.err = err ? err : &ignored,
		.socket = -1,
	};
	CURLcode code;
	int ret;

	*answer = (struct http_answer){.length = -1, .first = -1};
	pthread_once(&once, start_curl);
	ret = open_exchange(&x);
	if (ret == 0) {
		code = perform(&x);
		read_status(&x);
		ret = x.ret ? x.ret : code != CURLE_OK ? curl_error(&x, code) : 0;
	}
	close_exchange(&x);
	return ret;
}

const struct http_module module_http = {
	.request = carry_out,
};
