#include "verify/x509/trust.h"
#include "base/text.h"
#include "verify/x509/pem.h"
#include "verify/x509/trust_judge.h"

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
};

static void
anchor_free(struct anchor *a)
{
	if (a == NULL)
		return;
	free(a->der);
	free(a);
}

static enum res
anchor_new(struct anchor **out, struct span der)
{
	struct anchor *a = calloc(1, sizeof *a);
	enum res r = RES_NOMEM;

	if (a == NULL)
		return RES_NOMEM;
	a->der = malloc(der.n == 0 ? 1 : der.n);
	if (a->der != NULL) {
		if (der.n > 0)
			memcpy(a->der, der.p, der.n);
		r = cert_read(&a->cert, span_of(a->der, der.n));
	}
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

static void
trust_why(char **why, size_t number, enum res r)
{
	struct buf text = buf_max(256);

	if (why == NULL)
		return;
	if (number == 0)
		buf_text(&text, r == RES_LIMIT ? "the file is too large" : "no certificate in the file");
	else
		buf_format(&text, "certificate %zu in the file: %s", number,
			   r == RES_LIMIT ? "too large, or more anchors than are read" : res_text(r));
	*why = buf_take_cstr(&text);
	buf_free(&text);
}

enum res
trust_add_pem(struct trust *t, struct span pem, char **why)
{
	struct buf der = buf_max(CERT_BYTES_MAX);
	size_t number = 0;
	enum res r = RES_OK;

	if (why != NULL)
		*why = NULL;
	if (pem.n > TRUST_FILE_MAX)
		r = RES_LIMIT;
	while (r == RES_OK) {
		struct anchor *a;

		buf_clear(&der);
		r = pem_next(&der, &pem, "CERTIFICATE");
		if (r == RES_NOT_FOUND)
			break;
		number++;
		if (r == RES_OK)
			r = anchor_new(&a, buf_span(&der));
		if (r == RES_OK)
			r = trust_insert(t, a);
	}
	buf_free(&der);
	if (r == RES_NOT_FOUND && number > 0)
		return RES_OK;
	trust_why(why, number, r);
	return r;
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
