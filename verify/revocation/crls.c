/*
 * Certificate revocation lists (RFC 5280, 5) as files gave them.
 *
 * A list is read once, at loading: its serials sorted, its body hashed. A certificate is revoked when a good list of
 * its issuer names it. Where there are lists of its issuer, one that is current must speak for the certificate as well
 * (crlscope.h): of lists in parts all that are needed have to be given. Refused at loading: delta lists (they are
 * nothing without their base), indirect lists (entries of other issuers), a serial number that stands there twice, and
 * critical extensions that are not known.
 */
#include "verify/revocation/revocation.h"

#include "base/text.h"
#include "verify/revocation/crlscope.h"
#include "verify/x509/der.h"
#include "verify/x509/name.h"
#include "verify/x509/oid.h"
#include "verify/x509/pem.h"
#include "verify/revocation/signed.h"
#include "verify/x509/usage.h"
#include "verify/why.h"

#include <stdlib.h>
#include <string.h>

#define OID_CRL_NUMBER         OID("\x55\x1d\x14")
#define OID_DELTA_CRL          OID("\x55\x1d\x1b")
#define OID_ISSUING_POINT      OID("\x55\x1d\x1c")
#define OID_CERTIFICATE_ISSUER OID("\x55\x1d\x1d")

#define ISSUER_KEY_MAX         (16 * 1024) /* of the issuer's name in compared form */

struct crl {
	uint8_t *der; /* owned; every span below points into it */
	size_t n;
	struct buf issuer; /* in compared form */
	struct signed_body body;
	int64_t this_ms;
	int64_t next_ms; /* 0: absent */
	struct crl_scope scope;
	struct span *serial; /* sorted */
	size_t n_serials;
	size_t cap_serials;
};

struct crls {
	struct crl *crl[CRLS_MAX];
	size_t n;
	struct faults left_out;
	bool lacking;
};

enum res
crls_new(struct crls **out)
{
	struct crls *all = calloc(1, sizeof *all);

	if (all == NULL)
		return RES_NOMEM;
	*out = all;
	return RES_OK;
}

static void
crl_free(struct crl *crl)
{
	if (crl == NULL)
		return;
	buf_free(&crl->issuer);
	free(crl->serial);
	free(crl->der);
	free(crl);
}

void
crls_free(struct crls *all)
{
	if (all == NULL)
		return;
	for (size_t i = 0; i < all->n; i++)
		crl_free(all->crl[i]);
	faults_clear(&all->left_out);
	free(all);
}

size_t
crls_count(const struct crls *all)
{
	return all->n;
}

/* Without the sign octet. */
static struct span
serial_strip(struct span serial)
{
	while (serial.n > 0 && serial.p[0] == 0)
		serial = span_slice(serial, 1, serial.n);
	return serial;
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

/* crlExtensions */
static enum res
extensions_read(struct crl *crl, struct der_reader *tbs, char **why)
{
	struct der_reader wrapper, list;
	struct ext ext;
	enum res res = RES_OK;

	if (!der_at(tbs, DER_CONTEXT_CONS(0)))
		return RES_OK;
	wrapper = der_enter(tbs, DER_CONTEXT_CONS(0));
	list = der_enter(&wrapper, DER_SEQUENCE);
	while (res == RES_OK && der_more(&list)) {
		res = ext_read(&ext, &list);
		if (res != RES_OK)
			break;
		if (span_equal(ext.oid, OID_DELTA_CRL))
			return why_say(why, RES_UNSUPPORTED, "a delta CRL");
		if (span_equal(ext.oid, OID_ISSUING_POINT))
			res = crl_scope_read(&crl->scope, ext.value);
		else if (ext.critical && !span_equal(ext.oid, OID_CRL_NUMBER) &&
			 !span_equal(ext.oid, OID_AUTHORITY_KEY_ID))
			return why_say(why, RES_UNSUPPORTED,
				       "a CRL with a critical extension that is not known");
		if (res == RES_UNSUPPORTED)
			return why_say(why, res, "an indirect CRL, or one of attribute certificates");
	}
	return res == RES_OK && !(der_done(&list) && der_done(&wrapper)) ? RES_MALFORMED : res;
}

/* crlEntryExtensions: the reason makes no difference, another issuer does (RFC 5280, 5.3.3). */
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
		if (ext.critical || span_equal(ext.oid, OID_CERTIFICATE_ISSUER))
			return why_say(why, RES_UNSUPPORTED,
				       "an entry with a critical extension, or of another issuer");
	}
	return der_done(&list) ? RES_OK : RES_MALFORMED;
}

