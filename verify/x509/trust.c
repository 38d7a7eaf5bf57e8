#include "verify/x509/trust.h"
#include "base/text.h"
#include "verify/why.h"
#include "verify/x509/anchor_tidy.h"
#include "verify/x509/anchor_trust.h"
#include "verify/x509/pem.h"

#include <gnutls/crypto.h>

#include <stdlib.h>
#include <string.h>

struct anchor {
	struct cert cert;
	uint8_t *der; /* owned */
};

struct trust {
	struct anchor **anchors; /* by subject, then by the certificate's SHA-256 */
	size_t n;
	size_t cap;
	uint8_t (*reject)[32]; /* SHA-256 of certificates whose own settings say: not for TLS servers */
	size_t n_reject;
	struct faults left_out;
};

static void
anchor_free(struct anchor *a)
{
	if (a == NULL)
		return;
	free(a->der);
	free(a);
}

/* Tidies what is not quite DER. The fingerprint is still that of the original bytes. */
static enum res
anchor_read(struct anchor *a, struct span given)
{
	struct buf der = buf_max(CERT_BYTES_MAX);
	enum res r = anchor_tidy(&der, given);
	size_t n = der.n;

	if (r != RES_OK) {
		buf_free(&der);
		return r;
	}
	a->der = malloc(n + 1);
	if (a->der != NULL && n > 0)
		memcpy(a->der, der.p, n);
	buf_free(&der);
	if (a->der == NULL)
		return RES_NOMEM;
	r = cert_read_parts(&a->cert, span_of(a->der, n));
	return r == RES_OK ? cert_fingerprint(&a->cert, given) : r;
}

static enum res
anchor_new(struct anchor **out, struct span given)
{
	struct anchor *a = calloc(1, sizeof *a);
	enum res r;

	if (a == NULL)
		return RES_NOMEM;
	r = anchor_read(a, given);
	if (r != RES_OK) {
		anchor_free(a);
		return r;
	}
	*out = a;
	return RES_OK;
}

static int
anchor_order(const struct cert *a, struct span subject, const uint8_t sha256[32])
{
	int c = span_compare(a->subject, subject);

	return c != 0 || sha256 == NULL ? c : memcmp(a->sha256, sha256, 32);
}

