#include "cli/fetch.h"

#include "base/addr.h"
#include "cli/cli.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fetch {
	CURL *curl;
	struct buf *out;
	struct verdict *verdict;
	const struct vfy_policy *policy;
	int64_t now_ms;
	char *host;
	bool judged;
	bool too_large;
};

/* The chain as libcurl noted it in the handshake: "Cert:" and PEM, leaf first. */
static bool
fetch_chain_of(struct chain *chain, CURL *curl)
{
	struct curl_certinfo *info = NULL;
	struct buf pem = buf_max(CHAIN_FILE_MAX);
	enum res res;

	if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &info) != CURLE_OK || info == NULL)
		return false;
	for (int i = 0; i < info->num_of_certs; i++)
		for (const struct curl_slist *line = info->certinfo[i]; line != NULL; line = line->next)
			if (strncmp(line->data, "Cert:", 5) == 0)
				buf_text(&pem, line->data + 5);
	res = buf_ok(&pem) ? chain_read(chain, buf_span(&pem)) : RES_LIMIT;
	buf_free(&pem);
	return res == RES_OK;
}

static bool
fetch_judge(struct fetch *t)
{
	struct chain chain = {0};
	struct vfy_input in = {.now_ms = t->now_ms};
	struct addr ip;

	if (t->judged)
		return verdict_accepted(t->verdict);
	t->judged = true;
	if (!fetch_chain_of(&chain, t->curl)) {
		chain_free(&chain);
		t->judged = false;
		return false;
	}
	in.certs = chain.cert;
	in.n_certs = chain.n;
	if (addr_read_ip(&ip, t->host) == RES_OK)
		in.ip = addr_ip(&ip);
	else
		in.name = t->host;
	vfy_check(t->verdict, t->policy, &in);
	chain_free(&chain);
	return verdict_accepted(t->verdict);
}

static size_t
fetch_on_header(char *bytes, size_t size, size_t n, void *ctx)
{
	(void)bytes;
	return fetch_judge(ctx) ? size * n : 0;
}

static size_t
fetch_on_body(char *bytes, size_t size, size_t n, void *ctx)
{
	struct fetch *t = ctx;

	if (!fetch_judge(t))
		return 0;
	if (size * n > t->out->max - t->out->n) {
		t->too_large = true;
		return 0;
	}
	buf_put(t->out, span_of(bytes, size * n));
	return buf_ok(t->out) ? size * n : 0;
}

/* The host of the URL, without the brackets of an IPv6 literal. Yours; NULL: not an https URL that we take.
 */
char *
fetch_host(const char *url)
{
	CURLU *parts = curl_url();
	char *scheme = NULL, *host = NULL, *user = NULL, *out = NULL;

	if (parts != NULL && strlen(url) <= FETCH_URL_MAX &&
	    curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK && strcmp(scheme, "https") == 0 &&
	    curl_url_get(parts, CURLUPART_USER, &user, 0) != CURLUE_OK &&
	    curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
		size_t n = strlen(host);

		out = n > 2 && host[0] == '[' ? strndup(host + 1, n - 2) : strdup(host);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(user);
	curl_url_cleanup(parts);
	return out;
}

static CURLcode
fetch_setup(struct fetch *t, const char *url, char error[CURL_ERROR_SIZE])
{
	CURL *c = t->curl;
	CURLcode bad = CURLE_OK;

#define SET(option, value) (bad = bad != CURLE_OK ? bad : curl_easy_setopt(c, option, value))
	SET(CURLOPT_URL, url);
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	/* The answer of a proxy to CONNECT is not the server's, whose chain is not there yet. */
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_FAILONERROR, 1L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS);
	SET(CURLOPT_TIMEOUT_MS, (long)FETCH_TOTAL_MS);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_CERTINFO, 1L);
	/* The judge decides, not libcurl: it is stricter, and gives reasons. No byte of the answer is used before its
	 * verdict. */
	SET(CURLOPT_SSL_VERIFYPEER, 0L);
	SET(CURLOPT_SSL_VERIFYHOST, 0L);
	SET(CURLOPT_HEADERFUNCTION, fetch_on_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, fetch_on_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_ERRORBUFFER, error);
#undef SET
	return bad;
}

static char *
fetch_sentence(const char *url, const char *what)
{
	struct buf b = buf_max(FETCH_URL_MAX + 1024);

	buf_format(&b, "%s: %s", url, what);
	return buf_take_cstr(&b);
}

/* "HOST:PORT:ADDRESSES" */
static struct curl_slist *
fetch_where(const char *url, const char *host, const char *addresses)
{
	CURLU *parts = curl_url();
	struct buf line = buf_max(FETCH_URL_MAX);
	struct curl_slist *where = NULL;
	char *port = NULL;

	if (parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
		buf_format(&line, "%s:%s:%s", host, port, addresses);
		if (buf_cstr(&line) != NULL)
			where = curl_slist_append(NULL, buf_cstr(&line));
	}
	curl_free(port);
	curl_url_cleanup(parts);
	buf_free(&line);
	return where;
}

