#include "config.h"

#include "contrib/watch/fetch.h"

#include "base/addr.h"
#include "base/clock.h"
#include "base/text.h"
#include "verify/x509/pem.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct transfer {
	LIST_ENTRY(transfer) link;
	struct fetcher *fetcher;
	CURL *curl;
	struct fetch_body body;
	size_t limit;
	char host[256];
	char error[CURL_ERROR_SIZE];
	fetch_fn *fn;
	void *arg;
	bool judged, too_large, no_room, gzip;
	const char *refused; /* the first reason; NULL: the chain is accepted, or not judged yet */
};

struct fetcher {
	CURLM *multi;
	const struct vfy_policy *policy;
	LIST_HEAD(, transfer) running;
	LIST_HEAD(, transfer) spare; /* kept with their handles */
	struct curl_slist *gzip_header;
	size_t held; /* bytes reserved or in use */
	unsigned under_way;
};

struct fetcher *
fetcher_new(const struct vfy_policy *policy)
{
	struct fetcher *f = calloc(1, sizeof *f);

	if (f == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(f);
		return NULL;
	}
	f->policy = policy;
	f->multi = curl_multi_init();
	f->gzip_header = curl_slist_append(NULL, "Accept-Encoding: gzip, identity");
	if (f->multi == NULL || f->gzip_header == NULL) {
		fetcher_free(f);
		return NULL;
	}
	(void)curl_multi_setopt(f->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)FETCHER_CONNECTIONS_MAX);
	(void)curl_multi_setopt(f->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)FETCHER_HOST_MAX);
	(void)curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, (long)FETCHER_CONNECTIONS_MAX);
	return f;
}

/* ---- the budget */

/* The body may grow to so many bytes; what it holds is at least what it reserved. */
static bool
held_grow(struct fetcher *f, struct fetch_body *body, size_t bytes)
{
	if (bytes <= body->reserved)
		return true;
	if (f->held + (bytes - body->reserved) > FETCHER_BYTES_MAX)
		return false;
	f->held += bytes - body->reserved;
	body->reserved = bytes;
	return true;
}

void
fetch_body_take(struct fetch_body *mine, struct fetch_body *lent)
{
	*mine = *lent;
	*lent = (struct fetch_body){.bytes = buf_max(0)};
}

void
fetch_body_free(struct fetcher *f, struct fetch_body *body)
{
	f->held -= body->reserved;
	body->reserved = 0;
	buf_free(&body->bytes);
}

/* ---- the server */

struct chain {
	struct buf der;
	struct span cert[VFY_CERTS_MAX];
	size_t n;
};

/* The chain as libcurl noted it in the handshake: "Cert:" and PEM, leaf first. */
static bool
fetch_chain_read(struct chain *chain, const struct curl_certinfo *info)
{
	size_t end[VFY_CERTS_MAX], begin = 0;

	for (int i = 0; i < info->num_of_certs && chain->n < VFY_CERTS_MAX; i++)
		for (const struct curl_slist *line = info->certinfo[i]; line != NULL; line = line->next) {
			struct span pem = span_str(line->data);

			if (strncmp(line->data, "Cert:", 5) != 0 || chain->n == VFY_CERTS_MAX)
				continue;
			if (pem_next(&chain->der, &pem, "CERTIFICATE") != RES_OK)
				return false;
			end[chain->n++] = chain->der.n;
		}
	for (size_t i = 0; i < chain->n; begin = end[i++]) /* now that the bytes stay where they are */
		chain->cert[i] = span_slice(buf_span(&chain->der), begin, end[i] - begin);
	return chain->n > 0;
}

/* NULL, or the first reason to refuse. */
static const char *
chain_judge(const struct transfer *t, const struct curl_certinfo *info)
{
	const char *refused = reason_code(REASON_CERT_MALFORMED);
	struct chain chain = {.der = buf_max(VFY_BYTES_MAX)};
	struct vfy_input in = {.now_ms = clock_wall_ms()};
	struct verdict verdict = {0};
	struct addr ip;
	bool read = fetch_chain_read(&chain, info);

	in.certs = chain.cert;
	in.n_certs = chain.n;
	if (addr_read_ip(&ip, t->host) == RES_OK)
		in.ip = addr_ip(&ip);
	else
		in.name = t->host;
	if (read) {
		vfy_check(&verdict, t->fetcher->policy, &in);
		refused = verdict_accepted(&verdict) ? NULL : reason_code(verdict_reason(&verdict));
		verdict_clear(&verdict);
	}
	buf_free(&chain.der);
	return refused;
}

/* A connection that is used again was judged when it was new. One that was refused is not used again: its transfer ended
 * with an error, and then libcurl closes it. Sessions are not resumed. */
static bool
server_judge(struct transfer *t)
{
	struct curl_certinfo *info = NULL;
	long connects = 1;

	if (t->judged)
		return t->refused == NULL;
	t->judged = true;
	if (curl_easy_getinfo(t->curl, CURLINFO_NUM_CONNECTS, &connects) == CURLE_OK && connects == 0)
		return true;
	t->refused = curl_easy_getinfo(t->curl, CURLINFO_CERTINFO, &info) == CURLE_OK && info != NULL
			 ? chain_judge(t, info)
			 : reason_code(REASON_CHAIN_EMPTY);
	return t->refused == NULL;
}

