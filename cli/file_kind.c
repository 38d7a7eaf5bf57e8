#include "cli/file_kind.h"

#include "base/text.h"
#include "verify/x509/der.h"
#include "verify/x509/pem.h"

#include <string.h>

#define LABEL_MAX 40 /* of a PEM block, shown; "ANY PRIVATE KEY" is among the longest in use */

static const struct {
	const char *label, *what;
} pem_kinds[] = {
    {"PRIVATE KEY", "a private key"},
    {"RSA PRIVATE KEY", "a private key"},
    {"EC PRIVATE KEY", "a private key"},
    {"ENCRYPTED PRIVATE KEY", "a private key"},
    {"OPENSSH PRIVATE KEY", "a private key"},
    {"PUBLIC KEY", "a public key"},
    {"RSA PUBLIC KEY", "a public key"},
    {"CERTIFICATE REQUEST", "a certificate request"},
    {"NEW CERTIFICATE REQUEST", "a certificate request"},
    {"X509 CRL", "a certificate revocation list"},
    {"PKCS7", "a PKCS #7 bundle (`openssl pkcs7 -print_certs` unpacks it)"},
    {"CMS", "a PKCS #7 bundle (`openssl pkcs7 -print_certs` unpacks it)"},
    {"OCSP RESPONSE", "an OCSP response"},
};

/* ---- PEM */

static bool
is_text_byte(uint8_t c)
{
	return c >= ' ' || ascii_is_blank(c);
}

static bool
is_text(struct span s)
{
	size_t i = 0;

	while (i < s.n && is_text_byte(s.p[i]))
		i++;
	return i == s.n && utf8_ok(s);
}

/* The label of a line "-----BEGIN LABEL-----"; empty: it is no such line. */
static struct span
label_of(struct span line)
{
	const struct span begin = span_str("-----BEGIN "), end = span_str("-----");

	if (line.n < begin.n + end.n || !span_equal(span_slice(line, 0, begin.n), begin) ||
	    !span_equal(span_slice(line, line.n - end.n, end.n), end))
		return (struct span){NULL, 0};
	return span_slice(line, begin.n, line.n - begin.n - end.n);
}

static void
pem_kind_put(struct buf *out, struct span label)
{
	for (size_t i = 0; i < sizeof pem_kinds / sizeof *pem_kinds; i++)
		if (span_equal(label, span_str(pem_kinds[i].label))) {
			buf_format(out, "it holds %s", pem_kinds[i].what);
			return;
		}
	buf_text(out, "it holds PEM of another kind, \"");
	text_escape(out, span_slice(label, 0, LABEL_MAX));
	buf_text(out, "\"");
}

/* A block that has no certificate because it was cut or changed. */
static bool
bad_block_put(struct buf *out, struct span text)
{
	static const char *const labels[] = {"CERTIFICATE"};
	struct pem_text pem = pem_text_over(text);
	struct buf der = buf_max(text.n);
	size_t which, line;
	enum res res;

	while ((res = pem_next_of(&der, &pem, labels, 1, &which, &line)) == RES_OK)
		;
	buf_free(&der);
	if (res == RES_MALFORMED)
		buf_format(out, "the certificate that begins in line %zu has no end, or is not base64", line);
	return res == RES_MALFORMED;
}

/* False: there is no block at all. */
static bool
pem_put(struct buf *out, struct span text, bool *wrong)
{
	struct span rest = text, line, other = {NULL, 0};
	bool certificate = false;

	while (text_line_take(&rest, &line)) {
		struct span label = label_of(line);

		certificate |= span_equal(label, span_str("CERTIFICATE"));
		if (label.n > 0 && other.n == 0)
			other = label;
	}
	*wrong = certificate ? bad_block_put(out, text) : other.n > 0;
	if (!certificate && other.n > 0)
		pem_kind_put(out, other);
	return certificate || other.n > 0;
}

/* ---- DER */

/* By the elements inside the outer SEQUENCE; NULL: it may be a certificate (RFC 5280, 4.1). */
static const char *
der_kind(struct span text)
{
	struct der_reader in = der_over(text), inner = der_enter(&in, DER_SEQUENCE), first = inner;
	struct der_element head = der_any(&first);

	if (in.bad || head.id == 0)
		return "it is neither text nor DER, or it was cut";
	if (head.id == DER_INTEGER) /* RFC 7292, 4: a PKCS #12 bundle has version 3 */
		return head.body.n == 1 && head.body.p[0] == 3
			   ? "it holds a PKCS #12 bundle (`openssl pkcs12` unpacks it)"
			   : "it holds a private key";
	if (head.id == DER_OID)
		return "it holds a PKCS #7 bundle (`openssl pkcs7 -print_certs` unpacks it)";
	if (head.id != DER_SEQUENCE)
		return "it is DER of something else";
	first = der_over(head.body);
	if (der_at(&first, DER_OID))
		return "it holds a public key";
	if (!der_at(&first, DER_INTEGER) && !der_at(&first, DER_CONTEXT_CONS(0)))
		return "it is DER of something else";
	(void)der_any(&first);
	/* RFC 2986, 4.1: version and name; a certificate of version 1 has the serial and an algorithm, whose OID comes first. */
	first = der_enter(&first, DER_SEQUENCE);
	return der_at(&first, DER_SET) ? "it holds a certificate request" : NULL;
}

/* ---- */

bool
file_kind_put(struct buf *out, struct span text)
{
	const char *what = NULL;
	bool wrong = true;

	if (pem_put(out, text, &wrong))
		return wrong;
	if (text.n == 0)
		what = "it is empty";
	else if ((what = text_foreign(text)) != NULL)
		buf_text(out, "it is ");
	else if (is_text(text))
		what = "it is text without PEM";
	else
		what = der_kind(text);
	if (what != NULL)
		buf_text(out, what);
	return what != NULL;
}
