/*
 * The OCSP response that came with the handshake (RFC 6960), and the demand for one (RFC 7633).
 */
#include "verify/revocation/revocation.h"

#include "base/text.h"
#include "verify/x509/der.h"
#include "verify/x509/features.h"
#include "verify/x509/oid.h"
#include "verify/x509/signature.h"
#include "verify/x509/usage.h"
#include "verify/why.h"

#include <gnutls/crypto.h>

#include <stdlib.h>

#define DER_ENUMERATED 0x0a

#define OID_OCSP_BASIC OID("\x2b\x06\x01\x05\x05\x07\x30\x01\x01")
#define OID_SHA1       OID("\x2b\x0e\x03\x02\x1a")

#define STATUS_REQUEST OID("\x05") /* RFC 7633, 4; the TLS extension's number */

/* RFC 6960, 4.2.2.1 leaves it to the client how long a response without nextUpdate is good; the Baseline Requirements
 * allow a response ten days at most. */
#define AGE_WITHOUT_NEXT_MS ((int64_t)7 * 86400 * 1000)
#define RESPONDER_CERTS_MAX 8 /* a response carries one, seldom two */

bool
cert_must_staple(const struct cert *cert)
{
	struct features features;

	/* an extension that cannot be read counts as a demand */
	return features_read(&features, cert) != RES_OK || features_has(&features, STATUS_REQUEST);
}

enum status { STATUS_GOOD, STATUS_REVOKED, STATUS_UNKNOWN };

struct single {
	struct span hash_oid;
	struct span name_hash;
	struct span key_hash;
	struct span serial;
	enum status status;
	int64_t revoked_ms;
	int64_t this_ms;
	int64_t next_ms; /* 0: absent */
};

struct response {
	struct span responder_name; /* one of the two */
	struct span responder_key;
	struct der_reader singles;
	struct der_reader certs;
	struct signature body;
	bool early; /* a responder's certificate is not valid yet, but the clock is not set */
	bool dated; /* the issuer did certify the responder, but for another time: */
	int64_t from_ms, until_ms;
};

/* No extension may be critical: we process none. */
static bool
extensions_pass(struct der_reader *in, uint8_t id)
{
	struct der_reader wrapper, list;

	if (!der_at(in, id))
		return !in->bad;
	wrapper = der_enter(in, id);
	list = der_enter(&wrapper, DER_SEQUENCE);
	while (der_more(&list)) {
		struct der_reader ext = der_enter(&list, DER_SEQUENCE);

		(void)der_take(&ext, DER_OID);
		(void)der_take(&ext, DER_OCTET_STRING); /* a BOOLEAN in between would be `critical` */
		if (!der_done(&ext))
			return false;
	}
	return der_done(&list) && der_done(&wrapper) && !in->bad;
}

/* ResponseData (RFC 6960, 4.2.1). */
static enum res
response_data_read(struct response *r, struct span tbs)
{
	struct der_reader in = der_only(tbs, DER_SEQUENCE), inner;
	uint32_t version;
	int64_t produced;

	if (der_at(&in, DER_CONTEXT_CONS(0))) {
		inner = der_enter(&in, DER_CONTEXT_CONS(0));
		if (der_uint(&version, der_take(&inner, DER_INTEGER).body) != RES_OK || version != 0 ||
		    !der_done(&inner))
			return RES_MALFORMED;
	}
	if (der_at(&in, DER_CONTEXT_CONS(1))) {
		inner = der_enter(&in, DER_CONTEXT_CONS(1));
		r->responder_name = der_take(&inner, DER_SEQUENCE).whole;
	} else {
		inner = der_enter(&in, DER_CONTEXT_CONS(2));
		r->responder_key = der_take(&inner, DER_OCTET_STRING).body;
	}
	if (!der_done(&inner) || der_time(&produced, &in) != RES_OK)
		return RES_MALFORMED;
	r->singles = der_enter(&in, DER_SEQUENCE);
	return extensions_pass(&in, DER_CONTEXT_CONS(1)) && der_done(&in) ? RES_OK : RES_MALFORMED;
}