static enum res
entries_read(struct crl *crl, struct der_reader *list, char **why)
{
	while (der_more(list)) {
		struct der_reader entry = der_enter(list, DER_SEQUENCE);
		struct span serial = der_take(&entry, DER_INTEGER).body;
		int64_t when;
		enum res res;

		if (!der_integer_ok(serial) || der_time(&when, &entry) != RES_OK)
			return RES_MALFORMED;
		res = entry_extensions_read(&entry, why);
		if (res != RES_OK || !der_done(&entry))
			return res != RES_OK ? res : RES_MALFORMED;
		if (crl->n_serials == crl->cap_serials) {
			size_t cap = crl->cap_serials == 0 ? 64 : crl->cap_serials * 2;
			struct span *larger = reallocarray(crl->serial, cap, sizeof *larger);

			if (larger == NULL)
				return RES_NOMEM;
			crl->serial = larger;
			crl->cap_serials = cap;
		}
		crl->serial[crl->n_serials++] = serial_strip(serial);
	}
	if (!der_done(list))
		return RES_MALFORMED;
	if (crl->n_serials > 0)
		qsort(crl->serial, crl->n_serials, sizeof *crl->serial, serial_compare);
	for (size_t i = 1; i < crl->n_serials; i++)
		if (span_equal(crl->serial[i - 1], crl->serial[i]))
			return why_say(why, RES_UNSUPPORTED, "a CRL that names a serial number twice");
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
	crl->issuer = buf_max(ISSUER_KEY_MAX);
	res = name_key_from_der(&crl->issuer, der_take(&in, DER_SEQUENCE).whole);
	if (res != RES_OK || der_time(&crl->this_ms, &in) != RES_OK)
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

	if (!der_done(&in) || bits.n < 2 || bits.p[0] != 0)
		return RES_MALFORMED;
	res = tbs_read(crl, tbs, sig_alg, why);
	if (res != RES_OK)
		return res;
	res = signed_read(&crl->body, tbs, sig_alg, span_slice(bits, 1, bits.n));
	return res == RES_UNSUPPORTED ? why_say(why, res, "a CRL signed with a weak or unknown algorithm")
				      : res;
}

static enum res
crl_add(struct crls *all, struct span der, char **why)
{
	struct crl *crl;
	enum res res = RES_NOMEM;

	if (all->n == CRLS_MAX)
		return why_say(why, RES_LIMIT, "more than %d CRLs", CRLS_MAX);
	crl = calloc(1, sizeof *crl);
	if (crl != NULL && (crl->der = malloc(der.n + 1)) != NULL) {
		if (der.n > 0)
			memcpy(crl->der, der.p, der.n);
		crl->n = der.n;
		if (why != NULL)
			*why = NULL;
		res = crl_read(crl, why);
	}
	if (res == RES_OK) {
		all->crl[all->n++] = crl;
		return RES_OK;
	}
	crl_free(crl);
	if (res == RES_UNSUPPORTED) /* said already */
		return res;
	return why_say(why, res, res == RES_NOMEM ? "no memory" : "not a CRL in DER");
}

struct faults *
crls_left_out(struct crls *all)
{
	return &all->left_out;
}

void
crls_lack(struct crls *all)
{
	all->lacking = true;
}

/* One block after the other; *first and *why: the first that cannot be used. */
static enum res
crls_add_blocks(struct crls *all, struct span file, enum res *first, char **why)
{
	static const char *const labels[] = {"X509 CRL"};
	struct pem_text text = pem_text_over(file);
	size_t label, line;
	enum res res = RES_OK;

	*why = NULL;
	*first = RES_OK;
	while (res == RES_OK) {
		struct buf der = buf_max(CRL_FILE_MAX);
		char *said = NULL;

		res = pem_next_of(&der, &text, labels, 1, &label, &line);
		if (res == RES_OK)
			res = crl_add(all, buf_span(&der), &said);
		else if (res != RES_NOT_FOUND)
			(void)why_say(&said, res, "a PEM block that cannot be read");
		buf_free(&der);
		if (res == RES_OK || res == RES_NOT_FOUND || res == RES_NOMEM) {
			free(said);
			continue;
		}
		if (*first == RES_OK)
			*first = why_say(why, res, "%s", said != NULL ? said : res_text(res));
		(void)why_prefix(&said, res, "CRL left out");
		faults_add(&all->left_out, line, said);
		res = RES_OK;
	}
	return res;
}

