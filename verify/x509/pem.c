#include "verify/x509/pem.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define PEM_LABEL_MAX 64 /* "-----BEGIN X509 CERTIFICATE-----" is the longest in use */

/* Where the line is in text, or text.n. */
static size_t
pem_find(struct span text, struct span line)
{
	for (size_t at = 0; at < text.n; at++) {
		const uint8_t *dash = memchr(text.p + at, line.p[0], text.n - at);

		if (dash == NULL)
			break;
		at = (size_t)(dash - text.p);
		if (span_equal(span_slice(text, at, line.n), line))
			return at;
	}
	return text.n;
}

static enum res
pem_decode(struct buf *out, struct span body)
{
	struct buf packed = buf_max(body.n);
	uint8_t *to = buf_room(&packed, body.n);
	enum res r = RES_NOMEM;
	size_t n = 0;

	for (size_t i = 0; to != NULL && i < body.n; i++) {
		uint8_t c = body.p[i];

		to[n] = c;
		n += !(c == ' ' || c == '\t' || c == '\r' || c == '\n');
	}
	buf_added(&packed, n);
	if (buf_ok(&packed))
		r = base64_read(out, buf_span(&packed));
	buf_free(&packed);
	return r;
}

struct pem_text
pem_text_over(struct span text)
{
	return (struct pem_text){text, 1};
}

/* Passes over n bytes. */
static void
pem_skip(struct pem_text *t, size_t n)
{
	const uint8_t *at = t->left.p, *end = n == 0 ? at : at + n;

	while (at != end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		t->line++;
		at++;
	}
	t->left = span_slice(t->left, n, t->left.n);
}

/* To the next beginning of a block that has one of the labels: which, or n. */
static size_t
pem_seek(struct pem_text *t, const char *const *labels, size_t n)
{
	const struct span begin = span_str("-----BEGIN ");
	char line[PEM_LABEL_MAX];

	for (;;) {
		pem_skip(t, pem_find(t->left, begin));
		if (t->left.n == 0)
			return n;
		for (size_t i = 0; i < n; i++) {
			snprintf(line, sizeof line, "-----BEGIN %s-----", labels[i]);
			if (span_equal(span_slice(t->left, 0, strlen(line)), span_str(line)))
				return i;
		}
		pem_skip(t, begin.n);
	}
}

enum res
pem_next_of(struct buf *out, struct pem_text *t, const char *const *labels, size_t n, size_t *label,
	    size_t *line)
{
	char end[PEM_LABEL_MAX];
	struct span body;
	size_t at, next;

	*label = pem_seek(t, labels, n);
	*line = t->line;
	if (*label == n)
		return RES_NOT_FOUND;
	pem_skip(t, strlen("-----BEGIN -----") + strlen(labels[*label]));
	snprintf(end, sizeof end, "-----END %s-----", labels[*label]);
	at = pem_find(t->left, span_str(end));
	next = pem_find(span_slice(t->left, 0, at), span_str("-----BEGIN "));
	if (next < at || at == t->left.n) {
		pem_skip(t, next);
		return RES_MALFORMED;
	}
	body = span_slice(t->left, 0, at);
	pem_skip(t, at + strlen(end));
	return pem_decode(out, body);
}

enum res
pem_next(struct buf *out, struct span *text, const char *label)
{
	struct pem_text t = pem_text_over(*text);
	size_t which, line;
	enum res res = pem_next_of(out, &t, &label, 1, &which, &line);

	*text = t.left;
	return res;
}