/* OCSPResponse and the BasicOCSPResponse in it. */
static enum res
response_read(struct response *r, struct span staple, char **text)
{
	struct der_reader in = der_only(staple, DER_SEQUENCE), wrapper, typed, basic;
	struct span status = der_take(&in, DER_ENUMERATED).body, tbs, sig_alg, bits;
	enum res res;

	if (status.n != 1)
		return why_say(text, RES_MALFORMED, "the stapled OCSP response cannot be read");
	if (status.p[0] != 0)
		return why_say(text, RES_MALFORMED, "the stapled OCSP response reports error %u",
			       status.p[0]);
	wrapper = der_enter(&in, DER_CONTEXT_CONS(0));
	typed = der_enter(&wrapper, DER_SEQUENCE);
	if (!span_equal(der_take(&typed, DER_OID).body, OID_OCSP_BASIC))
		return why_say(text, RES_MALFORMED, "the stapled OCSP response is of an unknown type");
	basic = der_only(der_take(&typed, DER_OCTET_STRING).body, DER_SEQUENCE);
	tbs = der_take(&basic, DER_SEQUENCE).whole;
	sig_alg = der_take(&basic, DER_SEQUENCE).whole;
	bits = der_take(&basic, DER_BIT_STRING).body;
	if (der_more(&basic)) {
		struct der_reader certs = der_enter(&basic, DER_CONTEXT_CONS(0));

		r->certs = der_enter(&certs, DER_SEQUENCE);
		if (!der_done(&certs))
			basic.bad = true;
	}
	if (!der_done(&in) || !der_done(&wrapper) || !der_done(&typed) || !der_done(&basic) ||
	    der_bits_whole(&bits) != RES_OK || response_data_read(r, tbs) != RES_OK)
		return why_say(text, RES_MALFORMED, "the stapled OCSP response cannot be read");
	res = signature_read_strong(&r->body, tbs, sig_alg, bits);
	if (res == RES_UNSUPPORTED)
		return why_say(text, res,
			       "the stapled OCSP response is signed with a weak or unknown algorithm");
	return res;
}

/* Does the certificate have the name or the key by which the response names its responder? */
static bool
responder_is(const struct response *r, const struct cert *cert)
{
	struct der_reader spki = der_only(cert->spki, DER_SEQUENCE);
	struct span bits;
	uint8_t sha1[20];

	if (r->responder_name.n > 0)
		return span_equal(r->responder_name, cert->subject);
	(void)der_take(&spki, DER_SEQUENCE);
	bits = der_take(&spki, DER_BIT_STRING).body;
	if (!der_done(&spki) || der_bits_whole(&bits) != RES_OK ||
	    gnutls_hash_fast(GNUTLS_DIG_SHA1, bits.p, bits.n, sha1) < 0)
		return false;
	return span_equal(r->responder_key, span_of(sha1, sizeof sha1)); /* an identifier, not a proof */
}

/* RFC 6960, 4.2.2.2: a certificate for this purpose, signed with the very key that signed the one in question. */
static enum res
delegate_check(const struct cert *cert, const struct cert *issuer, struct signature_budget *budget)
{
	struct signature body;

	if (!span_equal(cert->issuer, issuer->subject) || !usage_names_purpose(cert, OID_OCSP_SIGNING) ||
	    usage_unknown_critical(cert) != NULL ||
	    signature_read_strong(&body, cert->tbs, cert->sig_alg, cert->signature) != RES_OK)
		return RES_NOT_FOUND;
	return signature_check(&body, issuer->spki, budget);
}

static bool
delegate_is_current(struct response *r, const struct cert *cert, struct when when)
{
	if (cert->not_before_ms <= when.until_ms && when.since_ms <= cert->not_after_ms)
		return true;
	r->dated = true;
	r->from_ms = cert->not_before_ms;
	r->until_ms = cert->not_after_ms;
	return false;
}

/* A responder that renewed its key has two certificates of one name, so each is tried. RES_OK, RES_NOT_FOUND, RES_LIMIT or
 * RES_NOMEM, as signature_check. */
static enum res
response_signed(struct response *r, const struct cert *issuer, struct when when,
		struct signature_budget *budget)
{
	enum res res = RES_NOT_FOUND;
	struct cert cert;

	if (responder_is(r, issuer))
		res = signature_check(&r->body, issuer->spki, budget);
	for (size_t i = 0; res == RES_NOT_FOUND && i < RESPONDER_CERTS_MAX && der_more(&r->certs); i++) {
		struct span der = der_any(&r->certs).whole;

		if (cert_read(&cert, der) != RES_OK || !responder_is(r, &cert))
			continue;
		res = delegate_check(&cert, issuer, budget);
		if (res == RES_OK && !delegate_is_current(r, &cert, when_any_later(when)))
			res = RES_NOT_FOUND;
		r->early |= res == RES_OK && cert.not_before_ms > when.until_ms;
		if (res == RES_OK)
			res = signature_check(&r->body, cert.spki, budget);
	}
	return res;
}

static enum res
cert_status_read(struct single *s, struct der_reader *in)
{
	struct der_reader revoked;

	if (der_at(in, DER_CONTEXT(0)) || der_at(in, DER_CONTEXT(2))) {
		struct der_element e = der_any(in);

		s->status = e.id == DER_CONTEXT(0) ? STATUS_GOOD : STATUS_UNKNOWN;
		return e.body.n == 0 ? RES_OK : RES_MALFORMED;
	}
	revoked = der_enter(in, DER_CONTEXT_CONS(1));
	s->status = STATUS_REVOKED;
	if (der_time(&s->revoked_ms, &revoked) != RES_OK)
		return RES_MALFORMED;
	if (der_more(&revoked)) /* the reason makes no difference */
		(void)der_take(&revoked, DER_CONTEXT_CONS(0));
	return der_done(&revoked) ? RES_OK : RES_MALFORMED;
}

