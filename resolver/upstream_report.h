/*
 * upstream_report.h - the upstream addresses of one worker, as `status`, `upstreams` and the metrics show them.
 *
 * A copy: it owns its strings and may leave the worker's thread.
 */
#ifndef RESOLVER_UPSTREAM_REPORT_H
#define RESOLVER_UPSTREAM_REPORT_H

#include "resolver/expiry.h"
#include "transport/transport.h"

enum health { HEALTH_UNKNOWN, HEALTH_GOOD, HEALTH_FAILING, HEALTH_REFUSED };
const char *health_text(enum health);

/* What the last TLS handshake agreed on; empty before one. */
struct tls_report {
	char version[16], cipher[64], group[24];
};

struct upstream_report {
	char *upstream;
	struct addr addr;
	enum tp_protocol protocol;
	enum tp_state state;
	enum health health;
	enum reason reason;      /* why not good */
	int64_t retry_in_ms;     /* back-off left; 0: none */
	char *verdict_json;      /* the last verdict; NULL: none yet */
	uint64_t reported;       /* verdict_reported of it */
	int64_t good_since_ms;   /* wall clock; 0: it is not good */
	int64_t leaf_expires_ms; /* notAfter of the certificate that was judged last; 0: none */
	enum expiry leaf_expiry;
	struct tls_report tls;
	struct tp_stats stats; /* times: of the shared connection; counts: of all */
};

struct upstreams_report {
	struct upstream_report *v;
	size_t n;
};

void upstreams_report_free(struct upstreams_report *);

#endif