/* ---- libcurl's callbacks */

/* The bytes that the server announces: room at once, instead of in doublings. */
static bool
length_expect(struct transfer *t, curl_off_t length)
{
	if (length <= 0)
		return true;
	if ((uint64_t)length > t->limit) {
		t->too_large = true;
		return false;
	}
	t->no_room = !held_grow(t->fetcher, &t->body, (size_t)length);
	return !t->no_room && buf_room(&t->body.bytes, (size_t)length) != NULL;
}

static size_t
fetch_on_header(char *bytes, size_t size, size_t n, void *ctx)
{
	static const char encoding[] = "content-encoding:";
	struct transfer *t = ctx;
	struct span line = span_of(bytes, size * n);
	curl_off_t length = -1;

	if (!server_judge(t))
		return 0;
	if (line.n > sizeof encoding &&
	    ascii_case_equal(span_slice(line, 0, sizeof encoding - 1), span_str(encoding)))
		t->gzip = memmem(line.p, line.n, "gzip", 4) != NULL;
	if (line.n == 2 &&
	    curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length) == CURLE_OK &&
	    !length_expect(t, length))
		return 0;
	return size * n;
}

static size_t
fetch_on_body(char *bytes, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	struct buf *b = &t->body.bytes;

	if (!server_judge(t))
		return 0;
	if (size * n > t->limit - b->n) {
		t->too_large = true;
		return 0;
	}
	buf_put(b, span_of(bytes, size * n));
	t->no_room = !held_grow(t->fetcher, &t->body, b->cap);
	return buf_ok(b) && !t->no_room ? size * n : 0;
}

/* ---- transfers */

static bool
host_of(char out[256], const char *url)
{
	CURLU *parts = curl_url();
	char *scheme = NULL, *host = NULL, *user = NULL;
	bool ok;

	ok = parts != NULL && strlen(url) <= FETCHER_URL_MAX &&
	     curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
	     curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK && strcmp(scheme, "https") == 0 &&
	     curl_url_get(parts, CURLUPART_USER, &user, 0) != CURLUE_OK &&
	     curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK && strlen(host) < 256;
	if (ok) {
		size_t n = strlen(host), bracket = n > 2 && host[0] == '[';

		memcpy(out, host + bracket, n - 2 * bracket);
		out[n - 2 * bracket] = '\0';
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(user);
	curl_url_cleanup(parts);
	return ok;
}

static CURLcode
transfer_setup(struct transfer *t, const struct fetch_request *request)
{
	CURL *c = t->curl;
	CURLcode bad = CURLE_OK;

#define SET(option, value) (bad = bad != CURLE_OK ? bad : curl_easy_setopt(c, option, value))
	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	/* The answer of a proxy to CONNECT is not the server's, whose chain is not there yet. */
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)FETCHER_CONNECT_MS);
	SET(CURLOPT_TIMEOUT_MS, (long)FETCHER_TOTAL_MS);
	SET(CURLOPT_LOW_SPEED_LIMIT, 1024L);
	SET(CURLOPT_LOW_SPEED_TIME, (long)FETCHER_STALL_S);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* a compressed body is passed on as it is: gzip.h bounds it */
	if (request->gzip)
		SET(CURLOPT_HTTPHEADER, t->fetcher->gzip_header);
	SET(CURLOPT_USERAGENT, "ctstub-watch/" PACKAGE_VERSION);
	/* The judge decides, not libcurl; no anchors are loaded, which every connection would hold a copy of. */
	SET(CURLOPT_CERTINFO, 1L);
	SET(CURLOPT_SSL_VERIFYPEER, 0L);
	SET(CURLOPT_SSL_VERIFYHOST, 0L);
	SET(CURLOPT_CAINFO, (char *)NULL);
	SET(CURLOPT_CAPATH, (char *)NULL);
	SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
	SET(CURLOPT_HEADERFUNCTION, fetch_on_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, fetch_on_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_ERRORBUFFER, t->error);
	SET(CURLOPT_PRIVATE, t);
#undef SET
	return bad;
}

static struct transfer *
transfer_new(struct fetcher *f)
{
	struct transfer *t = LIST_FIRST(&f->spare);
	CURL *curl;

	if (t != NULL) {
		LIST_REMOVE(t, link);
		curl_easy_reset(t->curl);
	} else {
		t = calloc(1, sizeof *t);
		if (t == NULL || (t->curl = curl_easy_init()) == NULL) {
			free(t);
			return NULL;
		}
	}
	curl = t->curl;
	*t = (struct transfer){.fetcher = f, .curl = curl};
	return t;
}

static void
transfer_spare(struct fetcher *f, struct transfer *t)
{
	fetch_body_free(f, &t->body);
	LIST_INSERT_HEAD(&f->spare, t, link);
}