static enum res
single_read(struct single *s, struct der_reader *list)
{
	struct der_reader in = der_enter(list, DER_SEQUENCE), id = der_enter(&in, DER_SEQUENCE), hash, next;

	*s = (struct single){.next_ms = 0};
	hash = der_enter(&id, DER_SEQUENCE);
	s->hash_oid = der_take(&hash, DER_OID).body;
	s->name_hash = der_take(&id, DER_OCTET_STRING).body;
	s->key_hash = der_take(&id, DER_OCTET_STRING).body;
	s->serial = der_take(&id, DER_INTEGER).body;
	if (!der_done(&id) || hash.bad || cert_status_read(s, &in) != RES_OK ||
	    der_time(&s->this_ms, &in) != RES_OK)
		return RES_MALFORMED;
	if (der_at(&in, DER_CONTEXT_CONS(0))) {
		next = der_enter(&in, DER_CONTEXT_CONS(0));
		if (der_time(&s->next_ms, &next) != RES_OK || !der_done(&next) || s->next_ms < s->this_ms)
			return RES_MALFORMED;
	}
	return extensions_pass(&in, DER_CONTEXT_CONS(1)) && der_done(&in) ? RES_OK : RES_MALFORMED;
}

static const struct {
	struct span oid;
	gnutls_digest_algorithm_t digest;
} id_digests[] = {
    {OID_SHA1, GNUTLS_DIG_SHA1},
    {OID_SHA256, GNUTLS_DIG_SHA256},
    {OID_SHA384, GNUTLS_DIG_SHA384},
    {OID_SHA512, GNUTLS_DIG_SHA512},
};
#define ID_DIGESTS (sizeof id_digests / sizeof id_digests[0])

/* The issuer as a CertID names it (RFC 6960, 4.1.1): hashes of its name and of its key. A response may hold hundreds of
 * entries, so each hash is made once. */
struct issuer_id {
	struct span name, key; /* key: content of the BIT STRING; empty when it cannot be read */
	struct {
		bool made;
		uint8_t name[64], key[64];
		size_t n; /* 0: no hash could be made */
	} by[ID_DIGESTS];
};

static struct issuer_id
issuer_id_of(const struct cert *leaf, const struct cert *issuer)
{
	struct der_reader spki = der_only(issuer->spki, DER_SEQUENCE);
	struct issuer_id id = {.name = leaf->issuer};
	struct span key;

	(void)der_take(&spki, DER_SEQUENCE);
	key = der_take(&spki, DER_BIT_STRING).body;
	if (der_done(&spki) && der_bits_whole(&key) == RES_OK)
		id.key = key;
	return id;
}

static void
issuer_id_hash(struct issuer_id *id, size_t i)
{
	gnutls_digest_algorithm_t digest = id_digests[i].digest;

	if (id->by[i].made)
		return;
	id->by[i].made = true;
	if (id->key.n > 0 && gnutls_hash_fast(digest, id->name.p, id->name.n, id->by[i].name) >= 0 &&
	    gnutls_hash_fast(digest, id->key.p, id->key.n, id->by[i].key) >= 0)
		id->by[i].n = gnutls_hash_get_len(digest);
}

/* Does the CertID name the leaf: the serial number, and its issuer? */
static bool
single_is_for(const struct single *s, const struct cert *leaf, struct issuer_id *id)
{
	size_t i = 0;

	while (i < ID_DIGESTS && !span_equal(s->hash_oid, id_digests[i].oid))
		i++;
	if (i == ID_DIGESTS || !span_equal(der_integer_trim(s->serial), der_integer_trim(leaf->serial)))
		return false;
	issuer_id_hash(id, i);
	return id->by[i].n > 0 && span_equal(s->name_hash, span_of(id->by[i].name, id->by[i].n)) &&
	       span_equal(s->key_hash, span_of(id->by[i].key, id->by[i].n));
}

