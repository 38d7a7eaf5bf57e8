/*
 * showing.h - a verdict as a record of the journal (base/journal.h). Pure.
 */
#ifndef RESOLVER_DAEMON_SHOWING_H
#define RESOLVER_DAEMON_SHOWING_H

#include "base/addr.h"
#include "base/journal.h"
#include "transport/transport.h"

/* The text of a record that the verdict does not have as such. */
struct showing {
	char address[ADDR_TEXT_MAX];
	char sha256[65], spki_sha256[65], issuer_spki_sha256[65], anchor_spki_sha256[65];
	char log_id[JOURNAL_SCTS_MAX][48];
	struct buf chain; /* base64 of the certificates, one after the other */
};

/* Fills in everything except time, news, count and evidence; the kind is JOURNAL_REFUSED or JOURNAL_KNOWN. The
 * record points into text, verdict and upstream. presented: the certificates, each after its length of 24 bits; an
 * accepted chain is recorded. */
void showing_record(struct journal_record *, struct showing *text, const struct verdict *,
		    const char *upstream, const struct addr *, struct span presented);
void showing_free(struct showing *);

#endif