enum fetch_outcome
fetch_url(struct buf *out, struct verdict *v, const char *url, const struct vfy_policy *policy,
	  int64_t now_ms, char **why)
{
	return fetch_url_at(out, v, url, NULL, policy, now_ms, why);
}

enum fetch_outcome
fetch_url_at(struct buf *out, struct verdict *v, const char *url, const char *addresses,
	     const struct vfy_policy *policy, int64_t now_ms, char **why)
{
	struct fetch t = {.out = out, .verdict = v, .policy = policy, .now_ms = now_ms};
	enum fetch_outcome outcome = FETCH_FAILED;
	char error[CURL_ERROR_SIZE] = "";
	struct curl_slist *where = NULL;
	long status = 0;
	CURLcode code;

	t.host = fetch_host(url);
	if (t.host == NULL)
		return FETCH_BAD_URL;
	t.curl = curl_easy_init();
	code = t.curl == NULL ? CURLE_OUT_OF_MEMORY : fetch_setup(&t, url, error);
	if (code == CURLE_OK && addresses != NULL) {
		where = fetch_where(url, t.host, addresses);
		code = where != NULL ? curl_easy_setopt(t.curl, CURLOPT_RESOLVE, where) : CURLE_OUT_OF_MEMORY;
	}
	if (code == CURLE_OK)
		code = curl_easy_perform(t.curl);
	(void)curl_easy_getinfo(t.curl, CURLINFO_RESPONSE_CODE, &status);
	if (t.judged && !verdict_accepted(v))
		outcome = FETCH_REFUSED;
	else if (code == CURLE_OK && t.judged)
		outcome = FETCH_DONE;
	else
		*why = fetch_sentence(url, t.too_large      ? "the file is too large"
					   : *error != '\0' ? error
							    : curl_easy_strerror(code));
	if (outcome == FETCH_FAILED && t.judged && (status == 400 || status == 404))
		outcome = FETCH_NOT_THERE;
	curl_easy_cleanup(t.curl);
	curl_slist_free_all(where);
	free(t.host);
	return outcome;
}

/* "https://ADDR:PORT/", or with a name "https://NAME:PORT/" and where that is. */
static CURLcode
fetch_chain_setup(CURL *c, const struct addr *addr, const char *name, struct curl_slist **where,
		  char error[CURL_ERROR_SIZE])
{
	char url[FETCH_URL_MAX], at[FETCH_URL_MAX], text[ADDR_TEXT_MAX];
	CURLcode bad = CURLE_OK;

	addr_ip_text(addr, text);
	if (*name == '\0')
		snprintf(url, sizeof url, "https://%s/", addr_text(addr, text));
	else
		snprintf(url, sizeof url, "https://%s:%u/", name, addr->port);
	if (*name != '\0') {
		snprintf(at, sizeof at, addr->family == ADDR_V6 ? "%s:%u:[%s]" : "%s:%u:%s", name, addr->port,
			 text);
		*where = curl_slist_append(NULL, at);
		if (*where == NULL)
			return CURLE_OUT_OF_MEMORY;
	}
#define SET(option, value) (bad = bad != CURLE_OK ? bad : curl_easy_setopt(c, option, value))
	SET(CURLOPT_URL, url);
	SET(CURLOPT_RESOLVE, *where);
	SET(CURLOPT_CONNECT_ONLY, 1L);
	SET(CURLOPT_SSL_ENABLE_ALPN, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_CERTINFO, 1L);
	/* No server is trusted here: the presented chain is read, and nothing is sent. */
	SET(CURLOPT_SSL_VERIFYPEER, 0L);
	SET(CURLOPT_SSL_VERIFYHOST, 0L);
	SET(CURLOPT_ERRORBUFFER, error);
#undef SET
	return bad;
}

enum res
fetch_chain(struct chain *chain, const struct addr *addr, const char *name, char **why)
{
	CURL *c = curl_easy_init();
	struct curl_slist *where = NULL;
	char error[CURL_ERROR_SIZE] = "", text[ADDR_TEXT_MAX];
	CURLcode code = c == NULL ? CURLE_OUT_OF_MEMORY : fetch_chain_setup(c, addr, name, &where, error);
	enum res res = RES_OK;

	if (code == CURLE_OK)
		code = curl_easy_perform(c);
	if (code != CURLE_OK || !fetch_chain_of(chain, c)) {
		*why = fetch_sentence(addr_text(addr, text), *error != '\0'     ? error
							     : code != CURLE_OK ? curl_easy_strerror(code)
										: "no chain was presented");
		res = RES_IO;
	}
	curl_easy_cleanup(c);
	curl_slist_free_all(where);
	return res;
}
