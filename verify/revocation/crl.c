/*
 * Certificate revocation lists (RFC 5280, 5): reading one.
 */
#include "verify/revocation/crl.h"

#include "verify/x509/der.h"
#include "verify/x509/name.h"
#include "verify/x509/oid.h"
#include "verify/why.h"

#include <stdlib.h>
#include <string.h>

#define OID_CRL_NUMBER         OID("\x55\x1d\x14")
#define OID_REASON_CODE        OID("\x55\x1d\x15")
#define OID_HOLD_INSTRUCTION   OID("\x55\x1d\x17")
#define OID_INVALIDITY_DATE    OID("\x55\x1d\x18")
#define OID_DELTA_CRL          OID("\x55\x1d\x1b")
#define OID_ISSUING_POINT      OID("\x55\x1d\x1c")
#define OID_CERTIFICATE_ISSUER OID("\x55\x1d\x1d")

void
crl_free(struct crl *crl)
{
	if (crl == NULL)
		return;
	buf_free(&crl->issuer);
	free(crl->serial);
	free(crl->der);
	free(crl);
}

static int
serial_compare(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return span_compare(*x, *y);
}

/* One Extension. */
struct ext {
	struct span oid;
	bool critical;
	struct span value;
};

static enum res
ext_read(struct ext *ext, struct der_reader *list)
{
	struct der_reader in = der_enter(list, DER_SEQUENCE);

	*ext = (struct ext){.oid = der_take(&in, DER_OID).body};
	if (der_at(&in, DER_BOOLEAN) && der_bool(&ext->critical, der_any(&in).body) != RES_OK)
		return RES_MALFORMED;
	ext->value = der_take(&in, DER_OCTET_STRING).body;
	return der_done(&in) ? RES_OK : RES_MALFORMED;
}

/* One of crlExtensions. */
static enum res
extension_use(struct crl *crl, const struct ext *ext, bool *pointed, char **why)
{
	enum res res = RES_OK;

	if (span_equal(ext->oid, OID_DELTA_CRL))
		return why_say(why, RES_UNSUPPORTED, "a delta CRL");
	if (span_equal(ext->oid, OID_ISSUING_POINT)) {
		res = *pointed ? RES_MALFORMED : crl_scope_read(&crl->scope, ext->value, crl->issuer_der);
		*pointed = true;
	} else if (span_equal(ext->oid, OID_AUTHORITY_KEY_ID)) {
		struct der_reader in = der_only(ext->value, DER_SEQUENCE);

		if (der_at(&in, DER_CONTEXT(0)))
			crl->authority_key = der_any(&in).body;
	} else if (ext->critical && !span_equal(ext->oid, OID_CRL_NUMBER)) {
		return why_say(why, RES_UNSUPPORTED, "a CRL with an unknown critical extension");
	}
	return res == RES_UNSUPPORTED ? why_say(why, res, "an indirect CRL, or one of attribute certificates")
				      : res;
}

/* crlExtensions */
static enum res
extensions_read(struct crl *crl, struct der_reader *tbs, char **why)
{
	struct der_reader wrapper, list;
	struct ext ext;
	bool pointed = false;
	enum res res = RES_OK;

	if (!der_at(tbs, DER_CONTEXT_CONS(0)))
		return RES_OK;
	wrapper = der_enter(tbs, DER_CONTEXT_CONS(0));
	list = der_enter(&wrapper, DER_SEQUENCE);
	while (res == RES_OK && der_more(&list)) {
		res = ext_read(&ext, &list);
		if (res == RES_OK)
			res = extension_use(crl, &ext, &pointed, why);
	}
	return res == RES_OK && !(der_done(&list) && der_done(&wrapper)) ? RES_MALFORMED : res;
}

/* RFC 5280, 5.3: the known extensions of an entry. None of them makes a revoked certificate good: removeFromCRL is for
 * delta CRLs only (5.3.1), and a certificate on hold is not good either. */
static bool
entry_extension_known(struct span oid)
{
	return span_equal(oid, OID_REASON_CODE) || span_equal(oid, OID_HOLD_INSTRUCTION) ||
	       span_equal(oid, OID_INVALIDITY_DATE);
}

/* crlEntryExtensions. A list with an entry that cannot be processed is used for no certificate at all (RFC 5280, 5.3). */
static enum res
entry_extensions_read(struct der_reader *entry, char **why)
{
	struct der_reader list;
	struct ext ext;

	if (!der_more(entry))
		return RES_OK;
	list = der_enter(entry, DER_SEQUENCE);
	while (der_more(&list)) {
		if (ext_read(&ext, &list) != RES_OK)
			return RES_MALFORMED;
		if (span_equal(ext.oid, OID_CERTIFICATE_ISSUER))
			return why_say(why, RES_UNSUPPORTED, "a CRL with an entry of another issuer");
		if (ext.critical && !entry_extension_known(ext.oid))
			return why_say(why, RES_UNSUPPORTED,
				       "a CRL with an unknown critical extension in an entry");
	}
	return der_done(&list) ? RES_OK : RES_MALFORMED;
}