enum res
fetcher_get(struct fetcher *f, const struct fetch_request *request, fetch_fn *fn, void *arg)
{
	size_t limit = request->limit < FETCHER_ANSWER_MAX ? request->limit : FETCHER_ANSWER_MAX;
	size_t expected = request->expected < limit ? request->expected : limit;
	struct transfer *t;

	/* with nothing held any answer has room: no request waits for ever */
	if (f->held > 0 && f->held + expected > FETCHER_BYTES_MAX)
		return RES_LIMIT;
	t = transfer_new(f);
	if (t == NULL)
		return RES_NOMEM;
	t->body = (struct fetch_body){.bytes = buf_max(limit)};
	(void)held_grow(f, &t->body, expected);
	t->limit = limit;
	t->fn = fn;
	t->arg = arg;
	if (!host_of(t->host, request->url) || transfer_setup(t, request) != CURLE_OK ||
	    curl_multi_add_handle(f->multi, t->curl) != CURLM_OK) {
		transfer_spare(f, t);
		return RES_NOMEM;
	}
	LIST_INSERT_HEAD(&f->running, t, link);
	f->under_way++;
	return RES_OK;
}

static void
transfer_unlink(struct fetcher *f, struct transfer *t)
{
	LIST_REMOVE(t, link);
	f->under_way--;
	(void)curl_multi_remove_handle(f->multi, t->curl);
}

void
fetcher_drop(struct fetcher *f, const void *arg)
{
	for (struct transfer *t = LIST_FIRST(&f->running), *next; t != NULL; t = next) {
		next = LIST_NEXT(t, link);
		if (t->arg != arg)
			continue;
		transfer_unlink(f, t);
		transfer_spare(f, t);
	}
}

unsigned
fetcher_under_way(const struct fetcher *f)
{
	return f->under_way;
}

static enum fetch_result
result_of(const struct transfer *t, CURLcode code)
{
	if (t->refused != NULL)
		return FETCH_NOT_TRUSTED;
	if (t->too_large)
		return FETCH_TOO_LARGE;
	if (t->no_room)
		return FETCH_NO_ROOM;
	return code == CURLE_OK && t->judged ? FETCH_ANSWER : FETCH_TROUBLE;
}

static const char *
why_of(struct transfer *t, CURLcode code, enum fetch_result result)
{
	switch (result) {
	case FETCH_ANSWER:
		return NULL;
	case FETCH_NOT_TRUSTED:
		(void)snprintf(t->error, sizeof t->error, "the server's certificate is refused: %s",
			       t->refused);
		return t->error;
	case FETCH_TOO_LARGE:
		return "the answer is too large";
	case FETCH_NO_ROOM:
		return "the answer is larger than expected";
	case FETCH_TROUBLE:
		break;
	}
	return t->error[0] != '\0' ? t->error : curl_easy_strerror(code);
}

static void
transfer_end(struct fetcher *f, struct transfer *t, CURLcode code)
{
	struct fetch_answer answer = {.result = result_of(t, code), .gzip = t->gzip, .body = &t->body};
	curl_off_t retry = 0;

	answer.why = why_of(t, code, answer.result);
	(void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &answer.status);
	if (curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &retry) == CURLE_OK && retry > 0)
		answer.retry_after_ms = retry > INT32_MAX ? (int64_t)INT32_MAX * 1000 : (int64_t)retry * 1000;
	transfer_unlink(f, t);
	t->fn(t->arg, &answer);
	transfer_spare(f, t);
}

static void
ended_report(struct fetcher *f)
{
	const CURLMsg *message;
	struct transfer *t;
	int left;

	while ((message = curl_multi_info_read(f->multi, &left)) != NULL)
		if (message->msg == CURLMSG_DONE &&
		    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t) == CURLE_OK)
			transfer_end(f, t, message->data.result);
}

bool
fetcher_wait(struct fetcher *f, int64_t timeout_ms, int fd, bool *readable)
{
	struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};
	int running;

	*readable = false;
	if (timeout_ms > INT32_MAX)
		timeout_ms = INT32_MAX;
	if (curl_multi_poll(f->multi, &extra, fd >= 0 ? 1 : 0, timeout_ms < 0 ? 0 : (int)timeout_ms, NULL) !=
		CURLM_OK ||
	    curl_multi_perform(f->multi, &running) != CURLM_OK)
		return false;
	*readable = fd >= 0 && extra.revents != 0;
	ended_report(f);
	return true;
}

void
fetcher_wake(struct fetcher *f)
{
	(void)curl_multi_wakeup(f->multi);
}

void
fetcher_free(struct fetcher *f)
{
	struct transfer *t;

	if (f == NULL)
		return;
	while ((t = LIST_FIRST(&f->running)) != NULL) {
		transfer_unlink(f, t);
		transfer_spare(f, t);
	}
	while ((t = LIST_FIRST(&f->spare)) != NULL) {
		LIST_REMOVE(t, link);
		curl_easy_cleanup(t->curl);
		free(t);
	}
	(void)curl_multi_cleanup(f->multi);
	curl_slist_free_all(f->gzip_header);
	curl_global_cleanup();
	free(f);
}
