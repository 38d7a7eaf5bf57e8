/*
 * ct_sources.h - where `ctstub ct-logs update` takes the list of CT logs from: a row a source, asked in order.
 *
 * Every source is asked. Of the lists that are well-formed and pass the guards the newest wins, on a tie the one of the
 * earlier source. A source that fails, or whose list is refused, is said and passed over.
 */
#ifndef CLI_CT_SOURCES_H
#define CLI_CT_SOURCES_H

#include "cli/cli.h"
#include "cli/ct_window.h"
#include "verify/ct/ctlogs.h"
#include "verify/verify.h"

struct ct_ask {
	const char *list_url, *list_key; /* of the configuration; "" : none */
	const struct vfy_policy *policy; /* judges the servers */
	const struct ctlogs *known;      /* the list in effect */
	struct ct_window *window;        /* finds the hosts of sources; NULL: the system does */
	bool force;                      /* the guards only warn */
	int64_t now_ms;
};

struct ct_found {
	struct ctlogs *list; /* yours */
	const char *source;  /* a word: "mirror" "mozilla-git" "mozilla-hg" "package" */
};

/* EXIT_REFUSED: a guard refused every list that was fetched, or verification refused every server. EXIT_TROUBLE: no
 * list could be fetched. */
enum exit_code ct_sources_ask(struct ct_found *, const struct ct_ask *);

/* Why this list needs --force; NULL: it does not. */
const char *ct_sources_objection(const struct ctlogs_change *, const struct ctlogs *list,
				 const struct ctlogs *known, int64_t now_ms);

#endif