enum res
crls_add(struct crls *all, struct span file, char **why)
{
	size_t before = all->n;
	char *said = NULL;
	enum res res, first;

	if (file.n > CRL_FILE_MAX)
		return why_say(why, RES_LIMIT, "larger than %d bytes", CRL_FILE_MAX);
	if (file.n > 0 && file.p[0] == DER_SEQUENCE)
		return crl_add(all, file, why);
	res = crls_add_blocks(all, file, &first, &said);
	if (res != RES_NOT_FOUND)
		res = why_say(why, res, "no memory");
	else if (all->n > before)
		res = RES_OK;
	else if (first != RES_OK)
		res = why_say(why, first, "%s", said != NULL ? said : res_text(first));
	else
		res = why_say(why, RES_NOT_FOUND, "no CRL in it, neither PEM nor DER");
	free(said);
	return res;
}

static bool
crl_names(const struct crl *crl, struct span serial)
{
	serial = serial_strip(serial);
	return crl->n_serials > 0 &&
	       bsearch(&serial, crl->serial, crl->n_serials, sizeof *crl->serial, serial_compare) != NULL;
}

static bool
crl_is_current(const struct crl *crl, int64_t now_ms)
{
	return crl->this_ms <= now_ms && crl->next_ms != 0 && now_ms <= crl->next_ms;
}

/* RFC 5280, 6.3.3 (f): whose keyUsage does not allow it signs no CRL. */
static bool
may_sign_crl(const struct cert *issuer)
{
	struct usage usage;

	return usage_read(&usage, issuer) == RES_OK &&
	       (!usage.has_key_usage || (usage.key_usage & USAGE_CRL_SIGN) != 0);
}

/* Against the lists of its issuer. An outdated list is no fault as long as a current one stands beside it; what an
 * outdated one names stays revoked. */
static enum reason
cert_check(const struct crls *all, const struct cert *cert, const struct cert *issuer, int64_t now_ms,
	   char **text)
{
	struct buf name = buf_max(ISSUER_KEY_MAX);
	bool any = false, current = false, covered = false, forged = false, revoked = false;

	if (name_key_from_der(&name, issuer->subject) != RES_OK) {
		buf_free(&name);
		return REASON_NONE; /* no list has a name that can not be read */
	}
	for (size_t i = 0; i < all->n; i++) {
		const struct crl *crl = all->crl[i];

		if (!span_equal(buf_span(&crl->issuer), buf_span(&name)))
			continue;
		any = true;
		if (!may_sign_crl(issuer) || !signed_by(&crl->body, issuer->spki)) {
			forged = true;
			continue;
		}
		current = current || crl_is_current(crl, now_ms);
		covered = covered || (crl_is_current(crl, now_ms) && crl_scope_has(&crl->scope, cert));
		revoked = revoked || crl_names(crl, cert->serial);
	}
	buf_free(&name);
	if (revoked)
		(void)why_say(text, RES_OK, "a CRL of its issuer names the certificate");
	else if (forged)
		(void)why_say(text, RES_OK, "a CRL is not signed by the issuer that it names");
	else if (any && !current)
		(void)why_say(text, RES_OK, "the CRL of the issuer is not current");
	else if (any && !covered)
		(void)why_say(text, RES_OK,
			      "the CRLs of its issuer are for other certificates, or for some reasons only");
	else
		return REASON_NONE;
	return revoked ? REASON_REVOKED : REASON_CRL_INVALID;
}

enum reason
crls_check(const struct crls *all, const struct cert *path, size_t n_path, int64_t now_ms, char **text)
{
	enum reason worst = REASON_NONE;

	*text = NULL;
	for (size_t i = 0; i + 1 < n_path && worst != REASON_REVOKED; i++) {
		char *said = NULL;
		enum reason reason = cert_check(all, &path[i], &path[i + 1], now_ms, &said);

		if (worst == REASON_NONE || reason == REASON_REVOKED) {
			free(*text);
			*text = said;
			worst = reason;
		} else {
			free(said);
		}
	}
	if (all->lacking && worst == REASON_NONE && n_path > 1)
		(void)why_say(text, RES_OK, "a configured CRL file cannot be read");
	return all->lacking && worst == REASON_NONE && n_path > 1 ? REASON_CRL_INVALID : worst;
}
