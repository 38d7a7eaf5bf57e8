/*
 * fetch.h - one file over HTTPS, its server judged by vfy_check before a byte is used. The only door to libcurl.
 *
 * No redirects, no cookies, no other protocol, TLS 1.2 or later; time and size are bounded.
 */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include "base/addr.h"
#include "verify/verify.h"

#define FETCH_CONNECT_MS 15000
#define FETCH_TOTAL_MS   120000
#define FETCH_URL_MAX    2048

enum fetch_outcome {
	FETCH_DONE,
	FETCH_REFUSED,   /* the verdict tells why */
	FETCH_NOT_THERE, /* status 400 or 404: the server has no such thing; *why says it (yours) */
	FETCH_FAILED,    /* *why does (yours) */
	FETCH_BAD_URL,
};

/*
 * Fetches the URL and appends to out, up to its maximum. The certificate must be acceptable under this policy for the
 * URL's host (a name, or an address literal). `addresses` has the addresses of the host, separated by commas; NULL: the
 * system's resolver finds them. *v, zeroed before, is filled when the server has presented its chain: clear it.
 */
enum fetch_outcome fetch_url_at(struct buf *out, struct verdict *v, const char *url, const char *addresses,
				const struct vfy_policy *, int64_t now_ms, char **why);
/* The same; the system's resolver finds the host. */
enum fetch_outcome fetch_url(struct buf *out, struct verdict *v, const char *url, const struct vfy_policy *,
			     int64_t now_ms, char **why);

/*
 * Gets the chain that a TLS server presents, whatever protocol it speaks afterwards. The chain is not verified, and
 * nothing else is sent. `name` is the server name to ask for, "" for none. RES_IO: *why says what went wrong (yours).
 */
struct chain;
enum res fetch_chain(struct chain *, const struct addr *, const char *name, char **why);

/* The host of a URL, without the brackets of an IPv6 literal. Yours; NULL: not an acceptable https URL. */
char *fetch_host(const char *url);

#endif