static enum reason
single_judge(const struct single *s, struct when when, char **text)
{
	int64_t until = s->next_ms != 0 ? s->next_ms : s->this_ms + AGE_WITHOUT_NEXT_MS;
	char time[TIME_TEXT_MAX];

	if (s->this_ms > when_any_later(when).until_ms)
		(void)why_say(text, RES_OK, "the stapled OCSP response is dated %s, in the future",
			      time_text(s->this_ms, time));
	else if (when.since_ms > until)
		(void)why_say(text, RES_OK, "the stapled OCSP response expired at %s",
			      time_text(until, time));
	else if (s->status == STATUS_UNKNOWN)
		(void)why_say(
		    text, RES_OK,
		    "the stapled OCSP response reports that the responder does not know the certificate");
	else if (s->status == STATUS_GOOD && s->this_ms <= when.until_ms)
		return REASON_NONE;
	else if (s->status == STATUS_GOOD) {
		(void)why_say(text, RES_OK,
			      "the stapled OCSP response is dated %s, after the clock, which is not set",
			      time_text(s->this_ms, time));
		return REASON_CLOCK_NOT_SET;
	} else {
		(void)why_say(text, RES_OK,
			      "the stapled OCSP response reports that the certificate was revoked at %s",
			      time_text(s->revoked_ms, time));
		return REASON_REVOKED;
	}
	return REASON_STAPLE_INVALID;
}

/* Of two entries the revoked one counts, then the unusable one, then one that is bad only because the clock is not set. */
static bool
single_is_worse(enum reason a, enum reason than)
{
	static const enum reason order[] = {REASON_NONE, REASON_CLOCK_NOT_SET, REASON_STAPLE_INVALID,
					    REASON_REVOKED};
	size_t i = 0, k = 0;

	while (order[i] != a)
		i++;
	while (order[k] != than)
		k++;
	return i > k;
}

/* Every entry for the leaf is read, and the worst counts: a response may say `good` first and `revoked` second. */
static enum reason
singles_judge(struct response *r, const struct cert *leaf, const struct cert *issuer, struct when when,
	      char **text)
{
	struct issuer_id id = issuer_id_of(leaf, issuer);
	enum reason worst = REASON_NONE;
	bool found = false;
	struct single s;

	while (der_more(&r->singles)) {
		enum reason reason;
		char *sentence = NULL;

		if (single_read(&s, &r->singles) != RES_OK) {
			r->singles.bad = true;
			break;
		}
		if (!single_is_for(&s, leaf, &id))
			continue;
		found = true;
		reason = single_judge(&s, when, &sentence);
		if (single_is_worse(reason, worst)) {
			worst = reason;
			free(*text);
			*text = sentence;
		} else {
			free(sentence);
		}
	}
	if (single_is_worse(REASON_STAPLE_INVALID, worst) && (!found || r->singles.bad)) {
		free(*text);
		(void)why_say(text, RES_OK,
			      r->singles.bad ? "the stapled OCSP response cannot be read"
					     : "the stapled OCSP response is for another certificate");
		return REASON_STAPLE_INVALID;
	}
	if (worst == REASON_NONE && r->early) {
		(void)why_say(text, RES_OK,
			      "the responder's certificate begins after the clock, which is not set");
		worst = REASON_CLOCK_NOT_SET;
	}
	return worst;
}

/* No key that may sign the response did. */
static void
unsigned_say(const struct response *r, struct when when, char **text)
{
	bool ended = when.since_ms > r->until_ms;
	char time[TIME_TEXT_MAX];

	if (r->dated)
		(void)why_say(text, RES_OK, "the certificate of the OCSP responder %s %s",
			      ended ? "expired at" : "is not valid before",
			      time_text(ended ? r->until_ms : r->from_ms, time));
	else
		(void)why_say(text, RES_OK,
			      "the stapled OCSP response is not signed by the certificate's issuer");
}

/* Reads a response and verifies its signature. REASON_NONE: it is valid. */
static enum reason
response_open(struct response *r, struct span staple, const struct cert *issuer, struct when when,
	      struct signature_budget *budget, char **text)
{
	enum res res;

	if (staple.n > STAPLE_MAX)
		res =
		    why_say(text, RES_LIMIT, "the stapled OCSP response is larger than %d bytes", STAPLE_MAX);
	else
		res = response_read(r, staple, text);
	if (res == RES_OK) {
		res = response_signed(r, issuer, when, budget);
		if (res == RES_NOT_FOUND)
			unsigned_say(r, when, text);
		else if (res == RES_LIMIT)
			(void)why_say(text, res,
				      "checking the stapled OCSP response would take more signature checks "
				      "than the limit");
	}
	if (res == RES_OK)
		return REASON_NONE;
	return res == RES_NOMEM ? REASON_OUT_OF_MEMORY : REASON_STAPLE_INVALID;
}

enum reason
staple_check(struct span staple, const struct cert *leaf, const struct cert *issuer, struct when when,
	     struct signature_budget *budget, char **text)
{
	struct response r = {.responder_name = {NULL, 0}};
	enum reason reason;

	*text = NULL;
	reason = response_open(&r, staple, issuer, when, budget, text);
	return reason == REASON_NONE ? singles_judge(&r, leaf, issuer, when, text) : reason;
}
