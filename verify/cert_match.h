/*
 * cert_match.h - lists of entries that name certificates, keys and issuers: disallowed ones, allowed issuers, pins.
 *
 *   serial <hex> issuer <name>    cert-sha256 <hex>    spki-sha256 <hex>    issuer <name>
 *
 * <name> is RFC 4514 text, most specific attribute first, or der:<base64>. cert_match_cert and cert_match_issuer, which
 * refuse, also take it in the other order, as openssl(1) prints names: an entry that was pasted from there must not be
 * without effect. A list is immutable once built, sorted, and looked up in logarithmic time, so the cost of a verdict does
 * not depend on its size.
 */
#ifndef VERIFY_CERT_MATCH_H
#define VERIFY_CERT_MATCH_H

#include "verify/x509/cert.h"

/* Bounds memory: an entry takes 48 bytes, one with a name 96, and its text. */
#define CERT_MATCH_ENTRIES_MAX 1000000
#define CERT_MATCH_ENTRY_MAX   8192 /* bytes of one entry; a name of 4 KiB as base64 fits */

enum cert_match_kind { CERT_MATCH_SERIAL, CERT_MATCH_CERT, CERT_MATCH_SPKI, CERT_MATCH_ISSUER };

struct cert_match;         /* an immutable list */
struct cert_match_builder; /* a list while it is built */

enum res cert_match_builder_new(struct cert_match_builder **);
void cert_match_builder_free(struct cert_match_builder *);
/* Adds one entry. RES_MALFORMED, RES_LIMIT: *why gets a sentence (why.h). */
enum res cert_match_add(struct cert_match_builder *, struct span entry, char **why);
/* Entries so far. At CERT_MATCH_ENTRIES_MAX no more can be added. */
size_t cert_match_builder_count(const struct cert_match_builder *);
/* The builder is taken, also on failure. */
enum res cert_match_finish(struct cert_match **out, struct cert_match_builder *);
void cert_match_free(struct cert_match *);
size_t cert_match_count(const struct cert_match *);
bool cert_match_has_kind(const struct cert_match *, enum cert_match_kind);

/* The entry that matched, in canonical form; lent. */
struct cert_match_hit {
	enum cert_match_kind kind;
	const char *entry;
	enum res res; /* without a match: RES_OK, or why the certificate's name could not be compared */
};
/* Each function looks for entries of some kinds only. Hashes are also compared with the other encodings of the
 * certificate or the key (disguise.h). A NULL list matches nothing. The hit is always filled in. */
bool cert_match_cert(const struct cert_match *, const struct cert *,
		     struct cert_match_hit *); /* serial, cert-sha256 */
bool cert_match_key(const struct cert_match *, const struct cert *,
		    struct cert_match_hit *); /* spki-sha256 */
bool cert_match_issuer(const struct cert_match *, const struct cert *,
		       struct cert_match_hit *); /* issuer: the certificate's issuer */
bool cert_match_subject(const struct cert_match *, const struct cert *,
			struct cert_match_hit *); /* issuer: the certificate's subject */

#endif