/* The first anchor that is not before (subject, sha256); a NULL hash comes before all of that subject. */
static size_t
trust_lower(const struct trust *t, struct span subject, const uint8_t sha256[32])
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (anchor_order(&t->anchors[mid]->cert, subject, sha256) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The anchor is taken, also on failure. */
static enum res
trust_insert(struct trust *t, struct anchor *a)
{
	size_t at = trust_lower(t, a->cert.subject, a->cert.sha256);

	if (at < t->n && memcmp(t->anchors[at]->cert.sha256, a->cert.sha256, 32) == 0) {
		anchor_free(a);
		return RES_OK;
	}
	if (t->n == TRUST_ANCHORS_MAX) {
		anchor_free(a);
		return RES_LIMIT;
	}
	if (t->n == t->cap) {
		size_t cap = t->cap == 0 ? 64 : 2 * t->cap;
		struct anchor **more = realloc(t->anchors, cap * sizeof *more);

		if (more == NULL) {
			anchor_free(a);
			return RES_NOMEM;
		}
		t->anchors = more;
		t->cap = cap;
	}
	memmove(t->anchors + at + 1, t->anchors + at, (t->n - at) * sizeof *t->anchors);
	t->anchors[at] = a;
	t->n++;
	return RES_OK;
}

static bool
is_rejected(const struct trust *t, const uint8_t sha256[32])
{
	for (size_t i = 0; i < t->n_reject; i++)
		if (memcmp(t->reject[i], sha256, 32) == 0)
			return true;
	return false;
}

/* What one text rejects is no anchor, whatever another block or text says of it. */
static enum res
trust_reject(struct trust *t, const uint8_t sha256[32])
{
	uint8_t(*more)[32];

	if (is_rejected(t, sha256))
		return RES_OK;
	if (t->n_reject == TRUST_REJECTS_MAX)
		return RES_LIMIT;
	more = realloc(t->reject, (t->n_reject + 1) * sizeof *more);
	if (more == NULL)
		return RES_NOMEM;
	t->reject = more;
	memcpy(t->reject[t->n_reject++], sha256, 32);
	for (size_t i = 0; i < t->n; i++) {
		if (memcmp(t->anchors[i]->cert.sha256, sha256, 32) != 0)
			continue;
		anchor_free(t->anchors[i]);
		memmove(t->anchors + i, t->anchors + i + 1, (--t->n - i) * sizeof *t->anchors);
		break;
	}
	return RES_OK;
}

static void
trust_leave_out(struct trust *t, size_t line, const char *what)
{
	char *why = NULL;

	(void)why_say(&why, RES_OK, "certificate left out: %s", what);
	faults_add(&t->left_out, line, why);
}

/* One certificate and, of a TRUSTED CERTIFICATE block, its settings. An error is for the whole text; a certificate that
 * cannot be used is only left out. */
static enum res
trust_add_one(struct trust *t, struct span der, bool has_settings, size_t line)
{
	struct span given, rest;
	struct anchor *a = NULL;
	bool servers = true;
	enum res r = anchor_first(der, &given, &rest);

	if (r == RES_OK)
		r = anchor_new(&a, given);
	if (r == RES_NOMEM)
		return r;
	if (r != RES_OK) {
		trust_leave_out(t, line, r == RES_LIMIT ? "it is too large" : "it cannot be read as X.509");
		return RES_OK;
	}
	if (has_settings && anchor_trust_read(&servers, rest) != RES_OK)
		trust_leave_out(t, line, "its trust settings cannot be read");
	else if (!servers)
		trust_leave_out(t, line, "its own trust settings reject it for TLS servers");
	if (!servers)
		r = trust_reject(t, a->cert.sha256);
	if (!servers || is_rejected(t, a->cert.sha256)) {
		anchor_free(a);
		return r;
	}
	r = trust_insert(t, a);
	if (r == RES_LIMIT)
		trust_leave_out(t, line, "there are too many anchors");
	return r == RES_NOMEM ? r : RES_OK;
}

/* All blocks; *number: how many there were. */
static enum res
trust_add_blocks(struct trust *t, struct span pem, size_t *number)
{
	static const char *const labels[] = {"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"};
	struct pem_text text = pem_text_over(pem);
	struct buf der = buf_max(CERT_BYTES_MAX);
	enum res r = RES_OK;

	for (*number = 0; r == RES_OK; ++*number) {
		size_t label, line;

		buf_free(&der);
		der = buf_max(CERT_BYTES_MAX);
		r = pem_next_of(&der, &text, labels, sizeof labels / sizeof *labels, &label, &line);
		if (r == RES_NOT_FOUND)
			break;
		if (r == RES_MALFORMED || r == RES_LIMIT) {
			trust_leave_out(
			    t, line, r == RES_LIMIT ? "it is too large" : "malformed base64, or no END line");
			r = RES_OK;
		} else if (r == RES_OK) {
			r = trust_add_one(t, buf_span(&der), label == 2, line);
		}
	}
	buf_free(&der);
	return r == RES_NOT_FOUND ? RES_OK : r;
}

enum res
trust_add_pem(struct trust *t, struct span pem, char **why)
{
	size_t number = 0, before = t->n, lost = t->left_out.n;
	enum res r;

	if (why != NULL)
		*why = NULL;
	if (pem.n > TRUST_FILE_MAX)
		return why_say(why, RES_LIMIT, "the file is larger than %d bytes", TRUST_FILE_MAX);
	r = trust_add_blocks(t, pem, &number);
	if (r != RES_OK)
		return why_say(why, r, "%s", res_text(r));
	if (number == 0)
		return why_say(why, RES_NOT_FOUND, "%s",
			       text_foreign(pem) != NULL ? text_foreign(pem) : "no certificate in the file");
	if (t->n > before || t->left_out.n < lost + number) /* duplicates are as good */
		return RES_OK;
	return why_say(
	    why, RES_MALFORMED, "it holds %s, none usable; the first, in line %zu: %s",
	    COUNTED(number, "certificate"), t->left_out.n_shown > 0 ? t->left_out.shown[0].line : 0,
	    t->left_out.n_shown > 0 && t->left_out.shown[0].why != NULL ? t->left_out.shown[0].why : "");
}

struct faults *
trust_left_out(struct trust *t)
{
	return &t->left_out;
}

enum res
trust_from_pem(struct trust **out, struct span pem, char **why)
{
	struct trust *t = calloc(1, sizeof *t);
	enum res r;

	if (why != NULL)
		*why = NULL;
	if (t == NULL)
		return RES_NOMEM;
	r = trust_add_pem(t, pem, why);
	if (r != RES_OK) {
		trust_free(t);
		return r;
	}
	*out = t;
	return RES_OK;
}

void
trust_free(struct trust *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++)
		anchor_free(t->anchors[i]);
	free(t->anchors);
	free(t->reject);
	faults_clear(&t->left_out);
	free(t);
}

size_t
trust_count(const struct trust *t)
{
	return t == NULL ? 0 : t->n;
}

const struct cert *
trust_at(const struct trust *t, size_t i)
{
	return t == NULL || i >= t->n ? NULL : &t->anchors[i]->cert;
}

const struct cert *
trust_named(const struct trust *t, const uint8_t sha256[32])
{
	for (size_t i = 0; i < trust_count(t); i++)
		if (memcmp(t->anchors[i]->cert.sha256, sha256, 32) == 0)
			return &t->anchors[i]->cert;
	return NULL;
}

size_t
trust_find(const struct trust *t, struct span subject, size_t *first)
{
	size_t n = 0;

	if (t == NULL)
		return 0;
	*first = trust_lower(t, subject, NULL);
	while (*first + n < t->n && span_equal(t->anchors[*first + n]->cert.subject, subject))
		n++;
	return n;
}