static enum res
serial_add(struct crl *crl, struct span serial)
{
	if (crl->n_serials == crl->cap_serials) {
		size_t cap = crl->cap_serials == 0 ? 64 : crl->cap_serials * 2;
		struct span *larger = reallocarray(crl->serial, cap, sizeof *larger);

		if (larger == NULL)
			return RES_NOMEM;
		crl->serial = larger;
		crl->cap_serials = cap;
	}
	crl->serial[crl->n_serials++] = der_integer_trim(serial);
	return RES_OK;
}

static enum res
entries_read(struct crl *crl, struct der_reader *list, char **why)
{
	while (der_more(list)) {
		struct der_reader entry = der_enter(list, DER_SEQUENCE);
		struct span serial = der_take(&entry, DER_INTEGER).body;
		int64_t when;
		enum res res;

		if (serial.n == 0 || der_time(&when, &entry) != RES_OK)
			return RES_MALFORMED;
		res = entry_extensions_read(&entry, why);
		if (res != RES_OK || !der_done(&entry))
			return res != RES_OK ? res : RES_MALFORMED;
		if (serial_add(crl, serial) != RES_OK)
			return RES_NOMEM;
	}
	if (!der_done(list))
		return RES_MALFORMED;
	if (crl->n_serials > 0)
		qsort(crl->serial, crl->n_serials, sizeof *crl->serial, serial_compare);
	for (size_t i = 1; i < crl->n_serials; i++)
		if (span_equal(crl->serial[i - 1], crl->serial[i]))
			return why_say(why, RES_UNSUPPORTED, "a CRL that lists a serial number twice");
	return RES_OK;
}

/* TBSCertList (RFC 5280, 5.1.2); the algorithm in it must be the one outside. */
static enum res
tbs_read(struct crl *crl, struct span tbs, struct span sig_alg, char **why)
{
	struct der_reader in = der_only(tbs, DER_SEQUENCE), list;
	uint32_t version = 0;
	enum res res;

	if (der_at(&in, DER_INTEGER) && (der_uint(&version, der_any(&in).body) != RES_OK || version != 1))
		return RES_MALFORMED;
	if (!span_equal(der_take(&in, DER_SEQUENCE).whole, sig_alg))
		return RES_MALFORMED;
	crl->issuer_der = der_take(&in, DER_SEQUENCE).whole;
	crl->issuer = buf_max(CRL_ISSUER_KEY_MAX);
	res = name_key_from_der(&crl->issuer, crl->issuer_der);
	if (res != RES_OK) {
		buf_free(&crl->issuer);
		return res == RES_NOMEM ? res : RES_MALFORMED;
	}
	crl->scope = crl_scope_everything(crl->issuer_der);
	if (der_time(&crl->this_ms, &in) != RES_OK)
		return RES_MALFORMED;
	if ((der_at(&in, DER_UTC_TIME) || der_at(&in, DER_GENERALIZED_TIME)) &&
	    der_time(&crl->next_ms, &in) != RES_OK)
		return RES_MALFORMED;
	if (der_at(&in, DER_SEQUENCE)) {
		list = der_enter(&in, DER_SEQUENCE);
		res = entries_read(crl, &list, why);
		if (res != RES_OK)
			return res;
	}
	res = extensions_read(crl, &in, why);
	return res == RES_OK && !der_done(&in) ? RES_MALFORMED : res;
}

static enum res
crl_read(struct crl *crl, char **why)
{
	struct der_reader in = der_only(span_of(crl->der, crl->n), DER_SEQUENCE);
	struct span tbs = der_take(&in, DER_SEQUENCE).whole, sig_alg = der_take(&in, DER_SEQUENCE).whole;
	struct span bits = der_take(&in, DER_BIT_STRING).body;
	enum res res;

	if (!der_done(&in) || der_bits_whole(&bits) != RES_OK)
		return RES_MALFORMED;
	res = tbs_read(crl, tbs, sig_alg, why);
	if (res != RES_OK)
		return res;
	res = signature_read_strong(&crl->signature, tbs, sig_alg, bits);
	return res == RES_UNSUPPORTED ? why_say(why, res, "a CRL signed with a weak or unknown algorithm")
				      : res;
}

enum res
crl_new(struct crl **out, struct span der, char **why)
{
	struct crl *crl = calloc(1, sizeof *crl);
	char *sentence = NULL;
	enum res res = RES_NOMEM;

	*out = NULL;
	if (crl != NULL && (crl->der = malloc(der.n + 1)) != NULL) {
		if (der.n > 0)
			memcpy(crl->der, der.p, der.n);
		crl->n = der.n;
		res = crl_read(crl, &sentence);
		crl->usable = res == RES_OK;
	}
	if (res == RES_OK || (res != RES_NOMEM && crl->issuer.n > 0))
		*out = crl;
	else
		crl_free(crl);
	if (res != RES_OK)
		(void)why_say(why, res, "%s",
			      res == RES_NOMEM   ? "no memory"
			      : sentence != NULL ? sentence
						 : "not a CRL in DER");
	free(sentence);
	return res;
}

bool
crl_names(const struct crl *crl, struct span serial)
{
	serial = der_integer_trim(serial);
	return crl->n_serials > 0 &&
	       bsearch(&serial, crl->serial, crl->n_serials, sizeof *crl->serial, serial_compare) != NULL;
}

bool
crl_is_current(const struct crl *crl, struct when when)
{
	return crl->this_ms <= when.until_ms && crl->next_ms != 0 && when.since_ms <= crl->next_ms;
}
